"""The sounds of the golden spectrograms, and what is kept of a spectrogram. Needs numpy alone."""

import numpy as np

KINDS = [(version, name) for version in ("training", "openl3") for name in ("linear", "mel128", "mel256")]


def sounds() -> np.ndarray:
    """Return noise, two tones and a sweep, both in faint noise: float32 [shape=(3, 48000)] of whole 16-bit values.

    Without any noise most of a sweep's bins hold the rounding of float32, and say little about a front end.
    """
    bits = np.random.PCG64(5).random_raw(2 * 48000).reshape(2, 48000)
    noise = (bits >> np.uint64(11)) / 2.0**52 - 1.0
    t = np.arange(48000) / 48000
    tones = 0.5 * np.sin(2 * np.pi * 440 * t) + 0.2 * np.sin(2 * np.pi * 3000 * t) + 0.001 * noise[1]
    sweep = 0.7 * np.sin(2 * np.pi * (200 * t + 9000 * t * t)) + 0.001 * noise[1]
    return (np.round(np.stack([0.2 * noise[0], tones, sweep]) * 32767) / 32768).astype(np.float32)


def digest(spectrograms: np.ndarray) -> dict[str, np.ndarray]:
    """Return a grid of values of dB spectrograms [shape=(n, bins, frames)], and the means over each axis."""
    return {
        "grid": spectrograms[:, ::5, ::9].astype(np.float32),
        "bins": spectrograms.mean(axis=2, dtype=np.float64),
        "frames": spectrograms.mean(axis=1, dtype=np.float64),
    }
