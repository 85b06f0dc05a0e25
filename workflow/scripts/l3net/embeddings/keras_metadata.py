"""The metadata inside an embedding.keras: one JSON member of the archive (a zip), so TensorFlow is not needed."""

import json
import zipfile
from pathlib import Path
from typing import Any

from l3net.errors import WeightsError

MEMBER = "l3net.json"
FORMAT_VERSION = 1


def add_keras_metadata(path: Path, metadata: dict[str, Any]) -> None:
    """Add `metadata` to a .keras archive that has none."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(MEMBER, json.dumps({"format_version": FORMAT_VERSION, **metadata}, sort_keys=True, indent=1))


def read_keras_metadata(path: Path) -> dict[str, Any]:
    """Read the metadata of an embedding.keras or vision.keras.

    Raises
    ------
    WeightsError
        A file that is missing, is no Keras archive, has no metadata, or has those of another format version.
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
        version = metadata.get("format_version")
        raise WeightsError(f"{path}: its metadata have format version {version}, this code reads {FORMAT_VERSION}")
    return metadata


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
