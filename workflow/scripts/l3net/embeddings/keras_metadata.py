"""The metadata inside an embedding.keras: one JSON member of the archive (a zip), so TensorFlow is not needed.

An .onnx carries the same metadata as a text (`onnx_embedding`).
"""

import json
import zipfile
from pathlib import Path
from typing import Any

from l3net.errors import WeightsError
from l3net.files import Fields, open_foreign_zip, parse_json, read_member
from l3net.models.export_formats import FORMAT_VERSION

MEMBER = "l3net.json"
_METADATA_BYTES = 16 << 20
# Fields that are read, where they are there; others are only shown.
_TEXTS = {"front_end", "front_end_version", "subset"}
_WHOLE = {"pooling", "hop_length", "epoch", "samples_seen", "dimension", "image_size"}
_WHOLE |= {"sample_rate", "window_samples"}  # of an .onnx


def add_keras_metadata(path: Path, metadata: dict[str, Any]) -> None:
    """Add `metadata` to a .keras archive that has none."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(MEMBER, json.dumps({"format_version": FORMAT_VERSION, **metadata}, sort_keys=True, indent=1))


def read_keras_metadata(path: Path | str) -> dict[str, Any]:
    """Read the metadata of an embedding.keras or vision.keras.

    Raises
    ------
    WeightsError
        A file that is missing, is no Keras archive, has no metadata, or has those of another format version.
    """
    path, what = Path(path), "an embedding.keras made by extract_embedding"
    if path.is_dir():
        there = next((path / name for name in ("embedding.keras", "vision.keras") if (path / name).is_file()), None)
        raise WeightsError(f"{path}: is a folder; expected {what}" + (f": {there} is one" if there else ""))
    if path.suffix.lower() in (".h5", ".hdf5") and path.is_file():
        raise WeightsError(
            f"{path}: is HDF5 by its name; expected {what}. A run's is beside its best.h5; weights of openl3 are named"
            """ with --settings '{"kind": "openl3", "front_end": ...}'"""
        )
    with open_foreign_zip(path, WeightsError, what) as archive:
        if MEMBER not in archive.namelist():
            raise WeightsError(f"{path}: has no metadata of this project; expected {what}")
        text = read_member(archive, MEMBER, WeightsError, most=_METADATA_BYTES)
    return check_metadata(path, text, f"{path}: {MEMBER}")


def check_metadata(path: Path, text: str | bytes, where: str) -> dict[str, Any]:
    """Return the metadata in `text`, which `where` names; raise a `WeightsError` for what cannot be used."""
    metadata = Fields(parse_json(text, where, WeightsError, "JSON"), where, WeightsError)
    if (version := metadata.whole("format_version")) != FORMAT_VERSION:
        raise WeightsError(f"{path}: its metadata have format version {version}, this code reads {FORMAT_VERSION}")
    metadata.text("kind", longest=100)
    for name in _TEXTS & set(metadata.values):
        metadata.text(name, longest=1000)
    for name in _WHOLE & set(metadata.values):
        metadata.whole(name)
    if metadata.values.get("validation_accuracy") is not None:
        metadata.number("validation_accuracy", 0.0, 1.0)
    if metadata.values.get("training"):
        _check_records(metadata.fields("training"))
    _check_records(metadata)
    return metadata.values


def _check_records(metadata: Fields) -> None:
    """Check the texts in which the making of a file is recorded: configuration and versions as JSON, and the commit."""
    for name in {"config", "versions"} & set(metadata.values):
        where = f"{metadata.where}: {name}"
        Fields(
            parse_json(metadata.text(name, longest=_METADATA_BYTES), where, WeightsError, "JSON"), where, WeightsError
        )
    if "commit" in metadata.values:
        metadata.text("commit", longest=100)


def check_origin(path: Path, metadata: dict[str, Any], expected: dict[str, Any]) -> None:
    """Check that an embedding was made of what its settings say, so that no file stands in for another unnoticed.

    Parameters
    ----------
    metadata : of the file.
    expected : values that the metadata should have; a key that is None, or that the file does not tell, is skipped.

    Raises
    ------
    WeightsError
        The first value that differs.
    """
    for key, value in expected.items():
        if value is not None and metadata.get(key, value) != value:
            raise WeightsError(f"{path}: its {key} is {metadata[key]}, the settings say {value}; is it the right file?")
