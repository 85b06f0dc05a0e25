"""Layers that turn sound into spectrograms; they stand inside the models, so they run where the network runs.

Conventions: sound is float32 in [-1, 1) at 48 kHz, in windows of 1 s [shape=(batch, 48000)]; a spectrogram is in dB
relative to its own maximum, 0 to -80, [shape=(batch, bins, frames, 1)]. Source: the paper, section 3, and the
published training code. There are two versions of each: the paper's models were trained with ``training``; the package
openl3 computes ``openl3`` since its version 0.4.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from l3net.errors import ConfigError
from l3net.models.front_ends import FRONT_END_VERSIONS, FRONT_ENDS, HOP_LENGTH
from l3net.models.mel_filters import filter_blocks, mel_filters

_FLOOR, _RANGE = 1e-10, 80.0  # smallest magnitude before the logarithm; dynamic range (dB)


def build_front_end(name: str, *, version: str = "training", hop_length: int = HOP_LENGTH) -> "Spectrogram":
    """Make the layer of the front end `name`: float32 [batch, n] -> [batch, bins, frames, 1].

    Parameters
    ----------
    name : one of `FRONT_ENDS`.
    version : one of `FRONT_END_VERSIONS`.
    hop_length : samples between frames; 242 in the paper.

    Raises
    ------
    ConfigError
        An unknown name or version, or a hop below 1.
    """
    return Spectrogram(name, version=version, hop_length=hop_length, name="front_end")


@keras.saving.register_keras_serializable(package="l3net")
class Spectrogram(keras.layers.Layer):
    """Compute a front end as a layer without weights, in float32 whatever the precision of the model around it."""

    def __init__(self, front_end: str, version: str = "training", hop_length: int = HOP_LENGTH, **options) -> None:
        if front_end not in FRONT_ENDS:
            raise ConfigError(f"unknown front end {front_end!r}; expected one of {', '.join(FRONT_ENDS)}")
        if version not in FRONT_END_VERSIONS:
            raise ConfigError(f"unknown front end version {version!r}; expected one of {', '.join(FRONT_END_VERSIONS)}")
        if hop_length < 1:
            raise ConfigError(f"front_end.hop_length must be 1 sample or more, not {hop_length}")
        super().__init__(**{"trainable": False, **options, "dtype": "float32"})
        self.front_end, self.version, self.hop_length = front_end, version, hop_length
        self._spec = FRONT_ENDS[front_end]
        n_fft, n_mels = self._spec.n_fft, self._spec.n_mels
        self._hops = -(-n_fft // hop_length)  # hops that a frame spans; the last is cut
        self._window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
        filters = mel_filters(n_mels, n_fft, htk=version == "training") if n_mels else None
        self._bands = list(filter_blocks(filters)) if n_mels else []

    def call(self, sound, training=False):
        """Return the spectrogram [shape=(batch, bins, frames, 1)] of `sound` [shape=(batch, n)], n a fixed number.

        Outside of training the transform is made in float64. A bin that is empty in the sound holds what the transform
        rounds, in float32 1e-7 of the loudest bin, which 80 dB still show: every device, and every library, would give
        vectors of its own.
        """
        real, imaginary = self.transform(self._pad(ops.cast(sound, "float32")), "float32" if training else "float64")
        values, floor, tens = (
            ops.square(real) + ops.square(imaginary),
            _FLOOR**2,
            5.0,
        )  # a square has twice the decibels
        if self._bands and self.version == "openl3":
            values, floor, tens = ops.sqrt(values), _FLOOR, 10.0
        if self._bands:
            values = ops.concatenate([ops.matmul(values[..., bins], part) for bins, part in self._bands], -1)
        decibels = (tens / np.log(10.0)) * ops.log(ops.maximum(values, floor))
        decibels = decibels - ops.max(decibels, axis=(1, 2), keepdims=True)
        return ops.expand_dims(ops.transpose(ops.maximum(decibels, -_RANGE), (0, 2, 1)), -1)

    def transform(self, sound, dtype="float32"):
        """Return the real and imaginary parts [shape=(batch, frames, bins)] of the frames of `sound`, in float32.

        Frames are put together from hops, each copied in one piece, which is several times faster than value by value.
        """
        hops = ops.reshape(sound, (-1, sound.shape[-1] // self.hop_length, self.hop_length))
        frames = hops.shape[1] - self._hops + 1
        places = np.arange(frames)[:, None] + np.arange(self._hops)
        framed = ops.reshape(ops.take(hops, places, axis=1), (-1, frames, self._hops * self.hop_length))
        windowed = ops.cast(framed[..., : self._spec.n_fft], dtype) * self._window.astype(dtype)
        return tuple(ops.cast(part, "float32") for part in self.fourier(windowed))

    def fourier(self, frames):
        """Return the real and imaginary parts [shape=(batch, frames, n_fft // 2 + 1)] of `frames`, each windowed."""
        return ops.rfft(frames, self._spec.n_fft)

    def _pad(self, sound):
        """Return `sound` padded with zeros, or cut, to the whole hops of its frames."""
        n = sound.shape[-1]
        before = self._padding(n)[0]
        end = (self._frames(n) + self._hops - 1) * self.hop_length
        return ops.pad(sound, [(0, 0), (before, max(end - before - n, 0))])[:, :end]

    def silence_before(self, n):
        """Return how many zeros go before `n` samples."""
        return self._padding(n)[0]

    def _padding(self, n):
        """Return how many zeros go before and after `n` samples; none where frames need not cover every hop."""
        if not self._spec.padded:
            return 0, 0
        frames = -(-n // self.hop_length)
        zeros = max((frames - 1) * self.hop_length + self._spec.n_fft - n, 0)
        return (zeros // 2, zeros - zeros // 2) if self.version == "training" else (0, zeros)

    def _frames(self, n):
        """Return the number of frames of `n` samples."""
        return 1 + (n + sum(self._padding(n)) - self._spec.n_fft) // self.hop_length

    def compute_output_shape(self, input_shape):
        """Return the shape of the spectrogram of windows of the given shape."""
        batch, n = input_shape
        return batch, self._spec.n_mels or self._spec.n_fft // 2 + 1, self._frames(n), 1

    def get_config(self):
        """Return the arguments that make this layer again."""
        own = {"front_end": self.front_end, "version": self.version, "hop_length": self.hop_length}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="l3net")
class SpecAugment(keras.layers.Layer):
    """Hide bands and times of a spectrogram in training (SpecAugment, Park et al., Interspeech 2019, without warping).

    Two numbers a window seed what is hidden, so it is the same on any number of devices.
    """

    def __init__(self, bands: float = 0.12, times: float = 0.12, masks: int = 2, **options) -> None:
        super().__init__(**{"trainable": False, **options, "dtype": "float32"})
        self.bands, self.times, self.masks = bands, times, masks

    def call(self, spectrogram, seeds, training=False):
        """Return `spectrogram` [shape=(batch, bins, frames, 1)] with masks at the floor; `seeds` int32 [batch, 2]."""
        if not training:
            return spectrogram
        n_bins, n_frames = spectrogram.shape[1:3]
        draws = tf.map_fn(lambda seed: tf.random.stateless_uniform([4, self.masks], seed), seeds, tf.float32)
        hidden_bins = self._hidden(n_bins, self.bands, draws[:, 0], draws[:, 1])
        hidden_frames = self._hidden(n_frames, self.times, draws[:, 2], draws[:, 3])
        hidden = hidden_bins[:, :, None, None] | hidden_frames[:, None, :, None]
        return ops.where(hidden, -_RANGE, spectrogram)

    def _hidden(self, n, share, width_draws, start_draws):
        """Return which of `n` places are hidden [shape=(batch, n)]: `masks` stretches of at most `share` of them."""
        widths = width_draws[..., None] * share * n
        starts = start_draws[..., None] * (n - widths)
        places = ops.arange(n, dtype="float32")
        return ops.any((places >= starts) & (places < starts + widths), axis=1)

    def get_config(self):
        """Return the arguments that make this layer again."""
        return {**super().get_config(), "bands": self.bands, "times": self.times, "masks": self.masks}


@keras.saving.register_keras_serializable(package="l3net")
class StopGradient(keras.layers.Layer):
    """Pass values forward and no gradient back."""

    def call(self, values):
        """Return `values`."""
        return ops.stop_gradient(values)
