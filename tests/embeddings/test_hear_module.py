"""Somebody else's HEAR module as an embedding: on numpy, on PyTorch where it is installed, and modules that break."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from l3net.embeddings.hear_module import load_hear_module
from l3net.errors import ClipError, ConfigError, WeightsError

NUMPY = '''
import numpy as np


class Model:
    sample_rate = 1000
    scene_embedding_size = 3
    timestamp_embedding_size = 2

    def __init__(self, path=""):
        self.path = path


def load_model(path=""):
    if path.endswith("broken"):
        raise RuntimeError("no such weights")
    return Model(path)


def get_timestamp_embeddings(audio, model):
    """Return mean and maximum of every 0.1 s, and the middle of each in ms."""
    pieces = audio[:, : audio.shape[1] // 100 * 100].reshape(len(audio), -1, 100)
    times = 50.0 + 100.0 * np.arange(pieces.shape[1])
    return np.stack([pieces.mean(2), pieces.max(2)], -1), np.tile(times, (len(audio), 1))


def get_scene_embeddings(audio, model):
    return np.stack([audio.mean(1), audio.min(1), audio.max(1)], -1)
'''
TORCH = """
import torch


class Model(torch.nn.Module):
    sample_rate, scene_embedding_size, timestamp_embedding_size = 1000, 1, 1

    def __init__(self):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor(2.0))


def load_model(path=""):
    return Model()


def get_timestamp_embeddings(audio, model):
    pieces = audio[:, ::100, None] * model.factor
    return pieces, 100.0 * torch.arange(pieces.shape[1]).repeat(len(audio), 1)


def get_scene_embeddings(audio, model):
    return audio.mean(1, keepdim=True) * model.factor
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that makes a module of some text and gives its name."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def module(text: str) -> str:
        name = f"heard_{len(list(tmp_path.iterdir()))}"
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    return module


def joined(embedding, audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all vectors and times of a sound that comes in uneven blocks."""
    pieces = list(embedding.embed([("a", np.array_split(audio, 7))]))
    assert pieces[-1].is_last
    assert pieces[-1].error is None
    return np.concatenate([p.vectors for p in pieces]), np.concatenate([p.timestamps for p in pieces])


def test_a_numpy_module_over_a_long_sound(write) -> None:
    """Five minutes are heard in stretches of a minute; times go on from one to the next."""
    audio = np.random.default_rng(0).normal(0, 0.1, 300_000).astype(np.float32)
    embedding = load_hear_module([Path("some.weights")], module=write(NUMPY))
    vectors, times = joined(embedding, audio)
    pieces = audio.reshape(-1, 100)
    np.testing.assert_allclose(vectors, np.stack([pieces.mean(1), pieces.max(1)], -1), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(times, 0.05 + 0.1 * np.arange(3000))
    assert (embedding.dimension, embedding.sample_rate) == (2, 1000)


def test_a_stretch_has_a_minute_and_the_last_one_up_to_two(write) -> None:
    """The vectors of this module are how many samples it was given."""
    count = "\n\ndef get_timestamp_embeddings(audio, model):\n    n = audio.shape[1]\n"
    count += "    return np.full((1, 1, 2), n), np.zeros((1, 1))\n"
    embedding = load_hear_module([], module=write(NUMPY + count))
    vectors, times = joined(embedding, np.zeros(290_000, np.float32))
    assert vectors[:, 0].tolist() == [60_000, 60_000, 60_000, 110_000]
    assert times.tolist() == [0, 60, 120, 180]


ANSWERS = {
    "None": "fails: TypeError: cannot unpack",
    "'a', 'b'": "fails: ValueError: could not convert string",
    "np.ones((1, 5, 3)), np.ones((1, 5))": r"gives vectors \(1, 5, 3\) at times \(1, 5\) .*; expected \(1, n, 2\) and",
    "np.ones((1, 5, 2)), np.ones((1, 4))": r"gives vectors \(1, 5, 2\) at times \(1, 4\)",
    "np.ones((5, 2)), np.ones(5)": r"fails: |gives vectors \(1, 2\) at times",
    "np.ones((1, 0, 2)), np.ones((1, 0))": "gives no vector for this sound; is it too short",
    "np.ones((1, 2, 2)), np.full((1, 2), np.nan)": "gives times that are not finite or do not ascend",
    "np.ones((1, 2, 2)), np.array([[2.0, 1.0]])": "gives times that are not finite or do not ascend",
    "1 / 0": "fails: ZeroDivisionError: division by zero",
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_is_none_ends_its_sound_with_one_line(write, answer: str) -> None:
    name = write(f"{NUMPY}\n\ndef get_timestamp_embeddings(audio, model):\n    return {answer}\n")
    *_, last = load_hear_module([], module=name).embed([("a.wav", [np.zeros(1000, np.float32)])])
    assert re.search(f"^a\\.wav: module {name} ({ANSWERS[answer]})", str(last.error))
    assert isinstance(last.error, ClipError | WeightsError)


def test_scene_vectors(write) -> None:
    audio = np.random.default_rng(0).normal(0, 0.1, 5000).astype(np.float32)
    embedding = load_hear_module([], module=write(NUMPY), vectors="scene")
    vectors, times = joined(embedding, audio)
    np.testing.assert_allclose(vectors, [[audio.mean(), audio.min(), audio.max()]], rtol=1e-5)
    assert (times.tolist(), embedding.dimension) == ([0.0], 3)


def test_a_pytorch_module(write) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    audio = np.random.default_rng(0).normal(0, 0.1, 5000).astype(np.float32)
    vectors, times = joined(load_hear_module([], module=write(TORCH)), audio)
    np.testing.assert_allclose(vectors[:, 0], 2 * audio[::100], rtol=1e-6)
    np.testing.assert_allclose(times, 0.1 * np.arange(50))


def test_modules_that_are_not_as_the_api_says(write) -> None:
    with pytest.raises(ConfigError, match="has no timestamp_embedding_size, which the HEAR API asks for"):
        load_hear_module([], module=write(NUMPY.replace("timestamp_embedding_size = 2", "")))
    with pytest.raises(WeightsError, match=r"load_model fails: RuntimeError: no such weights"):
        load_hear_module([Path("a.broken")], module=write(NUMPY))
    with pytest.raises(ConfigError, match="has no get_scene_embeddings; it is no HEAR 2021 module"):
        load_hear_module([], module=write(NUMPY.replace("get_scene_embeddings", "other")))
    for broken in ("raise RuntimeError('no GPU')", "def f(:"):
        with pytest.raises(ConfigError, match=r"cannot be imported \((RuntimeError: no GPU|SyntaxError: )"):
            load_hear_module([], module=write(broken))
    for value in ("'x'", "0", "-1", "2.5", "None", "float('inf')"):
        with pytest.raises(ConfigError, match=r"has timestamp_embedding_size .*; expected a whole number above zero"):
            load_hear_module([], module=write(NUMPY.replace("size = 2", f"size = {value}")))
    with pytest.raises(ConfigError, match="vectors is 'scenes'; expected one of timestamps, scene"):
        load_hear_module([], module=write(NUMPY), vectors="scenes")


def test_the_example_of_the_documents() -> None:
    """A tone has its most energy in the same band all the time."""
    pytest.importorskip("librosa", reason="librosa is not installed")
    tone = np.sin(2 * np.pi * 2000 * np.arange(22050) / 22050).astype(np.float32)
    embedding = load_hear_module([], module="docs.examples.log_mel_statistics", vectors="scene")
    vectors, _ = joined(embedding, tone)
    assert vectors.shape == (1, embedding.dimension)
    mean, deviation = vectors[0, :64], vectors[0, 64:128]
    assert abs(deviation[mean.argmax()]) < 1.0
    over_time, times = joined(load_hear_module([], module="docs.examples.log_mel_statistics"), tone)
    assert set(over_time.argmax(axis=1)) == {mean.argmax()}
    np.testing.assert_allclose(times, np.arange(len(times)) * 512 / 22050, rtol=1e-6)
