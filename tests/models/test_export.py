"""Embeddings for other programs give the vectors that ours gives; tests of openl3's file are in test_openl3_weights."""

from pathlib import Path

import numpy as np
import pytest

from l3net.errors import ConfigError, WeightsError
from l3net.models.export import export_embedding, without_fft
from l3net.models.l3 import embedding_network
from tests import tiny_embedding


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@pytest.fixture(scope="module")
def sounds() -> np.ndarray:
    rng = np.random.default_rng(0)
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)
    return np.stack([rng.normal(0, 0.1, 48000), tone + rng.normal(0, 0.01, 48000)]).astype(np.float32)


def test_onnx_gives_the_same_embedding(tmp_path: Path, sounds: np.ndarray) -> None:
    pytest.importorskip("tf2onnx", reason="the extra l3net[onnx] is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="the extra l3net[onnx] is not installed")
    ours = embedding_network(tiny_embedding.network())
    export_embedding(ours, {}, tmp_path / "ours.onnx")
    session = runtime.InferenceSession(str(tmp_path / "ours.onnx"), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {session.get_inputs()[0].name: sounds})
    assert difference(found, np.array(ours(sounds))) < 1e-4


def test_the_front_end_of_onnx_is_the_front_end(sounds: np.ndarray) -> None:
    ours = embedding_network(tiny_embedding.network())
    assert difference(np.array(without_fft(ours)(sounds)), np.array(ours(sounds))) < 1e-4


def test_a_saved_model_serves_without_this_library(tmp_path: Path, sounds: np.ndarray) -> None:
    import tensorflow as tf

    ours = embedding_network(tiny_embedding.network())
    export_embedding(ours, {}, tmp_path / "saved")
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    assert difference(np.array(loaded.serve(sounds)), np.array(ours(sounds))) < 1e-5


def test_what_openl3_cannot_hold_is_refused(tmp_path: Path) -> None:
    small = embedding_network(tiny_embedding.network())
    with pytest.raises(WeightsError, match=r"only models of network.width 1"):
        export_embedding(small, {"hop_length": 1936}, tmp_path / "small.h5")
    with pytest.raises(ConfigError, match="unknown format"):
        export_embedding(small, {}, tmp_path / "small.pb")
    assert not list(tmp_path.iterdir())
