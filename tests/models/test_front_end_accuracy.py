"""How near the front ends are to the same in numpy's float64: outside of training they are the same.

In training they are made in float32, where a bin without sound holds rounding. Where most bins are such, as in a pure
sweep, that rounding is what is compared. docs/training.md has the numbers of all of ESC-10.
"""

from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from l3net.models.spectrogram import build_front_end

NAMES = ("linear", "mel128", "mel256")


def in_float64(name: str, sound: np.ndarray) -> np.ndarray:
    """Return the spectrogram in dB of one second, by numpy and librosa's mel filters alone."""
    n_fft = 512 if name == "linear" else 2048
    sound = np.pad(sound.astype(np.float64), 0 if name == "linear" else 982)
    frames = np.lib.stride_tricks.sliding_window_view(sound, n_fft)[::242]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    magnitude = np.abs(np.fft.rfft(frames * window, axis=1))
    if name != "linear":
        n_mels = int(name.removeprefix("mel"))
        filters = librosa.filters.mel(sr=48000, n_fft=2048, n_mels=n_mels, htk=True, norm="slaney", dtype=np.float64)
        magnitude = np.sqrt(magnitude**2 @ filters.T)
    decibels = 10 * np.log10(np.maximum(magnitude, 1e-10))
    return np.maximum(decibels - decibels.max(), -80).T


def mean_errors(name: str, sounds: np.ndarray, *, training: bool) -> np.ndarray:
    """Return the mean absolute difference in dB of each second."""
    made = np.asarray(build_front_end(name)(sounds, training=training))[..., 0]
    return np.array([np.abs(one - in_float64(name, sound)).mean() for one, sound in zip(made, sounds, strict=True)])


@pytest.mark.parametrize("name", NAMES)
def test_noise_is_exact_and_a_pure_sweep_is_at_float32s_floor_in_training(name: str) -> None:
    t = np.arange(48000) / 48000
    noise = 0.2 * np.random.default_rng(0).standard_normal(48000)
    sweep = 0.7 * np.sin(2 * np.pi * (200 * t + 9000 * t * t))
    sounds = np.stack([noise, sweep]).astype(np.float32)
    of_noise, of_sweep = mean_errors(name, sounds, training=True)
    assert of_noise < 1e-4
    assert 0.05 < of_sweep < 0.5
    assert mean_errors(name, sounds, training=False).max() < 1e-5


@pytest.mark.parametrize(("name", "at_most"), [("linear", 0.5), ("mel128", 0.1), ("mel256", 0.1)])
def test_real_recordings(name: str, at_most: float, shared_data: Path) -> None:
    """The first recording of each class of ESC-10."""
    sounds = []
    for folder in sorted((shared_data / "esc10").glob("[0-9]*")):
        sound, rate = soundfile.read(sorted(folder.iterdir())[0], always_2d=True)
        sound = resample_poly(sound.mean(axis=1), 48000 // 300, rate // 300)
        sounds += [sound[start : start + 48000] for start in range(0, len(sound) - 47999, 48000)]
    stacked = np.stack(sounds).astype(np.float32)
    errors = mean_errors(name, stacked, training=True)
    assert len(errors) >= 40
    assert np.median(errors) < 0.02
    assert errors.max() < at_most
    assert mean_errors(name, stacked, training=False).max() < 1e-5
