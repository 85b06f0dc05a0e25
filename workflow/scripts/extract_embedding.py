"""Take the audio embedding out of a checkpoint, as one file that needs nothing else."""

from pathlib import Path

from l3net import checkpoint_files, checkpoints, embedding_files, files, networks, provenance, stage
from l3net.errors import WeightsError


def extract_embedding(checkpoint: Path, model: Path, *, pooling: int = 6144, subset: str = "") -> None:
    """Write an embedding.keras: sound [batch, 48000] -> vectors, front end inside, metadata with it.

    Parameters
    ----------
    checkpoint : a best.h5, or the checkpoint of any epoch (its own weights, not the best before it).
    model : the file to write.
    pooling : the embedding's size at width 1: 6144 or 512.
    subset : what the model was trained on; has to be what the checkpoint says.

    Raises
    ------
    WeightsError
        A file that is no checkpoint, or one of another subset.
    """
    whole, about = checkpoints.load_model(checkpoint, best=False)
    if subset and about["subset"] != subset:
        raise WeightsError(f"{checkpoint}: was trained on {about['subset']}, not on {subset}; is it the right file?")
    network = networks.embedding_network(whole, pooling=pooling)
    metadata = {
        "kind": "l3",
        **{key: about[key] for key in ("front_end", "front_end_version", "hop_length", "subset", "epoch")},
        "samples_seen": about["samples_seen"],
        "model_seed": about["seed"],
        "validation_accuracy": _validation_accuracy(checkpoint, about["epoch"]),
        "pooling": pooling,
        "dimension": network.output_shape[-1],
        "training": checkpoint_files.read(checkpoint).provenance,
        **provenance.describe(pooling=pooling, subset=subset),
    }
    with files.replacing(model) as temporary:
        network.save(temporary)
        embedding_files.add_metadata(temporary, metadata)


def _validation_accuracy(checkpoint: Path, epoch: int) -> float | None:
    history = checkpoint_files.read(checkpoint).history
    return history["val_accuracy"][history["epoch"].index(epoch)] if epoch in history["epoch"] else None


if __name__ == "__main__":
    stage.main(extract_embedding, globals().get("snakemake"))
