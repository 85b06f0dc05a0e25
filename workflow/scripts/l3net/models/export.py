"""Write an embedding for other programs, in one of the formats of `export_formats`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from l3net.errors import ConfigError, WeightsError
from l3net.files import atomic
from l3net.models.export_formats import check_export_format
from l3net.models.front_ends import HOP_LENGTH
from l3net.models.openl3_weights import write_openl3_weights
from l3net.models.spectrogram import Spectrogram

_ONNX_OPSET = 18


@dataclass(frozen=True)
class _Openl3Network:
    """How many parameters openl3's network has up to the embedding, and how it names the last layer."""

    n_parameters: int
    last_layer: str


_OPENL3_AUDIO = _Openl3Network(4_689_860, "audio_embedding_layer")
_OPENL3_VISION = _Openl3Network(4_691_020, "vision_embedding_layer")


def export_embedding(network: keras.Model, about: dict[str, Any], target: Path) -> None:
    """Write `network`, an audio or a vision embedding, in the format that the suffix of `target` names.

    Parameters
    ----------
    about : the network's metadata, of which ``hop_length`` is used.

    Raises
    ------
    ConfigError
        An unknown suffix, or ONNX without the packages it needs.
    WeightsError
        A network that openl3 cannot hold.
    """
    check_export_format(target)
    if target.suffix == ".h5":
        _write_openl3(network, about.get("hop_length", HOP_LENGTH), target)
    elif target.suffix == ".onnx":
        _write_onnx(network, target)
    elif target.suffix == "":
        _write_saved_model(network, target)
    else:
        raise ConfigError(f"{target}: PyTorch's format is written by l3net.exchange.export_embedding")


def _write_openl3(network: keras.Model, hop_length: int, target: Path) -> None:
    takes_sound = len(network.inputs[0].shape) == 2
    theirs = _OPENL3_AUDIO if takes_sound else _OPENL3_VISION
    if network.count_params() != theirs.n_parameters or hop_length != HOP_LENGTH:
        raise WeightsError(
            f"{target}: openl3's network has {theirs.n_parameters} parameters and hop_length {HOP_LENGTH}, this one "
            f"{network.count_params()} and {hop_length}; only models of network.width 1 can be exported to openl3"
        )
    write_openl3_weights(network, target, theirs.last_layer)


def _write_saved_model(network: keras.Model, target: Path) -> None:
    with atomic.replacing_folder(target) as folder:
        network.export(str(folder), format="tf_saved_model", verbose=False)


def _write_onnx(network: keras.Model, target: Path) -> None:
    try:
        import tf2onnx
    except ImportError:
        raise ConfigError(f'{target}: ONNX needs packages that are not installed: pip install "l3net[onnx]"') from None
    (network_input,) = network.inputs
    signature = [tf.TensorSpec(network_input.shape, tf.float32, name=network_input.name)]
    function = tf.function(without_fft(network), input_signature=signature, autograph=False)
    with atomic.replacing(target) as temporary:
        tf2onnx.convert.from_function(function, signature, opset=_ONNX_OPSET, output_path=str(temporary))


def without_fft(network: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return `network` with a convolution in place of its Fourier transform, on which ONNX's runtimes do not agree."""
    spectrograms = [layer for layer in network.layers if isinstance(layer, Spectrogram)]
    if not spectrograms:
        return lambda images: network(images, training=False)
    front_end = _ConvolutionSpectrogram(**spectrograms[0].get_config())
    rest = keras.Model(spectrograms[0].output, network.output)
    return lambda sound: rest(front_end(sound), training=False)


class _ConvolutionSpectrogram(Spectrogram):
    """Compute the same front end, but transform its frames by a convolution with windowed cosines and sines."""

    def transform(self, sound: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return what `Spectrogram.transform` returns."""
        n_fft = self._spec.n_fft
        n = np.arange(n_fft)
        # Whole turns are left out before they cost precision.
        turns = n[:, None] * np.arange(n_fft // 2 + 1) % n_fft / n_fft
        window = 0.5 - 0.5 * np.cos(2 * np.pi * n / n_fft)
        kernel = np.concatenate([np.cos(2 * np.pi * turns), -np.sin(2 * np.pi * turns)], axis=1) * window[:, None]
        both = tf.nn.conv1d(sound[..., None], kernel[:, None].astype(np.float32), self.hop_length, "VALID")
        return tf.split(both, 2, axis=-1)
