"""Ask models of two runs, whose samples pair frame and sound differently, about the test samples of both."""

from pathlib import Path

from l3net import training
from l3net.errors import ConfigError
from l3net.report import clustered_share, write_table
from l3net.runtime import stage
from l3net.samples import count_frame_offsets, read_shard_index


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
    """Write the accuracy of correspondence of each model on each kind of test samples, and how the kinds differ.

    Parameters
    ----------
    checkpoints : HDF5; the best checkpoints of one model in this run and in the other.
    tests : indexes of test shards (JSON) of this run and of the other, of the model's own subset.
    scores : CSV written; model, trained_on, tested_on (pairings), n, accuracy, ci_low, ci_high, n_units, unit
        (intervals are over clips: samples that have a clip in common may depend on each other).
    offsets : CSV written; pairing, seconds, n: how many of the matching test samples have a frame that is shown so many
        whole seconds after their window's start (0: inside the window's second).
    model : name of the model.
    seed : seed of the choice of samples where there are more than are measured.
    batch_size : number of samples asked about at a time.
    batches : number of test batches, at most.
    confidence : of the intervals, a fraction.

    Raises
    ------
    ConfigError
        Both runs have the same pairing.
    WeightsError, ShardError
        A checkpoint or an index cannot be used.
    """
    import pandas as pd

    indexes = [read_shard_index(path) for path in tests]
    pairings = [index.pairing() for index in indexes]
    if len(set(pairings)) == 1:
        raise ConfigError(
            f"samples.pairing is {pairings[0]} in both runs; report.other_pairing must name a run that differs in it"
        )
    rows = []
    for trained, checkpoint in zip(pairings, checkpoints, strict=True):
        network, _ = training.load_l3(checkpoint)
        for tested, path in zip(pairings, tests, strict=True):
            answers = training.ask_correspondence(network, path, seed=seed, batch_size=batch_size, batches=batches)
            share = clustered_share(answers.right, answers.clips, confidence=confidence)
            rows.append({"model": model, "trained_on": trained, "tested_on": tested, **vars(share), "unit": "clip"})
    write_table(pd.DataFrame(rows), scores, float_format="%.6f")
    counts = [
        {"pairing": pairing, "seconds": seconds, "n": n}
        for pairing, index in zip(pairings, indexes, strict=True)
        for seconds, n in count_frame_offsets(index)
    ]
    write_table(pd.DataFrame(counts), offsets, float_format="%.6f")


if __name__ == "__main__":
    stage.main(evaluate_pairing, globals().get("snakemake"))
