"""Embeddings on disk: the metadata inside an embedding.keras, and the HDF5 file of an embedded data set.

The metadata stand as one JSON member in the .keras archive (a zip), so they are read without TensorFlow.
"""

import json
import zipfile
from pathlib import Path
from typing import Any

from l3net.errors import WeightsError

MEMBER = "l3net.json"
FORMAT_VERSION = 1


def add_keras_metadata(path: Path, metadata: dict[str, Any]) -> None:
    """Put `metadata` into a .keras archive that has none."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(MEMBER, json.dumps({"format_version": FORMAT_VERSION, **metadata}, sort_keys=True, indent=1))


def read_keras_metadata(path: Path) -> dict[str, Any]:
    """Return the metadata of an embedding.keras, without loading TensorFlow.

    Raises
    ------
    WeightsError
        A file that is missing, no Keras archive, without metadata, or of another format version.
    """
    hint = "expected an embedding.keras made by extract_embedding"
    try:
        with zipfile.ZipFile(path) as archive:
            metadata = json.loads(archive.read(MEMBER))
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror}") from None
    except zipfile.BadZipFile:
        raise WeightsError(f"{path}: is not a Keras archive; {hint}") from None
    except (KeyError, ValueError):
        raise WeightsError(f"{path}: has no metadata of this project; {hint}") from None
    if metadata.get("format_version") != FORMAT_VERSION:
        found = metadata.get("format_version")
        raise WeightsError(f"{path}: its metadata have format version {found}, this code reads {FORMAT_VERSION}")
    return metadata
