"""Embed every clip of a downstream data set with one embedding."""

from pathlib import Path

from l3net.embeddings import EMBEDDING_FACTS, load_embedding
from l3net.errors import DatasetError
from l3net.files import atomic
from l3net.media import audio_blocks
from l3net.runtime import Progress, provenance, stage
from l3net.vectors import DatasetVectorsWriter


def embed_dataset(
    clips: Path,
    output: Path,
    *,
    model: list[Path] = (),
    dataset: str,
    embedding: str,
    settings: dict,
    hop_seconds: float = 0.1,
    center: bool = False,
    batch_size: int = 64,
) -> None:
    """Write the vectors of every clip, in the order of the index, into one HDF5 file (docs/embeddings.md).

    Parameters
    ----------
    clips : index CSV made by fetch_dataset: path,filename,label,fold,group.
    output : HDF5 file to write.
    model : the embedding's files: an embedding.keras, released weights, or none.
    dataset, embedding : their names, which the file keeps.
    settings : the embedding's entry in the configuration: kind and its keys.
    hop_seconds : seconds from one window to the next.
    center : whether a timestamp is the centre of its window or its start.
    batch_size : how many windows the network is given at a time.

    Raises
    ------
    DatasetError
        An index without the columns, or without clips.
    ClipError
        A clip that cannot be read.
    """
    from l3net.downstream import read_dataset_index

    table = read_dataset_index(clips)
    if not len(table):
        raise DatasetError(f"{clips}: no clips; expected a row for each")
    named = load_embedding(settings, list(model))
    attributes = {key: named.about[key] for key in ("kind", *EMBEDDING_FACTS)}
    attributes |= {"dataset": dataset, "embedding": embedding, "hop_seconds": hop_seconds, "center": center}
    attributes |= {"model": provenance.canonical_json(named.about)}
    attributes |= provenance.describe(settings=settings, batch_size=batch_size)
    sounds = ((path, audio_blocks(Path(path), named.sample_rate)) for path in table["path"])
    pieces = named.embed(sounds, hop_seconds=hop_seconds, center=center, batch_size=batch_size)
    with (
        atomic.replacing(output) as temporary,
        DatasetVectorsWriter(temporary, named.dimension, table, attributes) as writer,
        Progress(f"embedding {dataset}", len(table), "clips") as progress,
    ):
        for piece in pieces:
            if piece.error is not None:
                raise piece.error
            writer.append(piece.vectors, piece.timestamps)
            if piece.is_last:
                writer.end_clip()
                progress.advance()


if __name__ == "__main__":
    stage.main(embed_dataset, globals().get("snakemake"))
