"""The parts of voices: pitch, partials and bands."""

import numpy as np

from l3net.demo import sound_parts


def test_tone_has_its_pitch_and_nothing_above_nyquist() -> None:
    wave = sound_parts.tone(1000.0, 48_000, 48_000, np.ones(100))
    spectrum = np.abs(np.fft.rfft(wave))
    peaks = np.flatnonzero(spectrum > 0.1 * spectrum.max())
    assert peaks.tolist() == list(range(1000, 24_000, 1000))


def test_noise_stays_in_its_band() -> None:
    wave = sound_parts.noise(1 << 15, 48_000, 1000, 4000, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(wave)) ** 2
    hertz = np.fft.rfftfreq(1 << 15, 1 / 48_000)
    assert power[(hertz > 700) & (hertz < 6000)].sum() > 0.9 * power.sum()
