"""Front ends: the spectrogram layers that stand inside the models, so that they run where the network runs.

Conventions: sound is float32 in [-1, 1) at 48 kHz, windows of 1 s [shape=(batch, 48000)]; a spectrogram is in dB
relative to its own maximum, 0 to -80, [shape=(batch, bins, frames, 1)]. Source: the paper, section 3, and the
published training code; `version` tells the two families apart: ``training`` (what the paper's models were trained
with) and ``openl3`` (what the package openl3 computes since 0.4).
"""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from l3net.errors import ConfigError

SAMPLE_RATE = 48000
HOP_LENGTH = 242
VERSIONS = ("training", "openl3")
_FLOOR, _RANGE = 1e-10, 80.0  # smallest magnitude before the logarithm; dynamic range (dB)


@dataclass(frozen=True)
class FrontEnd:
    """What tells one front end from another: FFT length, mel bands (0: none), and whether every hop has a frame."""

    n_fft: int
    n_mels: int
    padded: bool


FRONT_ENDS = {
    "linear": FrontEnd(n_fft=512, n_mels=0, padded=False),
    "mel128": FrontEnd(n_fft=2048, n_mels=128, padded=True),
    "mel256": FrontEnd(n_fft=2048, n_mels=256, padded=True),
}


def build(name: str, *, version: str = "training", hop_length: int = HOP_LENGTH) -> "Spectrogram":
    """Return the layer of the front end `name`: float32 [batch, n] -> [batch, bins, frames, 1].

    Parameters
    ----------
    name : ``linear``, ``mel128`` or ``mel256``.
    version : ``training`` or ``openl3``.
    hop_length : samples between frames; 242 in the paper.

    Raises
    ------
    ConfigError
        An unknown name or version, or a hop below 1.
    """
    return Spectrogram(name, version=version, hop_length=hop_length, name="front_end")


@keras.saving.register_keras_serializable(package="l3net")
class Spectrogram(keras.layers.Layer):
    """A front end as a layer without weights; float32 inside, whatever the precision of the model around it."""

    def __init__(self, front_end: str, version: str = "training", hop_length: int = HOP_LENGTH, **options) -> None:
        if front_end not in FRONT_ENDS:
            raise ConfigError(f"unknown front end {front_end!r}; expected one of {', '.join(FRONT_ENDS)}")
        if version not in VERSIONS:
            raise ConfigError(f"unknown front end version {version!r}; expected one of {', '.join(VERSIONS)}")
        if hop_length < 1:
            raise ConfigError(f"front_end.hop_length must be 1 sample or more, not {hop_length}")
        super().__init__(**{"trainable": False, **options, "dtype": "float32"})
        self.front_end, self.version, self.hop_length = front_end, version, hop_length
        self._spec = FRONT_ENDS[front_end]
        self._filters = None
        if self._spec.n_mels:
            self._filters = mel_filters(self._spec.n_mels, self._spec.n_fft, htk=version == "training").T.copy()

    def call(self, sound):
        """Return the spectrogram [shape=(batch, bins, frames, 1)] of `sound` [shape=(batch, n)]."""
        sound = ops.pad(ops.cast(sound, "float32"), [(0, 0), self._padding(sound.shape[-1])])
        real, imaginary = self.transform(sound)
        values = ops.square(real) + ops.square(imaginary)
        if self._filters is None or self.version == "openl3":
            values = ops.sqrt(values)
        if self._filters is not None:
            values = ops.matmul(values, self._filters)
            if self.version == "training":
                values = ops.sqrt(values)
        decibels = (10.0 / np.log(10.0)) * ops.log(ops.maximum(values, _FLOOR))
        decibels = decibels - ops.max(decibels, axis=(1, 2), keepdims=True)
        return ops.expand_dims(ops.transpose(ops.maximum(decibels, -_RANGE), (0, 2, 1)), -1)

    def transform(self, sound):
        """Return the real and imaginary parts [shape=(batch, frames, n_fft // 2 + 1)] of padded sound's frames."""
        n_fft = self._spec.n_fft
        return ops.stft(sound, n_fft, self.hop_length, n_fft, window="hann", center=False)

    def _padding(self, n):
        """Return the zeros before and after `n` samples: a frame for every hop, or none."""
        if not self._spec.padded or n is None:
            return 0, 0
        frames = -(-n // self.hop_length)
        zeros = max((frames - 1) * self.hop_length + self._spec.n_fft - n, 0)
        return (zeros // 2, zeros - zeros // 2) if self.version == "training" else (0, zeros)

    def compute_output_shape(self, input_shape):
        """Return the shape of the spectrogram of windows of the given shape."""
        batch, n = input_shape
        frames = 1 + (n + sum(self._padding(n)) - self._spec.n_fft) // self.hop_length
        return batch, self._spec.n_mels or self._spec.n_fft // 2 + 1, frames, 1

    def get_config(self):
        """Return what the layer is made from."""
        own = {"front_end": self.front_end, "version": self.version, "hop_length": self.hop_length}
        return {**super().get_config(), **own}


def mel_filters(n_mels: int, n_fft: int, *, htk: bool, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Return triangular mel filters of unit area (per Hz), 0 Hz to half the sample rate.

    Parameters
    ----------
    htk : the mel scale, 2595 log10(1 + f / 700); else Slaney's, linear to 1 kHz and logarithmic above.

    Returns
    -------
    np.ndarray float32 [shape=(n_mels, n_fft // 2 + 1)]
    """
    to_mel, to_hertz = (_htk_mel, _htk_hertz) if htk else (_slaney_mel, _slaney_hertz)
    edges = to_hertz(np.linspace(0.0, to_mel(sample_rate / 2), n_mels + 2))
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    frequencies = np.linspace(0.0, sample_rate / 2, n_fft // 2 + 1)
    rising, falling = (frequencies - low) / (centre - low), (high - frequencies) / (high - centre)
    return (np.maximum(0.0, np.minimum(rising, falling)) * 2.0 / (high - low)).astype(np.float32)


def _htk_mel(hertz):
    return 2595.0 * np.log10(1.0 + hertz / 700.0)


def _htk_hertz(mel):
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)


def _slaney_mel(hertz):
    return 3.0 * hertz / 200.0 if hertz < 1000.0 else 15.0 + 27.0 * np.log(hertz / 1000.0) / np.log(6.4)


def _slaney_hertz(mel):
    return np.where(mel < 15.0, 200.0 * mel / 3.0, 1000.0 * 6.4 ** ((mel - 15.0) / 27.0))


@keras.saving.register_keras_serializable(package="l3net")
class SpecAugment(keras.layers.Layer):
    """Hides bands and times of a spectrogram in training (SpecAugment, Park et al., Interspeech 2019, without warping).

    What is hidden depends on a seed of two numbers a window alone, so it is the same on any number of devices.
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
        """Return which of `n` places are hidden [shape=(batch, n)]: `masks` stretches of up to `share` of them."""
        widths = width_draws[..., None] * share * n
        starts = start_draws[..., None] * (n - widths)
        places = ops.arange(n, dtype="float32")
        return ops.any((places >= starts) & (places < starts + widths), axis=1)

    def get_config(self):
        """Return what the layer is made from."""
        return {**super().get_config(), "bands": self.bands, "times": self.times, "masks": self.masks}


@keras.saving.register_keras_serializable(package="l3net")
class StopGradient(keras.layers.Layer):
    """Passes values forward and no gradient back."""

    def call(self, values):
        """Return `values`."""
        return ops.stop_gradient(values)
