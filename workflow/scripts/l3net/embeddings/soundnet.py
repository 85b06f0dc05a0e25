"""SoundNet (8 layers) and its weights in the .npy of the TensorFlow port.

Source: Aytar, Vondrick, Torralba, "SoundNet: Learning Sound Representations from Unlabeled Video", NIPS 2016. Every
layer is a convolution over time; conv1 to conv7 are followed by batch norm and ReLU, some by max-pooling.

Conventions: sound at 22,050 Hz, mono, scaled to +-256; a layer's output [shape=(n, channels)] is that after its ReLU
(conv1 to conv7), after its pooling (pool1, pool2, pool5), or as it is (conv8: 1000 objects, conv8_2: 401 scenes). The
time of an output is the centre of what it hears, without its zero padding.
"""

import io
import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from l3net.embeddings.interface import SoundEmbedding
from l3net.errors import ConfigError, WeightsError

SAMPLE_RATE = 22050
SCALE = 256.0
EPSILON = 1e-5
_STRETCH_SECONDS = 60.0
_NORM = ("mean", "var", "gamma", "beta")
_SAFE_GLOBALS = {(f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")}
_SAFE_GLOBALS |= {("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")}


@dataclass(frozen=True)
class SoundNetLayer:
    """One layer: kernel, stride and zero padding in samples of its input, channels, and the max-pooling behind it."""

    kernel: int
    stride: int
    padding: int
    channels: int
    pool: int = 1


LAYERS = {
    "conv1": SoundNetLayer(64, 2, 32, 16, pool=8),
    "conv2": SoundNetLayer(32, 2, 16, 32, pool=8),
    "conv3": SoundNetLayer(16, 2, 8, 64),
    "conv4": SoundNetLayer(8, 2, 4, 128),
    "conv5": SoundNetLayer(4, 2, 2, 256, pool=4),
    "conv6": SoundNetLayer(4, 2, 2, 512),
    "conv7": SoundNetLayer(4, 2, 2, 1024),
    "conv8": SoundNetLayer(8, 2, 0, 1000),
    "conv8_2": SoundNetLayer(8, 2, 0, 401),
}
TRUNK = tuple(LAYERS)[:7]
OUTPUTS = (*LAYERS, *(f"pool{name[4:]}" for name in TRUNK if LAYERS[name].pool > 1))
Weights = dict[str, dict[str, np.ndarray]]


class _SafeUnpickler(pickle.Unpickler):
    """Builds arrays and plain containers; whatever else a pickle asks for is refused before it is made."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _SAFE_GLOBALS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no array needs")
        return super().find_class(module, name)


def read_soundnet(path: Path) -> Weights:
    """Return the weights of a .npy of the TensorFlow port: {layer: {"weights", "biases", "mean", "var", ...}}.

    Convolution weights come out as [kernel, in, out], float32.

    Raises
    ------
    WeightsError
        A file that cannot be read, that carries anything but arrays, or of another network (the first layer that
        differs is named).
    """
    try:
        with open(path, "rb") as file:
            version = np.lib.format.read_magic(file)
            header = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}[version[0]]
            _, _, dtype = header(file)
            if not dtype.hasobject:
                raise WeightsError(f"{path}: holds an array of {dtype}; expected a dictionary of layers")
            given = _SafeUnpickler(io.BytesIO(file.read()), encoding="latin1").load()
        given = given.item() if isinstance(given, np.ndarray) else given
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, pickle.UnpicklingError, EOFError, AttributeError, TypeError) as error:
        raise WeightsError(f"{path}: refused as SoundNet's weights: {error}") from None
    return _checked(given, path)


def _checked(given: Any, path: Path) -> Weights:
    """Return the weights as float32 with plain kernels, or say which layer is not as it should be."""
    if not isinstance(given, dict):
        raise WeightsError(f"{path}: holds a {type(given).__name__}; expected a dictionary of layers")
    checked: Weights = {}
    channels_in = 1
    for name, layer in LAYERS.items():
        shapes = {"weights": (layer.kernel, channels_in, layer.channels), "biases": (layer.channels,)}
        if name in TRUNK:
            shapes |= dict.fromkeys(_NORM, (layer.channels,))
            channels_in = layer.channels
        checked[name] = {}
        for key, expected in shapes.items():
            values = given.get(name, {}).get(key) if isinstance(given.get(name, {}), dict) else None
            if not isinstance(values, np.ndarray) or values.dtype.kind != "f":
                raise WeightsError(f"{path}: layer {name} has no {key}; expected floating point of shape {expected}")
            shape = values.shape
            if key == "weights" and len(shape) == 4 and shape[1] == 1:  # stored as images one pixel wide
                values = values[:, 0]
            if values.shape != expected:
                raise WeightsError(f"{path}: layer {name}: {key} has shape {shape}; expected {expected}")
            checked[name][key] = values.astype(np.float32)
    return checked


def geometry(output: str) -> tuple[int, int, float]:
    """Return of an output its hop and the length that it hears, in samples, and the centre of the first."""
    hop, length, centre = 1, 1, 0.0
    for name, layer in _path_to(output):
        steps = [(layer.kernel, layer.stride, layer.padding)]
        if layer.pool > 1 and name != output:
            steps.append((layer.pool, layer.pool, 0))
        for kernel, stride, padding in steps:
            length += (kernel - 1) * hop
            centre += ((kernel - 1) / 2 - padding) * hop
            hop *= stride
    return hop, length, centre


def _path_to(output: str) -> list[tuple[str, SoundNetLayer]]:
    """Return the layers from the sound to `output`."""
    if output not in OUTPUTS:
        raise ConfigError(f"SoundNet has no layer {output!r}; expected one of {', '.join(OUTPUTS)}")
    last = output.replace("pool", "conv")
    return [(name, LAYERS[name]) for name in (*TRUNK, last)[: (*TRUNK, last).index(last) + 1]]


def soundnet_network(weights: Weights, output: str = "conv7") -> tf.types.experimental.PolymorphicFunction:
    """Return the function sound float32 [n] in [-1, 1] -> float32 [frames, channels] of a layer."""
    layers = _path_to(output)
    folded = {name: _folded(weights[name]) for name, _ in layers}

    def run(sound: tf.Tensor) -> tf.Tensor:
        x = sound[None, :, None] * SCALE
        for name, layer in layers:
            kernel, bias = folded[name]
            x = tf.pad(x, [[0, 0], [layer.padding, layer.padding], [0, 0]])
            x = tf.nn.conv1d(x, kernel, layer.stride, "VALID") + bias
            if name in TRUNK:
                x = tf.nn.relu(x)
            if layer.pool > 1 and name != output:
                x = tf.nn.max_pool1d(x, layer.pool, layer.pool, "VALID")
        return x[0]

    return tf.function(run, input_signature=[tf.TensorSpec([None], tf.float32)], autograph=False)


def _folded(layer: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return kernel and bias with the batch norm of inference in them."""
    if "gamma" not in layer:
        return layer["weights"], layer["biases"]
    scale = layer["gamma"].astype(np.float64) / np.sqrt(layer["var"].astype(np.float64) + EPSILON)
    bias = (layer["biases"] - layer["mean"]) * scale + layer["beta"]
    return (layer["weights"] * scale).astype(np.float32), bias.astype(np.float32)


def soundnet_embedding(weights: Weights, output: str = "conv7") -> SoundEmbedding:
    """Return a layer of SoundNet as an embedding; long sounds are heard in overlapping stretches, without seams."""
    run = soundnet_network(weights, output)
    hop, length, centre = geometry(output)
    shortest = max(SAMPLE_RATE, length)
    stretch = -(-int(_STRETCH_SECONDS * SAMPLE_RATE) // hop) * hop

    def stretches(blocks: Iterable[np.ndarray], hop_seconds: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        held, start, done, n_heard, before = np.zeros(0, np.float32), 0, 0, 0, 0

        def chosen(ready: int | None) -> tuple[np.ndarray, np.ndarray]:
            values = run(held).numpy()[done - start // hop : None if ready is None else ready - start // hop]
            times = (centre - before + (done + np.arange(len(values))) * hop) / SAMPLE_RATE
            return values, np.maximum(times, 0.0)

        for block in blocks:
            held, n_heard = np.concatenate([held, block]), n_heard + len(block)
            if len(held) >= stretch + 2 * length:
                ready = (start + len(held) - length) // hop
                yield chosen(ready)
                drop = max((ready * hop - length) // hop * hop, 0) - start
                held, start, done = held[drop:], start + drop, ready
        if n_heard and n_heard < shortest:
            before = (shortest - n_heard) // 2
            held = np.pad(held, (before, shortest - n_heard - before))
        if n_heard:
            yield chosen(None)

    return SoundEmbedding(stretches, LAYERS[output.replace("pool", "conv")].channels, SAMPLE_RATE, {"layer": output})
