"""Make a trained network ready for use: fold its batch norms into the convolutions, and take its weights as constants.

Convolution, bias and ReLU then become one operation, and nothing passes over the maps between them. On CPUs the kernels
are laid out once for all calls. On a CPU, `winograd` computes the 3x3 convolutions of many channels where it runs;
TensorFlow computes all others.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from l3net.devices import one_line_out_of_memory
from l3net.inference import winograd
from l3net.inference.precisions import check_precision

Step = Callable[[tf.Tensor], tf.Tensor]
Function = Callable[[np.ndarray], np.ndarray]
_AT_ONCE_ON_CPU = 4  # windows; TensorFlow is no faster with more, and each takes 26 MB at width 1


@dataclass(frozen=True)
class _FoldedConvolution:
    """A convolution with the batch norm behind it folded in; kernel and bias are float64."""

    kernel: np.ndarray
    bias: np.ndarray
    strides: tuple[int, int]
    padding: str


_Link = _FoldedConvolution | layers.Layer


def prepare_for_inference(model: keras.Model, precision: str = "float32") -> Function:
    """Return a function that computes `model` in evaluation: float32 [n, ...] -> float32 [n, ...] for any n.

    Parameters
    ----------
    model : a chain of layers, each with one input and one output.
    precision : in which the convolutions are computed. ``bfloat16`` keeps 8 significant bits of what is multiplied and
        sums in float32; on CPUs with AVX512_BF16 it takes about half the time. Where `winograd` cannot compute it,
        TensorFlow does, which keeps 8 bits of each result too.

    Raises
    ------
    ConfigError
        Another precision.
    """
    check_precision(precision)
    on_gpu = bool(tf.config.list_physical_devices("GPU"))
    chain = _fold(model)
    before, convolutions, after = _split(chain)
    lanes = winograd.available_lanes(precision)
    if on_gpu or not convolutions or not lanes:
        whole = _compiled(_chained(chain, tf.as_dtype(precision)), model.input_shape)
        return whole if on_gpu else _in_parts(whole, _AT_ONCE_ON_CPU)
    first = _compiled(_chained(before, tf.float32), model.input_shape)
    middle = winograd.Chain(convolutions, lanes=lanes[0])
    last = _compiled(_chained(after, tf.float32), (None, None, None, convolutions[-1].kernel.shape[3]))
    rounds = -(-_AT_ONCE_ON_CPU // middle.threads)
    return _in_parts(lambda values: last(middle(first(values))), rounds * middle.threads)


def _compiled(step: Step, shape: tuple[int | None, ...]) -> Function:
    """Return `step`, traced once for all inputs of `shape`, in which None stands for any size."""
    function = tf.function(step, input_signature=[tf.TensorSpec(shape, tf.float32)], autograph=False)

    def run(values: np.ndarray) -> np.ndarray:
        # Calling the trace, not `function`, keeps TensorFlow from warning of retracing where several models are used.
        with one_line_out_of_memory("batch_size", len(values)):
            return function.get_concrete_function()(tf.convert_to_tensor(values, tf.float32)).numpy()

    return run


def _in_parts(function: Function, size: int) -> Function:
    """Return a function that calls `function` with at most `size` of its values at a time."""

    def run(values: np.ndarray) -> np.ndarray:
        parts = [function(values[first : first + size]) for first in range(0, max(len(values), 1), size)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    return run


def _fold(model: keras.Model) -> list[_Link]:
    """Return the layers of `model`, with batch norms folded into the convolutions before them."""
    chain: list[_Link] = []
    for layer in model.layers:
        last = chain[-1] if chain else None
        if isinstance(layer, layers.BatchNormalization) and isinstance(last, _FoldedConvolution):
            factor, summand = _affine(layer)
            chain[-1] = replace(last, kernel=last.kernel * factor, bias=last.bias * factor + summand)
        elif isinstance(layer, layers.Conv2D):
            kernel, bias = (np.asarray(weight, np.float64) for weight in layer.get_weights())
            chain.append(_FoldedConvolution(kernel, bias, layer.strides, layer.padding.upper()))
        elif not isinstance(layer, layers.InputLayer):
            chain.append(layer)
    return chain


def _affine(norm: layers.BatchNormalization) -> tuple[np.ndarray, np.ndarray]:
    """Return by what a batch norm multiplies each channel and what it adds, float64."""
    gamma, beta, mean, variance = (np.asarray(weight, np.float64) for weight in norm.get_weights())
    factor = gamma / np.sqrt(variance + norm.epsilon)
    return factor, beta - mean * factor


def _split(chain: list[_Link]) -> tuple[list[_Link], list[winograd.TileConvolution], list[_Link]]:
    """Return the links before the first convolution for `winograd`, the row of convolutions from it, and the rest."""
    begin = next((n for n, link in enumerate(chain) if _is_for_winograd(link)), len(chain))
    found: list[winograd.TileConvolution] = []
    for n, link in enumerate(chain[begin:], begin):
        if _is_for_winograd(link):
            found.append(winograd.TileConvolution(link.kernel, link.bias))
        elif isinstance(
            link, layers.ReLU
        ):  # the maximum of ReLUs is the ReLU of the maximum, so their order does not matter
            found[-1] = replace(found[-1], relu=True)
        elif _halves(link) and not found[-1].pool:
            found[-1] = replace(found[-1], pool=True)
        else:
            return chain[:begin], found, chain[n:]
    return chain[:begin], found, []


def _is_for_winograd(link: _Link) -> bool:
    if not isinstance(link, _FoldedConvolution) or (link.strides, link.padding) != ((1, 1), "SAME"):
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
    if isinstance(link, _FoldedConvolution):
        return _convolution(link, dtype)
    if isinstance(link, layers.BatchNormalization):
        return _scaling(link)
    if isinstance(link, layers.ReLU):
        return tf.nn.relu
    if isinstance(link, layers.MaxPooling2D):
        return lambda values: tf.nn.max_pool2d(values, link.pool_size, link.strides, link.padding.upper())
    return lambda values: tf.cast(link(tf.cast(values, tf.float32), training=False), tf.float32)


def _convolution(link: _FoldedConvolution, dtype: tf.DType) -> Step:
    kernel, bias = (array.astype(dtype.as_numpy_dtype) for array in (link.kernel, link.bias))

    def run(values: tf.Tensor) -> tf.Tensor:
        # Constants of this graph are laid out once; tensors from outside would be arguments, laid out in every call.
        sums = tf.nn.conv2d(tf.cast(values, dtype), tf.constant(kernel), link.strides, link.padding)
        return tf.nn.bias_add(sums, tf.constant(bias))

    return run


def _scaling(norm: layers.BatchNormalization) -> Step:
    factor, summand = _affine(norm)

    def run(values: tf.Tensor) -> tf.Tensor:
        return values * tf.constant(factor, values.dtype) + tf.constant(summand, values.dtype)

    return run
