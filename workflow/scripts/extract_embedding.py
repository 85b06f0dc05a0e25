"""Take the audio embedding out of a checkpoint, as one file that needs nothing else."""

from pathlib import Path

import keras

from l3net.embeddings import add_keras_metadata
from l3net.errors import WeightsError
from l3net.models import embedding_network, export_embedding, vision_embedding_network
from l3net.runtime import atomic, provenance, stage
from l3net.training import Checkpoint, load_l3, read_checkpoint


def extract_embedding(
    checkpoint: Path, model: Path, exports: list[Path], *, pooling: int = 6144, subset: str = ""
) -> None:
    """Write an embedding.keras: sound [batch, 48000] -> vectors, front end inside, metadata with it.

    Parameters
    ----------
    checkpoint : a best.h5, or the checkpoint of any epoch (its own weights, not the best before it).
    model : the file to write.
    exports : more files to write, each in the format of its suffix (`embedding_exports`); those whose name starts with
        ``vision``, and .keras, are of the vision embedding: images [batch, size, size, 3] in [-1, 1] -> vectors.
    pooling : the embedding's size at width 1: 6144 or 512.
    subset : what the model was trained on; has to be what the checkpoint says.

    Raises
    ------
    WeightsError
        A file that is no checkpoint, or one of another subset.
    ConfigError
        An export in an unknown format, or without the packages it needs.
    """
    whole, about = load_l3(checkpoint, best=False)
    if subset and about["subset"] != subset:
        raise WeightsError(f"{checkpoint}: was trained on {about['subset']}, not on {subset}; is it the right file?")
    history = read_checkpoint(checkpoint)
    origin = {
        **{key: about[key] for key in ("front_end", "front_end_version", "hop_length", "subset", "epoch")},
        "samples_seen": about["samples_seen"],
        "model_seed": about["seed"],
        "validation_accuracy": _validation_accuracy(history, about["epoch"]),
        "training": history.provenance,
        **provenance.describe(pooling=pooling, subset=subset),
    }
    sound = embedding_network(whole, pooling=pooling)
    _save(sound, {"kind": "l3", "pooling": pooling, **origin}, model)
    vision = vision_embedding_network(whole)
    about_vision = {"kind": "l3-vision", "image_size": about["image_size"], **origin}
    for target in exports:
        is_vision = target.name.startswith("vision")
        if target.suffix == ".keras":
            _save(vision, about_vision, target)
        else:
            export_embedding(vision if is_vision else sound, origin, target)


def _save(network: keras.Model, metadata: dict, target: Path) -> None:
    with atomic.replacing(target) as temporary:
        network.save(temporary)
        add_keras_metadata(temporary, {**metadata, "dimension": network.output_shape[-1]})


def _validation_accuracy(history: Checkpoint, epoch: int) -> float | None:
    columns = history.history
    return columns["val_accuracy"][columns["epoch"].index(epoch)] if epoch in columns["epoch"] else None


if __name__ == "__main__":
    stage.main(extract_embedding, globals().get("snakemake"))
