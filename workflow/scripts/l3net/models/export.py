"""Write an embedding for other programs, in one of the formats of `export_formats`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from l3net.errors import ConfigError, WeightsError
from l3net.files import atomic
from l3net.media import SAMPLE_RATE
from l3net.models.export_formats import FORMAT_VERSION, ONNX_KEY, check_export_format
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
    about : the network's metadata. Its ``hop_length`` says whether openl3 can hold the network; ONNX carries all of it.

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
        _write_onnx(network, about, target)
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


def _write_onnx(network: keras.Model, about: dict[str, Any], target: Path) -> None:
    try:
        import onnx
        import tf2onnx
    except ImportError:
        raise ConfigError(f'{target}: ONNX needs packages that are not installed: pip install "l3net[onnx]"') from None
    (network_input,) = network.inputs
    signature = [tf.TensorSpec(network_input.shape, tf.float32, name=network_input.name)]
    function = tf.function(without_fft(network), input_signature=signature, autograph=False)
    model, _ = tf2onnx.convert.from_function(function, signature, opset=_ONNX_OPSET)
    onnx.helper.set_model_props(model, {ONNX_KEY: json.dumps(_described(network, about), sort_keys=True)})
    with atomic.replacing(target) as temporary:
        temporary.write_bytes(model.SerializeToString())


def _described(network: keras.Model, about: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of an exported network: those of its .keras, and what it takes and gives."""
    shape = network.input_shape
    takes = {"kind": "l3", "sample_rate": SAMPLE_RATE, "window_samples": shape[1]}
    if len(shape) > 2:
        takes = {"kind": "l3-vision", "image_size": shape[1]}
    return {"format_version": FORMAT_VERSION, **takes, **about, "dimension": network.output_shape[-1]}


def without_fft(network: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return `network` with products in place of its Fourier transform, on which ONNX's runtimes do not agree."""
    spectrograms = [layer for layer in network.layers if isinstance(layer, Spectrogram)]
    if not spectrograms:
        return lambda images: network(images, training=False)
    front_end = _ProductSpectrogram(**spectrograms[0].get_config())
    rest = keras.Model(spectrograms[0].output, network.output)
    return lambda sound: rest(front_end(sound), training=False)


class _ProductSpectrogram(Spectrogram):
    """Compute the same front end, but transform its frames by matrix products.

    The values of a frame stand in a table of R rows and C columns. A transform of every column, a turn of each of its
    results, and a transform of every row make the transform of the frame (Cooley and Tukey, 1965). With R and C near
    the root of R C, that is a tenth of the products of one matrix for the whole frame.
    """

    def transform(self, sound: tf.Tensor, dtype: str = "float32") -> tuple[tf.Tensor, tf.Tensor]:
        """Return what `Spectrogram.transform` returns, in float32: products in float64 take twice the time."""
        del dtype
        return super().transform(sound, "float32")

    def fourier(self, frames: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return what `Spectrogram.fourier` returns."""
        n_fft = self._spec.n_fft
        rows = 2 ** (n_fft.bit_length() // 2)
        columns = n_fft // rows
        n_bins = columns // 2 + 1  # of each row; the others are those of negative frequencies
        table = tf.reshape(frames, [-1, frames.shape[1], rows, columns])
        down, turn, across = _turns(rows, rows, rows), _turns(rows, columns, n_fft), _turns(columns, n_bins, columns)
        real, imaginary = tf.split(np.concatenate([down.real, down.imag]).astype(np.float32) @ table, 2, axis=-2)
        turned = [real * turn.real - imaginary * turn.imag, real * turn.imag + imaginary * turn.real]
        both = np.block([[across.real, across.imag], [-across.imag, across.real]])
        spectra = tf.concat(turned, -1) @ both.astype(np.float32)  # bin rows * k + r stands at [r, k]
        parts = tf.split(tf.linalg.matrix_transpose(spectra), 2, axis=-2)
        return tuple(tf.reshape(part, [-1, frames.shape[1], n_bins * rows])[..., : n_fft // 2 + 1] for part in parts)


def _turns(n: int, m: int, whole: int) -> np.ndarray:
    """Return exp(-2 pi i j k / whole), complex128 [n, m]; whole turns are left out before they cost precision."""
    return np.exp(-2j * np.pi * (np.arange(n)[:, None] * np.arange(m) % whole) / whole)
