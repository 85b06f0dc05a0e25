"""The fused batch norm is Keras' own: values, gradients, running statistics, under each precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from l3net.training.batch_norm import FusedBatchNormalization

KERAS = keras.layers.BatchNormalization


def made(kind: type, channels: int, dtype: str = "float32", **options) -> keras.layers.Layer:
    rng = np.random.default_rng(5)
    layer = kind(momentum=0.75, dtype=dtype, **options)
    layer.build((None, None, None, channels))
    values = (rng.uniform(0.5, 2, channels), rng.normal(size=channels), rng.normal(size=channels), np.full(channels, 3))
    layer.set_weights([one.astype("f4") for one in values])
    return layer


def trained(layer: keras.layers.Layer, x: np.ndarray, weight: np.ndarray) -> list[np.ndarray]:
    """Return output, gradients of x, gamma and beta, running mean and variance after one step in a graph."""
    x = tf.constant(x)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = tf.reduce_sum(tf.cast(y, tf.float32) * weight)
        return [y, *tape.gradient(loss, [x, layer.gamma.value, layer.beta.value])]

    found = step()
    return [np.asarray(tf.cast(one, tf.float32)) for one in (*found, layer.moving_mean, layer.moving_variance)]


# Two values a channel: the unbiased variance would be twice the batch's.
@pytest.mark.parametrize("shape", [(4, 6, 5, 3), (2, 1, 1, 8), (3, 16, 20, 1)])
def test_a_step_is_that_of_keras(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    x, weight = rng.normal(-40, 13, shape).astype("f4"), rng.normal(size=shape).astype("f4")
    ours, theirs = (trained(made(kind, shape[-1]), x, weight) for kind in (FusedBatchNormalization, KERAS))
    for name, a, b in zip(("y", "dx", "dgamma", "dbeta", "mean", "variance"), ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-4 * max(np.abs(b).max(), 0.1), err_msg=name)
    np.testing.assert_allclose(ours[5], 0.75 * 3 + 0.25 * x.astype("f8").var((0, 1, 2)), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_statistics_are_in_float32_under_mixed_precision(dtype: str) -> None:
    # 4,096 values near 10: a sum in bfloat16 would stop growing at 256 times a value.
    x = np.random.default_rng(2).normal(10, 1, (4, 32, 32, 4)).astype("f4")
    weight = np.random.default_rng(3).normal(size=x.shape).astype("f4")
    layer = made(FusedBatchNormalization, 4, dtype)
    seen = np.asarray(tf.cast(tf.cast(x, layer.compute_dtype), tf.float32), "f8")
    y, dx, _, _, mean, variance = trained(layer, x, weight)
    gamma, beta = np.asarray(layer.gamma, "f8"), np.asarray(layer.beta, "f8")
    before = made(FusedBatchNormalization, 4)
    np.testing.assert_allclose(mean, 0.75 * np.asarray(before.moving_mean) + 0.25 * seen.mean((0, 1, 2)), rtol=1e-4)
    np.testing.assert_allclose(variance, 0.75 * 3 + 0.25 * seen.var((0, 1, 2)), rtol=1e-4)
    expected = (seen - seen.mean((0, 1, 2))) / np.sqrt(seen.var((0, 1, 2)) + 1e-3) * gamma + beta
    np.testing.assert_allclose(y, expected, atol=0.05)
    assert np.isfinite(dx).all() and dx.std() > 0.1


def test_float64_is_not_narrowed() -> None:
    x = np.random.default_rng(6).normal(1e4, 1e-3, (4, 6, 5, 3))
    layer = made(FusedBatchNormalization, 3, "float64")
    np.testing.assert_allclose(trained(layer, x, np.ones(x.shape, "f4"))[5], 0.75 * 3 + 0.25 * 1e-6, rtol=1e-3)


@pytest.mark.parametrize("change", ["out of training", "frozen"])
def test_elsewhere_it_is_keras_to_the_bit(change: str) -> None:
    x = np.random.default_rng(4).normal(3, 2, (4, 6, 5, 3)).astype("f4")
    outputs = []
    for kind in (FusedBatchNormalization, KERAS):
        layer = made(kind, 3)
        layer.trainable = change != "frozen"
        outputs.append(np.asarray(layer(x, training=change == "frozen")))
        np.testing.assert_array_equal(np.asarray(layer.moving_variance), 3.0)
    np.testing.assert_array_equal(*outputs)
