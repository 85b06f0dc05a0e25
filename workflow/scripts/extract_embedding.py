"""Take the audio embedding out of a checkpoint, as one file that needs nothing else."""

from pathlib import Path
from typing import TYPE_CHECKING

from l3net import exchange, models, training
from l3net.embeddings import add_keras_metadata
from l3net.errors import WeightsError
from l3net.files import atomic
from l3net.runtime import provenance, stage

if TYPE_CHECKING:
    import keras


def extract_embedding(
    checkpoint: Path, model: Path, *, exports: list[Path] = (), pooling: int = 6144, subset: str = ""
) -> None:
    """Write an embedding.keras: sound [batch, 48000] -> vectors, front end inside, metadata with it.

    Parameters
    ----------
    checkpoint : a best.h5, or the checkpoint of any epoch, of which the epoch's own weights are taken.
    model : the embedding.keras to write.
    exports : more files to write, each in the format of its suffix (`models.export_formats`). A name that begins with
        ``vision`` and a .keras are the vision embedding: images [batch, size, size, 3] in [-1, 1] -> vectors.
    pooling : the embedding's size at width 1: 6144 or 512.
    subset : the subset that the checkpoint must say it was trained on; empty for any.

    Raises
    ------
    WeightsError
        A file that is no checkpoint, or one of another subset.
    ConfigError
        An export in an unknown format, or without the packages it needs.
    """
    for target in exports:
        if target.suffix != ".keras":
            models.check_export_format(target)
    l3_model, about = training.load_l3(checkpoint, best=False)
    if subset and about["subset"] != subset:
        raise WeightsError(f"{checkpoint}: was trained on {about['subset']}, not on {subset}; is it the right file?")
    history = training.read_checkpoint(checkpoint)
    origin = {
        **{key: about[key] for key in ("front_end", "front_end_version", "hop_length", "subset", "epoch")},
        "samples_seen": about["samples_seen"],
        "model_seed": about["seed"],
        "validation_accuracy": _validation_accuracy(history.history, about["epoch"]),
        "training": history.provenance,
        **provenance.describe(pooling=pooling, subset=subset),
    }
    sound = models.embedding_network(l3_model, pooling=pooling), {"kind": "l3", "pooling": pooling, **origin}
    _save(*sound, model)
    image_size = about["image_size"]
    vision = models.vision_embedding_network(l3_model), {"kind": "l3-vision", "image_size": image_size, **origin}
    for target in exports:
        if target.suffix == ".keras":
            _save(*vision, target)
        else:
            exchange.export_embedding(*(vision if target.name.startswith("vision") else sound), target)


def _save(network: "keras.Model", metadata: dict, target: Path) -> None:
    with atomic.replacing(target) as temporary:
        network.save(temporary)
        add_keras_metadata(temporary, {**metadata, "dimension": network.output_shape[-1]})


def _validation_accuracy(history: dict[str, list], epoch: int) -> float | None:
    return history["val_accuracy"][history["epoch"].index(epoch)] if epoch in history["epoch"] else None


if __name__ == "__main__":
    stage.main(extract_embedding, globals().get("snakemake"))
