"""An embedding for other programs: openl3's weights file, a SavedModel, ONNX; chosen by the target's suffix.

.h5          the weights file that openl3 0.4's load_audio_embedding_model_from_path (or, of a vision embedding,
             load_image_embedding_model_from_path) reads; width 1 and hop 242 only
.onnx        sound in, vectors out, front end inside; needs the extra: pip install "l3net[onnx]"
no suffix    a folder, TensorFlow's SavedModel with the endpoint "serve"
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from l3net.errors import ConfigError, WeightsError
from l3net.models.openl3_weights import write_openl3_weights
from l3net.models.spectrogram import Spectrogram
from l3net.runtime import atomic

SUFFIXES = (".h5", ".onnx", "")
_OPENL3 = {  # parameters of openl3's networks to the embedding, and the name of their last layer
    "audio": (4_689_860, "audio_embedding_layer"),
    "image": (4_691_020, "vision_embedding_layer"),
}
_OPENL3_HOP = 242
_OPSET = 18


def export_embedding(network: keras.Model, about: dict[str, Any], target: Path) -> None:
    """Write `network` (audio or vision embedding) in the format that the suffix of `target` names.

    Parameters
    ----------
    about : its metadata; of these ``hop_length`` is used.

    Raises
    ------
    ConfigError
        An unknown suffix, or ONNX without the packages it needs.
    WeightsError
        A network that openl3 cannot hold.
    """
    writers = {".h5": _openl3, ".onnx": _onnx, "": _saved_model}
    if target.suffix not in writers:
        raise ConfigError(f"{target}: unknown format; expected .h5 (openl3), .onnx, or no suffix (SavedModel)")
    writers[target.suffix](network, about, target)


def _openl3(network: keras.Model, about: dict[str, Any], target: Path) -> None:
    (given,) = network.inputs
    n_parameters, last_name = _OPENL3["audio" if len(given.shape) == 2 else "image"]
    hop = about.get("hop_length", _OPENL3_HOP)
    if network.count_params() != n_parameters or hop != _OPENL3_HOP:
        raise WeightsError(
            f"{target}: openl3's network has {n_parameters} parameters and hop_length {_OPENL3_HOP}, this one "
            f"{network.count_params()} and {hop}; only models of network.width 1 can be exported to openl3"
        )
    write_openl3_weights(network, target, last_name)


def _saved_model(network: keras.Model, about: dict[str, Any], target: Path) -> None:
    with atomic.replacing_folder(target) as folder:
        network.export(str(folder), format="tf_saved_model", verbose=False)


def _onnx(network: keras.Model, about: dict[str, Any], target: Path) -> None:
    try:
        import tf2onnx
    except ImportError:
        raise ConfigError(f'{target}: ONNX needs packages that are not here: pip install "l3net[onnx]"') from None
    (given,) = network.inputs
    signature = [tf.TensorSpec(given.shape, tf.float32, name=given.name)]
    function = tf.function(without_fft(network), input_signature=signature, autograph=False)
    with atomic.replacing(target) as temporary:
        tf2onnx.convert.from_function(function, signature, opset=_OPSET, output_path=str(temporary))


def without_fft(network: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return `network` with its Fourier transform as a convolution; ONNX has none that its runtimes agree on."""
    spectrograms = [layer for layer in network.layers if isinstance(layer, Spectrogram)]
    if not spectrograms:
        return lambda images: network(images, training=False)
    front_end = _ConvolutionSpectrogram(**spectrograms[0].get_config())
    rest = keras.Model(spectrograms[0].output, network.output)
    return lambda sound: rest(front_end(sound), training=False)


class _ConvolutionSpectrogram(Spectrogram):
    """The same front end, its frames transformed by a convolution with windowed cosines and sines."""

    def transform(self, sound: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return what `Spectrogram.transform` returns."""
        n_fft = self._spec.n_fft
        n = np.arange(n_fft)
        turns = (
            n[:, None] * np.arange(n_fft // 2 + 1) % n_fft / n_fft
        )  # whole turns left out before they cost precision
        window = 0.5 - 0.5 * np.cos(2 * np.pi * n / n_fft)
        kernel = np.concatenate([np.cos(2 * np.pi * turns), -np.sin(2 * np.pi * turns)], axis=1) * window[:, None]
        both = tf.nn.conv1d(sound[..., None], kernel[:, None].astype(np.float32), self.hop_length, "VALID")
        return tf.split(both, 2, axis=-1)
