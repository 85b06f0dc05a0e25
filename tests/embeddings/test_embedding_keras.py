"""Our own networks as embeddings: sound in arrays, files that are no embedding, and what a file says of itself."""

import os
from pathlib import Path

import numpy as np
import pytest

import l3net
from l3net.embeddings import embedding_keras
from l3net.embeddings.embedding_keras import load_keras_embedding, load_l3
from l3net.embeddings.interface import WindowEmbedding
from l3net.embeddings.keras_metadata import add_keras_metadata
from l3net.errors import ClipError, ConfigError, WeightsError
from l3net.models.l3 import embedding_network
from tests import tiny_embedding


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "embedding.keras"
    tiny_embedding.write_embedding(path)
    return path


def test_python_takes_one_sound_or_a_list(model: Path) -> None:
    rng = np.random.default_rng(3)
    first, second = rng.normal(0, 0.1, 100000), (rng.normal(0, 3000, (30000, 2))).astype(np.int16)
    vectors, times = l3net.embed([first, second], 44100, model=model, hop_seconds=0.3, center=True)
    alone, alone_times = l3net.embed(second, 44100, model=model, hop_seconds=0.3, center=True)
    np.testing.assert_allclose(vectors[1], alone, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(times[1], alone_times)
    assert alone.dtype == np.float32
    assert len(vectors[0]) == len(times[0])
    with pytest.raises(ClipError, match="not a finite number"):
        l3net.embed(np.array([np.nan]), 48000, model=model)
    with pytest.raises(WeightsError, match=r"none.keras: cannot be read: No such file"):
        l3net.embed(second, 44100, model="none.keras")


def test_what_is_no_model_and_no_sound_is_told(model: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"model is a NoneType; expected the path of an embedding\.keras, or what load"
    ):
        l3net.embed(np.zeros(48000), 48000, model=None)
    with pytest.raises(ConfigError, match=r"model is a int; expected the path of an embedding\.keras, or what load"):
        l3net.stream(3)
    for sound in ("dog.wav", Path("dog.wav")):
        with pytest.raises(ClipError, match=r"sound is a path, dog\.wav; expected samples"):
            l3net.embed(sound, 48000, model=model)


def test_a_precision_is_checked_before_the_file_is_read() -> None:
    with pytest.raises(ConfigError, match="precision is 'float16'; expected one of float32, bfloat16"):
        load_keras_embedding("none.keras", "float16")


def test_a_file_that_is_not_what_its_settings_say_is_refused(model: Path) -> None:
    right = {"front_end": "mel128", "subset": "music", "pooling": 512}  # the file does not tell its pooling
    assert load_l3([model], **right, model_seed=2).about["model_seed"] == 2
    assert load_l3([model]).about["model_seed"] == 7
    for key, value in {"front_end": "mel256", "subset": "environmental"}.items():
        with pytest.raises(WeightsError, match=rf"embedding.keras: its {key} is \w+, the settings say {value}"):
            load_l3([model], **{**right, key: value})


def test_a_file_with_weights_that_are_not_finite_is_refused(tmp_path: Path) -> None:
    network = embedding_network(tiny_embedding.network())
    network.get_layer("audio_norm_2_1").beta.assign(np.full(16, np.nan))
    network.save(tmp_path / "spoilt.keras")
    add_keras_metadata(tmp_path / "spoilt.keras", {"kind": "l3"})
    with pytest.raises(WeightsError, match=r"spoilt\.keras: audio_norm_2_1/beta: 16 of 16 values are not finite"):
        load_keras_embedding(tmp_path / "spoilt.keras")


def test_a_vector_that_is_not_finite_is_refused_with_its_sound_and_time() -> None:
    divides = WindowEmbedding(lambda windows: windows[:, :2] / windows.std(axis=1, keepdims=True), 2, 48000, 48000)
    sound = np.random.default_rng(0).normal(0, 0.1, 4 * 48000).astype(np.float32)
    l3net.embed(sound, 48000, model=divides)
    silent = sound.copy()
    silent[96000:150000] = 0
    with np.errstate(all="ignore"), pytest.raises(ClipError, match=r"sound 1: the vector at 2\.00 s .* not finite"):
        l3net.embed([sound, silent], 48000, model=divides)


def test_a_file_of_another_size_is_another_model_whatever_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Path] = []
    monkeypatch.setattr(embedding_keras, "load_keras_embedding", lambda path, precision: loaded.append(path))
    path = tmp_path / "embedding.keras"
    for content in (b"one", b"one", b"another"):
        path.write_bytes(content)
        os.utime(path, ns=(0, 10**18))  # as a copy that keeps times has
        embedding_keras.load_once(path, "float32")
    assert len(loaded) == 2
