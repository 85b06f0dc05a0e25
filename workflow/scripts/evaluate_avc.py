"""Measure how well a model tells whether image and sound belong together, on the test samples of every subset."""

from pathlib import Path

import numpy as np
import pandas as pd

from l3net.audioset import read_ontology
from l3net.report import wilson_interval
from l3net.runtime import atomic, stage

COLUMNS = ["train_subset", "test_subset", "front_end", "epoch", "n", "accuracy", "ci_low", "ci_high"]


def evaluate_avc(
    checkpoint: Path,
    tests: list[Path],
    scores: Path,
    by_class: Path,
    *,
    subsets: list[str],
    ontology: Path,
    train_subset: str,
    front_end: str,
    seed: int,
    batch_size: int,
    batches: int,
    confidence: float = 0.95,
) -> None:
    """Write the accuracy of audio-visual correspondence on every subset's test samples, and the same by class.

    Source: the paper, section 4.1 (one row of its table of training against test subset). Intervals are Wilson's.

    Parameters
    ----------
    checkpoint : HDF5; the best checkpoint of the model.
    tests : indexes of the test shards (JSON), one for each of `subsets`.
    scores : CSV written; train_subset, test_subset, front_end, epoch, n, accuracy, ci_low, ci_high, samples_seen.
    by_class : CSV written; the same columns but samples_seen, and label, name: a sample counts for every label of the
        clip its sound is from.
    ontology : AudioSet's ontology, for the names of labels.
    seed : of the choice of samples where there are more than are measured.
    batches : test batches of each subset.
    confidence : of the intervals, a fraction.

    Raises
    ------
    WeightsError, ShardError
        A checkpoint or an index that cannot be used.
    """
    names = _names(ontology)
    from l3net.training import (
        correspondence_answers,
        load_l3,  # TensorFlow takes seconds to import; a wrong path is told at once
    )

    model, metadata = load_l3(checkpoint)
    rows, label_rows = [], []
    for subset, index in zip(subsets, tests, strict=True):
        right, labels = correspondence_answers(model, index, seed=seed, batch_size=batch_size, batches=batches)
        known = [train_subset, subset, front_end, metadata["epoch"]]
        rows.append([*known, *_share(right, confidence), metadata["samples_seen"]])
        for mid in sorted({mid for mids in labels for mid in mids}):
            of_label = right[[mid in mids for mids in labels]]
            label_rows.append([*known, *_share(of_label, confidence), mid, names.get(mid, mid)])
    _write(scores, rows, [*COLUMNS, "samples_seen"])
    _write(by_class, label_rows, [*COLUMNS, "label", "name"])


def _names(path: Path) -> dict[str, str]:
    return read_ontology(path).names


def _share(right: np.ndarray, confidence: float) -> list[float]:
    """Return how many answers there are, the share that is right, and its interval."""
    low, high = wilson_interval(int(right.sum()), right.size, confidence)
    return [right.size, right.mean(), low, high]


def _write(path: Path, rows: list[list], columns: list[str]) -> None:
    atomic.write_text(path, pd.DataFrame(rows, columns=columns).to_csv(index=False, float_format="%.6f"))


if __name__ == "__main__":
    stage.main(evaluate_avc, globals().get("snakemake"))
