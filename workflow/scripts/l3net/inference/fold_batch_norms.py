"""A trained network made ready for use: batch norms inside the convolutions before them, weights as constants.

Convolution, bias and ReLU are then one operation, without passes over the maps between them, and on CPUs the kernels
are laid out once for all calls. On a CPU in float32, 3x3 convolutions of many channels are `winograd`'s, where it runs.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from l3net.errors import ConfigError
from l3net.inference import winograd

PRECISIONS = ("float32", "bfloat16")
Step = Callable[[tf.Tensor], tf.Tensor]
Function = Callable[[np.ndarray], np.ndarray]
_AT_ONCE_ON_CPU = 4  # more are no faster for TensorFlow, and each takes 26 MB at width 1


@dataclass(frozen=True)
class _Convolution:
    """A convolution that holds the batch norm behind it; kernel and bias float64."""

    kernel: np.ndarray
    bias: np.ndarray
    strides: tuple[int, int]
    padding: str


_Link = _Convolution | layers.Layer


def prepare_for_inference(model: keras.Model, precision: str = "float32") -> Function:
    """Return what computes `model`, a chain of layers, in evaluation: float32 [n, ...] -> float32 [n, ...], any n.

    Parameters
    ----------
    precision : of the convolutions and of what lies between them. ``bfloat16``, with sums in float32 and results of 8
        significant bits, makes TensorFlow about twice as fast on CPUs with AVX512_BF16; `winograd` is float32 only, and
        faster still there.

    Raises
    ------
    ConfigError
        Another precision.
    """
    if precision not in PRECISIONS:
        raise ConfigError(f"precision is {precision!r}; expected one of {', '.join(PRECISIONS)}")
    on_gpu = bool(tf.config.list_physical_devices("GPU"))
    chain = _fold(model)
    before, convolutions, after = _split(chain)
    if on_gpu or precision != "float32" or not convolutions or not winograd.available_lanes():
        whole = _compiled(_chained(chain, tf.as_dtype(precision)), model.input_shape)
        return whole if on_gpu else _in_parts(whole, _AT_ONCE_ON_CPU)
    first = _compiled(_chained(before, tf.float32), model.input_shape)
    middle = winograd.Chain(convolutions)
    last = _compiled(_chained(after, tf.float32), (None, None, None, convolutions[-1].kernel.shape[3]))
    rounds = -(-_AT_ONCE_ON_CPU // middle.threads)
    return _in_parts(lambda values: last(middle(first(values))), rounds * middle.threads)


def _compiled(step: Step, shape: tuple[int | None, ...]) -> Function:
    """Return `step`, traced once for all inputs of `shape`, in which None stands for any size."""
    function = tf.function(step, input_signature=[tf.TensorSpec(shape, tf.float32)], autograph=False)

    def run(values: np.ndarray) -> np.ndarray:
        # Its one trace; calls of `function` itself, for several models, look to TensorFlow like one traced ever anew.
        return function.get_concrete_function()(tf.convert_to_tensor(values, tf.float32)).numpy()

    return run


def _in_parts(function: Function, size: int) -> Function:
    """Return `function`, called with up to `size` at a time."""

    def run(values: np.ndarray) -> np.ndarray:
        parts = [function(values[first : first + size]) for first in range(0, max(len(values), 1), size)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    return run


def _fold(model: keras.Model) -> list[_Link]:
    """Return the layers of `model`; convolutions hold the batch norms behind them."""
    chain: list[_Link] = []
    for layer in model.layers:
        held = chain[-1] if chain else None
        if isinstance(layer, layers.BatchNormalization) and isinstance(held, _Convolution):
            factor, summand = _affine(layer)
            chain[-1] = replace(held, kernel=held.kernel * factor, bias=held.bias * factor + summand)
        elif isinstance(layer, layers.Conv2D):
            kernel, bias = (np.asarray(weight, np.float64) for weight in layer.get_weights())
            chain.append(_Convolution(kernel, bias, layer.strides, layer.padding.upper()))
        elif not isinstance(layer, layers.InputLayer):
            chain.append(layer)
    return chain


def _affine(norm: layers.BatchNormalization) -> tuple[np.ndarray, np.ndarray]:
    """Return factor and summand of each channel, float64."""
    gamma, beta, mean, variance = (np.asarray(weight, np.float64) for weight in norm.get_weights())
    factor = gamma / np.sqrt(variance + norm.epsilon)
    return factor, beta - mean * factor


def _split(chain: list[_Link]) -> tuple[list[_Link], list[winograd.Convolution], list[_Link]]:
    """Return what stands before the first convolution for `winograd`, those in a row from there, and the rest."""
    begin = next((n for n, link in enumerate(chain) if _is_for_winograd(link)), len(chain))
    found: list[winograd.Convolution] = []
    for n, link in enumerate(chain[begin:], begin):
        if _is_for_winograd(link):
            found.append(winograd.Convolution(link.kernel, link.bias))
        elif isinstance(link, layers.ReLU):  # before or behind a maximum is the same
            found[-1] = replace(found[-1], relu=True)
        elif _halves(link) and not found[-1].pool:
            found[-1] = replace(found[-1], pool=True)
        else:
            return chain[:begin], found, chain[n:]
    return chain[:begin], found, []


def _is_for_winograd(link: _Link) -> bool:
    if not isinstance(link, _Convolution) or (link.strides, link.padding) != ((1, 1), "SAME"):
        return False
    return winograd.fits(link.kernel.shape)


def _halves(link: _Link) -> bool:
    if not isinstance(link, layers.MaxPooling2D):
        return False
    return (link.pool_size, link.strides, link.padding) == ((2, 2), (2, 2), "valid")


def _chained(chain: list[_Link], dtype: tf.DType) -> Step:
    """Return `chain` as operations of TensorFlow, for use inside a tf.function."""
    steps = [_step(link, dtype) for link in chain]

    def run(values: tf.Tensor) -> tf.Tensor:
        for step in steps:
            values = step(values)
        return values

    return run


def _step(link: _Link, dtype: tf.DType) -> Step:
    """Return `link` as operations of TensorFlow."""
    if isinstance(link, _Convolution):
        return _convolution(link, dtype)
    if isinstance(link, layers.BatchNormalization):
        return _scaling(link)
    if isinstance(link, layers.ReLU):
        return tf.nn.relu
    if isinstance(link, layers.MaxPooling2D):
        return lambda values: tf.nn.max_pool2d(values, link.pool_size, link.strides, link.padding.upper())
    return lambda values: tf.cast(link(tf.cast(values, tf.float32), training=False), tf.float32)


def _convolution(link: _Convolution, dtype: tf.DType) -> Step:
    kernel, bias = (array.astype(dtype.as_numpy_dtype) for array in (link.kernel, link.bias))

    def run(values: tf.Tensor) -> tf.Tensor:
        # constants of the graph that is being made; tensors from outside would be arguments, laid out in every call
        sums = tf.nn.conv2d(tf.cast(values, dtype), tf.constant(kernel), link.strides, link.padding)
        return tf.nn.bias_add(sums, tf.constant(bias))

    return run


def _scaling(norm: layers.BatchNormalization) -> Step:
    factor, summand = _affine(norm)

    def run(values: tf.Tensor) -> tf.Tensor:
        return values * tf.constant(factor, values.dtype) + tf.constant(summand, values.dtype)

    return run
