"""Ask models of two runs, whose samples pair frame and sound differently, about the test samples of both."""

from pathlib import Path

import numpy as np
import pandas as pd

from l3net.errors import ConfigError
from l3net.media import SAMPLE_RATE
from l3net.report import wilson_interval
from l3net.runtime import atomic, stage
from l3net.samples import Shard, read_shard_index

COLUMNS = ["model", "trained_on", "tested_on", "n", "accuracy", "ci_low", "ci_high"]


def evaluate_pairing(
    checkpoints: list[Path],
    tests: list[Path],
    scores: Path,
    offsets: Path,
    *,
    model: str,
    seed: int,
    batch_size: int,
    batches: int,
    confidence: float = 0.95,
) -> None:
    """Write the accuracy of correspondence of each model on each kind of test samples, and what tells the kinds apart.

    Parameters
    ----------
    checkpoints : HDF5; the best checkpoints of one model in this run and in the other.
    tests : indexes of test shards (JSON) of this run and of the other, of the model's own subset.
    scores : CSV written; model, trained_on, tested_on (pairings), n, accuracy, ci_low, ci_high (Wilson's).
    offsets : CSV written; pairing, seconds, n: how many of the matching test samples have a frame that is shown so many
        whole seconds after their window's start (0: inside the window's second).
    model : its name.
    seed : of the choice of samples where there are more than are measured.
    batches : test batches, at most.
    confidence : of the intervals, a fraction.

    Raises
    ------
    ConfigError
        Two runs of the same pairing.
    WeightsError, ShardError
        A checkpoint or an index that cannot be used.
    """
    pairings = [_pairing(index) for index in tests]
    if len(set(pairings)) == 1:
        raise ConfigError(
            f"samples.pairing is {pairings[0]} in both runs; report.other_pairing must name a run that differs in it"
        )
    from l3net.training import (
        correspondence_answers,
        load_l3,  # TensorFlow takes seconds to import; what is wrong above is told at once
    )

    rows = []
    for trained, checkpoint in zip(pairings, checkpoints, strict=True):
        network, _ = load_l3(checkpoint)
        for tested, index in zip(pairings, tests, strict=True):
            right, _ = correspondence_answers(network, index, seed=seed, batch_size=batch_size, batches=batches)
            interval = wilson_interval(int(right.sum()), right.size, confidence)
            rows.append([model, trained, tested, right.size, right.mean(), *interval])
    _write(scores, rows, COLUMNS)
    counted = [[pairing, *row] for pairing, index in zip(pairings, tests, strict=True) for row in _offsets(index)]
    _write(offsets, counted, ["pairing", "seconds", "n"])


def _pairing(index: Path) -> str:
    with Shard(Path(read_shard_index(index).shards[0].path)) as shard:
        return str(shard.attributes["pairing"])


def _offsets(index: Path) -> list[tuple[int, int]]:
    """Return (whole seconds from a window's start to its frame, matching samples) of an index."""
    seconds = []
    for entry in read_shard_index(index).shards:
        with Shard(Path(entry.path)) as shard:
            matches = shard.samples[:][shard.samples[:]["label"] == 1]
            # To the sample, as windows are counted: a frame at a window's first sample is inside it.
            after = np.rint(matches["time"] * SAMPLE_RATE).astype(np.int64) - matches["start"]
            seconds.append(after // SAMPLE_RATE)
    places, counts = np.unique(np.concatenate(seconds), return_counts=True)
    return list(zip(places.tolist(), counts.tolist(), strict=True))


def _write(path: Path, rows: list[list], columns: list[str]) -> None:
    atomic.write_text(path, pd.DataFrame(rows, columns=columns).to_csv(index=False, float_format="%.6f"))


if __name__ == "__main__":
    stage.main(evaluate_pairing, globals().get("snakemake"))
