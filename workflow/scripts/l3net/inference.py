"""A trained network made ready for use: batch norms inside the convolutions before them, weights as constants.

Convolution, bias and ReLU are then one operation, without passes over the maps between them, and on CPUs the kernels
are laid out once for all calls.
"""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from l3net.errors import ConfigError

PRECISIONS = ("float32", "bfloat16")
Step = Callable[[tf.Tensor], tf.Tensor]


def prepare(model: keras.Model, precision: str = "float32") -> Step:
    """Return what computes `model`, a chain of layers, in evaluation; to be called inside a tf.function.

    Parameters
    ----------
    precision : of the convolutions and of what lies between them. ``bfloat16`` is about twice as fast on CPUs that have
        instructions for it (AVX512_BF16, AMX), with sums in float32 and results of 8 significant bits.

    Raises
    ------
    ConfigError
        Another precision.
    """
    if precision not in PRECISIONS:
        raise ConfigError(f"precision is {precision!r}; expected one of {', '.join(PRECISIONS)}")
    steps = _steps(model, tf.as_dtype(precision))

    def run(values: tf.Tensor) -> tf.Tensor:
        for step in steps:
            values = step(values)
        return values

    return run


def _steps(model: keras.Model, dtype: tf.DType) -> list[Step]:
    """Return the operations of `model`, one after the other; a batch norm behind a convolution is part of it."""
    chain = [layer for layer in model.layers if not isinstance(layer, layers.InputLayer)]
    steps, n = [], 0
    while n < len(chain):
        layer, following = chain[n], chain[n + 1] if n + 1 < len(chain) else None
        n += 1
        if isinstance(layer, layers.Conv2D):
            has_norm = isinstance(following, layers.BatchNormalization)
            steps.append(_convolution(layer, following if has_norm else None, dtype))
            n += has_norm
        elif isinstance(layer, layers.BatchNormalization):
            steps.append(_scaling(layer))
        elif isinstance(layer, layers.ReLU):
            steps.append(tf.nn.relu)
        elif isinstance(layer, layers.MaxPooling2D):
            steps.append(_max_pool(layer))
        else:
            steps.append(_as_it_is(layer))
    return steps


def _affine(norm: layers.BatchNormalization) -> tuple[np.ndarray, np.ndarray]:
    """Return factor and summand of each channel, float64."""
    gamma, beta, mean, variance = (np.asarray(weight, np.float64) for weight in norm.get_weights())
    factor = gamma / np.sqrt(variance + norm.epsilon)
    return factor, beta - mean * factor


def _convolution(layer: layers.Conv2D, norm: layers.BatchNormalization | None, dtype: tf.DType) -> Step:
    kernel, bias = (np.asarray(weight, np.float64) for weight in layer.get_weights())
    if norm is not None:
        factor, summand = _affine(norm)
        kernel, bias = kernel * factor, bias * factor + summand
    kernel, bias = (array.astype(dtype.as_numpy_dtype) for array in (kernel, bias))
    padding, strides = layer.padding.upper(), layer.strides

    def run(values: tf.Tensor) -> tf.Tensor:
        # constants of the graph that is being made; tensors from outside would be arguments, laid out in every call
        sums = tf.nn.conv2d(tf.cast(values, dtype), tf.constant(kernel), strides, padding)
        return tf.nn.bias_add(sums, tf.constant(bias))

    return run


def _scaling(norm: layers.BatchNormalization) -> Step:
    factor, summand = _affine(norm)

    def run(values: tf.Tensor) -> tf.Tensor:
        return values * tf.constant(factor, values.dtype) + tf.constant(summand, values.dtype)

    return run


def _max_pool(layer: layers.MaxPooling2D) -> Step:
    return lambda values: tf.nn.max_pool2d(values, layer.pool_size, layer.strides, layer.padding.upper())


def _as_it_is(layer: layers.Layer) -> Step:
    return lambda values: tf.cast(layer(tf.cast(values, tf.float32), training=False), tf.float32)
