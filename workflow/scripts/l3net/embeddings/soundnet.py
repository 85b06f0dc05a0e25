"""SoundNet (8 layers) and its weights in the .npy of the TensorFlow port.

Source: Aytar, Vondrick, Torralba, "SoundNet: Learning Sound Representations from Unlabeled Video", NIPS 2016. Every
layer is a convolution over time; conv1 to conv7 are followed by batch norm and ReLU, some by max-pooling.

Conventions: sound at 22,050 Hz, mono, scaled to +-256. A layer's output [shape=(n, channels)] is taken after its ReLU
(conv1 to conv7), after its pooling (pool1, pool2, pool5), or as it is (conv8: 1000 objects, conv8_2: 401 scenes). The
time of an output is the centre of what it hears, without the zero padding.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from l3net.embeddings.interface import SoundEmbedding
from l3net.errors import ConfigError, WeightsError
from l3net.models import check_finite_weights, read_pickled_arrays

if TYPE_CHECKING:
    import tensorflow as tf

SAMPLE_RATE = 22050
SCALE = 256.0
EPSILON = 1e-5
_STRETCH_SECONDS = 60.0
_NORM = ("mean", "var", "gamma", "beta")


@dataclass(frozen=True)
class SoundNetLayer:
    """A convolution over time and what follows it.

    Parameters
    ----------
    kernel, stride, padding : length, step and zeros on either side, in samples of the layer's input.
    channels : number of outputs.
    pool : length and step of the max-pooling behind it; 1 is none.
    """

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


def read_soundnet(path: Path) -> Weights:
    """Read the weights in a .npy of the TensorFlow port: {layer: {"weights", "biases", "mean", "var", ...}}.

    Convolution weights are returned as float32 [kernel, in, out].

    Raises
    ------
    WeightsError
        A file that cannot be read, that carries anything but arrays, or that holds another network; the message names
        the first layer that differs.
    """
    return _checked(read_pickled_arrays(path, "SoundNet's weights"), path)


def _checked(content: Any, path: Path) -> Weights:
    """Return the weights as float32, with kernels of three axes; an error names the layer that is wrong."""
    if not isinstance(content, dict):
        raise WeightsError(f"{path}: holds a {type(content).__name__}; expected a dictionary of layers")
    checked: Weights = {}
    channels_in = 1
    for name, layer in LAYERS.items():
        shapes = {"weights": (layer.kernel, channels_in, layer.channels), "biases": (layer.channels,)}
        if name in TRUNK:
            shapes |= dict.fromkeys(_NORM, (layer.channels,))
            channels_in = layer.channels
        arrays, where = content.get(name), f"{path}: layer {name}"
        arrays = arrays if isinstance(arrays, dict) else {}
        checked[name] = {key: _checked_array(arrays.get(key), key, shape, where) for key, shape in shapes.items()}
    return checked


def _checked_array(values: Any, key: str, expected: tuple[int, ...], where: str) -> np.ndarray:
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f":
        raise WeightsError(f"{where} has no {key}; expected floating point of shape {expected}")
    shape = values.shape
    if key == "weights" and len(shape) == 4 and shape[1] == 1:  # stored as images one pixel wide
        values = values[:, 0]
    if values.shape != expected:
        raise WeightsError(f"{where}: {key} has shape {shape}; expected {expected}")
    check_finite_weights(where, key, values)
    return values.astype(np.float32)


@dataclass(frozen=True)
class Geometry:
    """Which samples of the sound an output of a layer sees.

    Parameters
    ----------
    hop : samples from one output to the next.
    length : samples that one output sees.
    centre : where the centre of the first output lies, in samples.
    """

    hop: int
    length: int
    centre: float


def geometry(output: str) -> Geometry:
    """Compute which samples the outputs of a layer see."""
    hop, length, centre = 1, 1, 0.0
    for name, layer in _path_to(output):
        steps = [(layer.kernel, layer.stride, layer.padding)]
        if layer.pool > 1 and name != output:
            steps.append((layer.pool, layer.pool, 0))
        for kernel, stride, padding in steps:
            length += (kernel - 1) * hop
            centre += ((kernel - 1) / 2 - padding) * hop
            hop *= stride
    return Geometry(hop, length, centre)


def _path_to(output: str) -> list[tuple[str, SoundNetLayer]]:
    """Return the layers from the sound to `output`."""
    if output not in OUTPUTS:
        raise ConfigError(f"SoundNet has no layer {output!r}; expected one of {', '.join(OUTPUTS)}")
    last = output.replace("pool", "conv")
    return [(name, LAYERS[name]) for name in (*TRUNK, last)[: (*TRUNK, last).index(last) + 1]]


def soundnet_network(weights: Weights, output: str = "conv7") -> "tf.types.experimental.PolymorphicFunction":
    """Return the function sound float32 [n] in [-1, 1] -> float32 [frames, channels] of a layer."""
    import tensorflow as tf  # here, because the names of the layers are wanted without it

    layers = _path_to(output)
    folded = {name: _folded(weights[name]) for name, _ in layers}

    def run(sound: "tf.Tensor") -> "tf.Tensor":
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
    """Return kernel and bias with the batch norm folded in."""
    if "gamma" not in layer:
        return layer["weights"], layer["biases"]
    scale = layer["gamma"].astype(np.float64) / np.sqrt(layer["var"].astype(np.float64) + EPSILON)
    bias = (layer["biases"] - layer["mean"]) * scale + layer["beta"]
    return (layer["weights"] * scale).astype(np.float32), bias.astype(np.float32)


def load_soundnet(files: list[Path], *, layer: str = "conv7") -> SoundEmbedding:
    """Load a layer of SoundNet as an embedding (kind ``soundnet``); `files` is the .npy of the TensorFlow port."""
    return soundnet_embedding(read_soundnet(files[0]), layer)


def soundnet_embedding(weights: Weights, output: str = "conv7") -> SoundEmbedding:
    """Make an embedding of a layer of SoundNet.

    A long sound is heard in stretches of about a minute that overlap by as much as an output sees, so there are no
    seams. A short one is padded with silence on both sides until it gives an output.
    """
    run = soundnet_network(weights, output)
    seen = geometry(output)
    shortest = max(SAMPLE_RATE, seen.length)
    stretch = -(-int(_STRETCH_SECONDS * SAMPLE_RATE) // seen.hop) * seen.hop

    def outputs(
        held: np.ndarray, start: int, first: int, last: int | None = None, silence: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return outputs `first` to `last` - 1 and their times.

        `held` begins at sample `start` of the sound, after `silence` samples that are no part of it.
        """
        skipped = start // seen.hop
        vectors = run(held).numpy()[first - skipped : None if last is None else last - skipped]
        times = (seen.centre - silence + (first + np.arange(len(vectors))) * seen.hop) / SAMPLE_RATE
        return vectors, np.maximum(times, 0.0)

    def stretches(blocks: Iterable[np.ndarray], hop_seconds: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        held, start, done, n_samples = np.zeros(0, np.float32), 0, 0, 0
        for block in blocks:
            held, n_samples = np.concatenate([held, block]), n_samples + len(block)
            if len(held) >= stretch + 2 * seen.length:
                ready = (start + len(held) - seen.length) // seen.hop
                yield outputs(held, start, done, ready)
                drop = max((ready * seen.hop - seen.length) // seen.hop * seen.hop, 0) - start
                held, start, done = held[drop:], start + drop, ready
        silence = max(shortest - n_samples, 0)
        if n_samples:
            held = np.pad(held, (silence // 2, silence - silence // 2))
            yield outputs(held, start, done, silence=silence // 2)

    return SoundEmbedding(stretches, LAYERS[output.replace("pool", "conv")].channels, SAMPLE_RATE, {"layer": output})
