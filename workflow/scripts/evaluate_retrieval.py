"""Measure how often a contrastive model finds the image to a sound, and the sound to an image."""

from pathlib import Path

from l3net import training
from l3net.report import clustered_share, write_rows
from l3net.runtime import stage
from l3net.vectors import found_within


def evaluate_retrieval(
    checkpoint: Path, test: Path, scores: Path, *, model: str, seed: int, batch_size: int, confidence: float = 0.95
) -> None:
    """Write the recall at 1, 5 and 10 over the test clips of the model's subset, in both directions.

    Every clip has one matching sample in it: its image is sought among the images of all clips by the cosine with the
    sound, and the other way round.

    Parameters
    ----------
    checkpoint : HDF5; the best checkpoint of the model, of objective contrastive.
    test : index of test shards (JSON).
    scores : CSV written; model, query (sound or image), k, recall, ci_low, ci_high (over clips), n_clips, chance.
    model : name of the model.
    seed : seed of the choice of each clip's sample.
    batch_size : number of samples computed at a time.
    confidence : of the intervals, a fraction.

    Raises
    ------
    ConfigError
        The model has another objective.
    WeightsError, ShardError
        The checkpoint or the index cannot be used.
    """
    import numpy as np

    network, _ = training.load_l3(checkpoint)
    pairs = training.embed_pairs(network, test, seed=seed, batch_size=batch_size)
    rows, n = [], len(pairs.images)
    for query, queries, items in (("sound", pairs.sounds, pairs.images), ("image", pairs.images, pairs.sounds)):
        for k in (1, 5, 10):
            share = clustered_share(found_within(queries, items, k), np.arange(n), confidence=confidence)
            ends = {"recall": share.accuracy, "ci_low": share.ci_low, "ci_high": share.ci_high}
            rows.append({"model": model, "query": query, "k": k, **ends, "n_clips": n, "chance": min(k / n, 1.0)})
    write_rows(rows, scores, float_format="%.6f")


if __name__ == "__main__":
    stage.main(evaluate_retrieval, globals().get("snakemake"))
