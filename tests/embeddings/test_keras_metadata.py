"""The metadata of an embedding.keras, and files that have none."""

import json
import zipfile
from pathlib import Path

import keras
import pytest

from l3net.embeddings.keras_metadata import MEMBER, add_keras_metadata, check_origin, read_keras_metadata
from l3net.errors import WeightsError


def test_what_is_added_is_read(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]).save(tmp_path / "a.keras")
    add_keras_metadata(tmp_path / "a.keras", {"kind": "l3", "label": "Müll"})
    assert read_keras_metadata(tmp_path / "a.keras") == {"format_version": 1, "kind": "l3", "label": "Müll"}
    assert keras.saving.load_model(tmp_path / "a.keras").count_params() == 4


def test_what_is_no_embedding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.keras").write_text("nothing")
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]).save(tmp_path / "other.keras")
    for name, message in {"none": "cannot be read", "text": "File is not a zip file", "other": "no metadata"}.items():
        with pytest.raises(WeightsError, match=message):
            read_keras_metadata(tmp_path / f"{name}.keras")
    with pytest.raises(WeightsError, match=r"is a folder; expected an embedding\.keras made by extract_embedding$"):
        read_keras_metadata(tmp_path)
    (tmp_path / "embedding.keras").write_text("nothing")
    with pytest.raises(WeightsError, match=r"extract_embedding: .*/embedding\.keras is one$"):
        read_keras_metadata(tmp_path)
    (tmp_path / "openl3.h5").write_text("nothing")
    with pytest.raises(WeightsError, match=r"is HDF5 by its name.*openl3 are named with --settings"):
        read_keras_metadata(tmp_path / "openl3.h5")
    with zipfile.ZipFile(tmp_path / "later.keras", "w") as archive:
        archive.writestr(MEMBER, json.dumps({"format_version": 2}))
    with pytest.raises(WeightsError, match="format version 2, this code reads 1"):
        read_keras_metadata(tmp_path / "later.keras")


def test_an_origin_that_differs_is_named() -> None:
    metadata = {"subset": "music", "front_end": "mel256"}
    check_origin(Path("a.keras"), metadata, {"subset": "music", "front_end": None, "pooling": 512})
    with pytest.raises(WeightsError, match=r"a\.keras: its subset is music, the settings say environmental"):
        check_origin(Path("a.keras"), metadata, {"subset": "environmental"})
