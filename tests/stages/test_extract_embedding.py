"""extract_embedding on a tiny checkpoint."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from l3net.embeddings.embedding_keras import load_keras_embedding, load_network
from l3net.embeddings.keras_metadata import read_keras_metadata
from l3net.errors import ConfigError, WeightsError
from l3net.models.l3 import vision_embedding_network
from tests import tiny_embedding
from tests.stages.loading import stage_function

extract_embedding = stage_function("extract_embedding")


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, keras.Model]:
    folder = tmp_path_factory.mktemp("model")
    whole = tiny_embedding.write_checkpoint(folder / "epoch-002.h5")
    extract_embedding(
        folder / "epoch-002.h5",
        folder / "embedding.keras",
        exports=[folder / "vision.keras"],
        pooling=512,
        subset="music",
    )
    return folder / "embedding.keras", whole


def test_an_extracted_embedding_is_the_checkpoints(extracted: tuple[Path, keras.Model]) -> None:
    path, whole = extracted
    sound = np.random.default_rng(0).normal(0, 0.1, (2, 48000)).astype(np.float32)
    tap = keras.Model(whole.input["audio"], whole.get_layer("audio_conv_4_2").output)
    expected = np.array(tap(sound)).max(axis=(1, 2))
    np.testing.assert_allclose(load_keras_embedding(path).network(sound), expected, rtol=1e-5, atol=1e-6)


def test_its_metadata_say_where_it_comes_from(extracted: tuple[Path, keras.Model]) -> None:
    about = read_keras_metadata(extracted[0])
    expected = {"kind": "l3", "front_end": "mel128", "front_end_version": "training", "hop_length": 1936}
    expected |= {"subset": "music", "epoch": 2, "samples_seen": 200, "model_seed": 7, "pooling": 512, "dimension": 64}
    assert {key: about[key] for key in expected} == expected
    assert about["validation_accuracy"] == pytest.approx(0.2)
    assert json.loads(about["config"]) == {"pooling": 512, "subset": "music"}
    assert about["commit"]


def test_the_vision_embedding_is_extracted_too(extracted: tuple[Path, keras.Model]) -> None:
    path, whole = extracted
    network, about = load_network(path.with_name("vision.keras"))
    images = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)
    expected = vision_embedding_network(whole)(images)
    np.testing.assert_allclose(np.array(network(images)), np.array(expected), rtol=1e-6)
    assert (about["kind"], about["image_size"]) == ("l3-vision", 32)
    with pytest.raises(WeightsError, match="is of kind l3-vision; expected one of sound"):
        load_keras_embedding(path.with_name("vision.keras"))


def test_a_checkpoint_of_another_subset_is_refused(extracted: tuple[Path, keras.Model], tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="was trained on music, not on environmental"):
        extract_embedding(extracted[0].with_name("epoch-002.h5"), tmp_path / "a.keras", subset="environmental")
    assert not list(tmp_path.iterdir())


def test_an_unknown_export_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a\.pb: unknown format; expected \.h5"):
        extract_embedding(tmp_path / "none.h5", tmp_path / "a.keras", exports=[tmp_path / "a.pb"])
    assert not list(tmp_path.iterdir())
