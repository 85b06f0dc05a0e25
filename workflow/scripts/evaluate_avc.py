"""Measure how well a model tells whether image and sound belong together, on the test samples of every subset."""

from pathlib import Path

from l3net import training
from l3net.audioset import read_ontology
from l3net.report import clustered_share, write_rows
from l3net.runtime import stage


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

    Source: the paper, section 4.1 (one row of its table of training against test subset). Intervals are over clips:
    samples that have a clip in common, seen or heard, may depend on each other.

    Parameters
    ----------
    checkpoint : HDF5; the best checkpoint of the model.
    tests : indexes of the test shards (JSON), one for each of `subsets`.
    scores : CSV written; train_subset, test_subset, front_end, epoch, n, accuracy, ci_low, ci_high, n_units, unit,
        samples_seen.
    by_class : CSV written; the same columns without samples_seen, and label, name. A sample counts for every label of
        the clip that is heard.
    subsets : names of the subsets.
    ontology : AudioSet's ontology (JSON), for the names of labels.
    train_subset, front_end : what the model was trained on, and with which front end.
    seed : seed of the choice of samples where there are more than are measured.
    batch_size : number of samples asked about at a time.
    batches : number of test batches of each subset, at most.
    confidence : of the intervals, a fraction.

    Raises
    ------
    WeightsError, ShardError
        The checkpoint or an index cannot be used.
    """
    name_of = read_ontology(ontology).name_of
    model, metadata = training.load_l3(checkpoint)
    rows, label_rows = [], []
    for subset, index in zip(subsets, tests, strict=True):
        answers = training.ask_correspondence(model, index, seed=seed, batch_size=batch_size, batches=batches)
        known = {
            "train_subset": train_subset,
            "test_subset": subset,
            "front_end": front_end,
            "epoch": metadata["epoch"],
        }
        rows.append({**known, **_accuracy(answers, confidence), "samples_seen": metadata["samples_seen"]})
        for mid, found in answers.by_label().items():
            label_rows.append({**known, **_accuracy(found, confidence), "label": mid, "name": name_of(mid)})
    write_rows(rows, scores, float_format="%.6f")
    write_rows(label_rows, by_class, float_format="%.6f")


def _accuracy(answers: "training.Answers", confidence: float) -> dict[str, float | str]:
    """Return how many answers there are, the share that is right, and its interval over clips."""
    return {**vars(clustered_share(answers.right, answers.clips, confidence=confidence)), "unit": "clip"}


if __name__ == "__main__":
    stage.main(evaluate_avc, globals().get("snakemake"))
