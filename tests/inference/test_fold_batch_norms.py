"""The network made ready for use gives what the plain one gives."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from l3net.embeddings.embedding_keras import embedding_of_model
from l3net.errors import ConfigError
from l3net.inference import fold_batch_norms
from l3net.inference.fold_batch_norms import prepare_for_inference
from l3net.models.l3 import embedding_network, vision_embedding_network
from tests import tiny_embedding


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def sounds(n: int) -> np.ndarray:
    """Return windows of sound: noise, noise with a tone, and silence, which the floor of the spectrogram flattens."""
    rng = np.random.default_rng(0)
    found = rng.normal(0, 0.1, (n, 48000)).astype(np.float32)
    found[1::3] += 0.5 * np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)
    found[2::3] = 0.0
    return found


def embedding(pooling: int = 6144, **settings: object) -> keras.Model:
    return embedding_network(tiny_embedding.network(**settings), pooling=pooling)


@pytest.mark.parametrize("pooling", [6144, 512])
@pytest.mark.parametrize("front_end", ["linear", "mel128", "mel256"])
def test_it_equals_the_plain_network(front_end: str, pooling: int) -> None:
    model = embedding(pooling, front_end=front_end, hop_length=242)
    ready = embedding_of_model(model, {})
    assert difference(ready.network(sounds(3)), np.array(model(sounds(3), training=False))) < 1e-5
    assert ready.dimension == model.output_shape[-1]


@pytest.mark.parametrize("width", [0.25, 1.0])
def test_it_equals_the_plain_network_at_every_width(width: float) -> None:
    model = embedding(front_end="mel128", width=width, version="openl3")
    found = embedding_of_model(model, {}).network(sounds(2))
    assert difference(found, np.array(model(sounds(2), training=False))) < 1e-5


def test_any_batch_size_gives_the_same_vectors() -> None:
    ready = embedding_of_model(embedding(), {})
    expected = np.concatenate([ready.network(window[None]) for window in sounds(9)])
    for n in (2, 4, 5, 9):
        assert difference(ready.network(sounds(n)), expected[:n]) < 1e-5


def test_a_batch_norm_behind_a_relu_stays_where_it_is() -> None:
    """The vision subnetwork's second convolution has that order, and its pooling pads."""
    model = vision_embedding_network(tiny_embedding.network())
    images = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    found = prepare_for_inference(model)(images)
    assert difference(found, np.array(model(images, training=False))) < 1e-5


def test_batch_norms_are_gone_from_the_graph() -> None:
    signature = [tf.TensorSpec([None, 48000], tf.float32)]
    step = fold_batch_norms._chained(fold_batch_norms._fold(embedding()), tf.float32)
    graph = tf.function(step, input_signature=signature, autograph=False)
    operations = [node.op for node in graph.get_concrete_function().graph.as_graph_def().node]
    assert operations.count("Conv2D") == operations.count("BiasAdd") == 8
    assert not [name for name in operations if "BatchNorm" in name or name == "ReadVariableOp"]


def test_bfloat16_is_near_and_is_not_float32() -> None:
    model = embedding(front_end="mel256", hop_length=242)
    ready = embedding_of_model(model, {"kind": "l3"}, "bfloat16")
    found = ready.network(sounds(2))
    assert found.dtype == np.float32
    assert 1e-4 < difference(found, np.array(model(sounds(2), training=False))) < 2e-2
    assert ready.about == {"kind": "l3", "precision": "bfloat16"}
    with pytest.raises(ConfigError, match="precision is 'float16'; expected one of float32, bfloat16"):
        embedding_of_model(model, {}, "float16")
