"""VGGish: its log-mel input, its network, its TensorFlow 1 checkpoint, and the post-processing that goes with it.

Source: Hershey et al., "CNN Architectures for Large-Scale Audio Classification", ICASSP 2017, and the released model
(storage.googleapis.com/audioset: vggish_model.ckpt, vggish_pca_params.npz).

Conventions: sound at 16 kHz, mono, in [-1, 1]; a window of 15,600 samples (0.975 s) gives 96 frames of 25 ms every
10 ms of 64 mel bands from 125 to 7500 Hz, log(magnitude + 0.01), and 128 values. Post-processing: PCA with whitening,
clipping to +-2, and quantisation to 0 ... 255.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from l3net.embeddings.interface import WindowEmbedding
from l3net.errors import WeightsError
from l3net.files import foreign, read_npz
from l3net.models import check_finite_weights

SAMPLE_RATE = 16000
WINDOW = 15600
DIMENSION = 128
_FRAME, _HOP, _FFT = 400, 160, 512  # samples
_BANDS, _LOWEST, _HIGHEST = 64, 125.0, 7500.0  # mel bands, Hz
_OFFSET = 0.01  # added to magnitudes before the logarithm
_CLIP = 2.0
_PCA_BYTES = 1 << 20  # the released file has 73 kB

# Names in the checkpoint and shapes of the weights. A max-pooling of 2x2 follows the layers in _POOLED.
LAYERS = {
    "conv1": (3, 3, 1, 64),
    "conv2": (3, 3, 64, 128),
    "conv3/conv3_1": (3, 3, 128, 256),
    "conv3/conv3_2": (3, 3, 256, 256),
    "conv4/conv4_1": (3, 3, 256, 512),
    "conv4/conv4_2": (3, 3, 512, 512),
    "fc1/fc1_1": (12288, 4096),
    "fc1/fc1_2": (4096, 4096),
    "fc2": (4096, DIMENSION),
}
_POOLED = {"conv1", "conv2", "conv3/conv3_2", "conv4/conv4_2"}
Weights = dict[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Whitening:
    """Hold the PCA that was fitted to VGGish's outputs: matrix [128, 128] and means [128]."""

    matrix: np.ndarray
    means: np.ndarray

    def apply(self, vectors: np.ndarray, quantize: bool) -> np.ndarray:
        """Whiten `vectors` [n, 128] and clip them to +-2; with `quantize` they become whole numbers from 0 to 255."""
        whitened = np.clip((vectors - self.means) @ self.matrix.T, -_CLIP, _CLIP)
        if quantize:
            whitened = np.floor((whitened + _CLIP) * (255.0 / (2 * _CLIP)))
        return whitened.astype(np.float32)


def read_vggish(path: Path) -> Weights:
    """Read {layer: (weights, biases)} from a TensorFlow 1 checkpoint (one file, or index and data files).

    Raises
    ------
    WeightsError
        A file that cannot be read or holds another network; the message names the first layer that differs.
    """
    with foreign(path, WeightsError, "a TensorFlow checkpoint"):
        reader = tf.train.load_checkpoint(str(path))
        return _checked(reader, path)


def _checked(reader: Any, path: Path) -> Weights:
    """Return VGGish's weights; nothing is read whose shape and type are not those of the network."""
    shapes, types, weights = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map(), {}
    for layer, expected in LAYERS.items():
        pair = []
        for key, shape in (("weights", expected), ("biases", expected[-1:])):
            name = f"vggish/{layer}/{key}"
            if tuple(shapes.get(name, ())) != shape:
                found = f"has shape {tuple(shapes[name])}" if name in shapes else "is not there"
                raise WeightsError(f"{path}: layer {layer}: {name} {found}; expected {shape}")
            if not types[name].is_floating:
                raise WeightsError(f"{path}: layer {layer}: {name} is of {types[name].name}; expected numbers")
            pair.append(reader.get_tensor(name))
            check_finite_weights(path, name, pair[-1])
        weights[layer] = tuple(pair)
    return weights


def read_whitening(path: Path) -> Whitening:
    """Read the PCA in a vggish_pca_params.npz.

    Raises
    ------
    WeightsError
        A file that cannot be read, or whose arrays are missing or of other shapes.
    """
    what = "VGGish's PCA parameters"
    arrays = read_npz(path, WeightsError, what, ("pca_eigen_vectors", "pca_means"), most=_PCA_BYTES)
    matrix, means = arrays["pca_eigen_vectors"], arrays["pca_means"].reshape(-1)
    if matrix.dtype.kind != "f" or means.dtype.kind != "f":
        raise WeightsError(f"{path}: PCA parameters of {matrix.dtype} and {means.dtype}; expected floating point")
    if matrix.shape != (DIMENSION, DIMENSION) or means.shape != (DIMENSION,):
        raise WeightsError(f"{path}: PCA parameters of shape {matrix.shape}, {means.shape}; expected 128x128, 128")
    check_finite_weights(path, "pca_eigen_vectors", matrix)
    check_finite_weights(path, "pca_means", means)
    return Whitening(matrix, means)


def log_mel(sound: tf.Tensor) -> tf.Tensor:
    """Compute the input of the network [batch, 96, 64] from windows [batch, 15600]."""
    spectrum = tf.signal.stft(sound, _FRAME, _HOP, _FFT, window_fn=tf.signal.hann_window)  # hann_window is periodic
    filters = tf.signal.linear_to_mel_weight_matrix(_BANDS, _FFT // 2 + 1, SAMPLE_RATE, _LOWEST, _HIGHEST)
    return tf.math.log(tf.abs(spectrum) @ filters + _OFFSET)


def vggish_network(weights: Weights, relu: bool = False) -> tf.types.experimental.PolymorphicFunction:
    """Return the function sound [batch, 15600] -> [batch, 128].

    Parameters
    ----------
    relu : whether a ReLU is put on the output, as the released code did until 2020.
    """
    constants = {layer: tuple(map(tf.constant, pair)) for layer, pair in weights.items()}

    def run(sound: tf.Tensor) -> tf.Tensor:
        x = log_mel(sound)[..., None]
        for layer, (kernel, bias) in constants.items():
            if layer.startswith("conv"):
                x = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME") + bias)
            else:
                x = tf.reshape(x, [-1, kernel.shape[0]]) @ kernel + bias
                x = tf.nn.relu(x) if relu or layer != "fc2" else x
            if layer in _POOLED:
                x = tf.nn.max_pool2d(x, 2, 2, "SAME")
        return x

    return tf.function(run, input_signature=[tf.TensorSpec([None, WINDOW], tf.float32)], autograph=False)


def load_vggish(files: list[Path], *, quantize: bool = True, relu: bool = False) -> WindowEmbedding:
    """Load VGGish as an embedding (kind ``vggish``).

    Parameters
    ----------
    files : vggish_model.ckpt and, for whitened values, vggish_pca_params.npz.
    quantize : whether whitened values are quantised to whole numbers from 0 to 255.
    relu : whether a ReLU is put on the network's output, before the PCA.
    """
    whitening = read_whitening(files[1]) if len(files) == 2 else None
    return vggish_embedding(read_vggish(files[0]), whitening, quantize=quantize, relu=relu)


def vggish_embedding(
    weights: Weights, whitening: Whitening | None, *, quantize: bool = True, relu: bool = False
) -> WindowEmbedding:
    """Make an embedding of VGGish: its network's output as it is, or whitened, or whitened and quantised."""
    run = vggish_network(weights, relu)

    def vectors(windows: np.ndarray) -> np.ndarray:
        values = run(tf.convert_to_tensor(windows)).numpy()
        return values if whitening is None else whitening.apply(values, quantize)

    return WindowEmbedding(vectors, DIMENSION, SAMPLE_RATE, WINDOW)
