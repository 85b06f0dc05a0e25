"""Sound in the demo's world: the score that picture and sound follow, and the waveforms that voices are made of.

Conventions: times in seconds, pitches in Hz, rates in samples a second, waveforms float32 [shape=(n,)] in about
[-1, 1]. Everything drawn comes from the generator that is passed in.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from l3net.files import stable_hash

PARTIALS = np.arange(1, 41)  # numbers of the partials that most voices have
_CYCLE = 4096  # points of one period in a wave table
_NOISE = 1 << 17  # samples after which noise repeats


class Event(NamedTuple):
    """One event of a score: onset and duration in seconds, pitch in Hz, strength from 0 to 1."""

    onset: float
    duration: float
    pitch: float
    strength: float


@dataclass(frozen=True)
class Rhythm:
    """How events follow each other: the ranges from which a clip draws its own values.

    Parameters
    ----------
    per_second : onsets a second.
    length : share of the time to the next onset that an event lasts; above 1, events overlap.
    pitch : range of the clip's lowest pitch (Hz).
    steps : semitones above it that a melody is drawn from.
    swing : unevenness of the onsets, as a share of the time between them.
    """

    per_second: tuple[float, float]
    length: tuple[float, float] = (0.8, 0.9)
    pitch: tuple[float, float] = (200.0, 400.0)
    steps: tuple[int, ...] = (0,)
    swing: float = 0.0


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return the generator of the thing so named: the same on every machine, in any order of use."""
    return np.random.Generator(np.random.Philox(key=[seed, stable_hash("/".join(names))]))


def draw_score(rhythm: Rhythm, seconds: float, rng: np.random.Generator) -> list[Event]:
    """Return the events of one clip, in order; there is at least one."""
    step = 1.0 / rng.uniform(*rhythm.per_second)
    duration = step * rng.uniform(*rhythm.length)
    lowest = np.exp(rng.uniform(*np.log(rhythm.pitch)))
    n = int(np.ceil(seconds / step)) + 1
    onsets = (np.arange(n) - rng.random()) * step + rhythm.swing * step * rng.uniform(-0.5, 0.5, n)
    pitches = lowest * 2.0 ** (rng.choice(rhythm.steps, n) / 12.0)
    strengths = rng.uniform(0.6, 1.0, n)
    events = [
        Event(max(float(t), 0.0), duration, float(p), float(s))
        for t, p, s in zip(onsets, pitches, strengths, strict=True)
    ]
    return [event for event in events if event.onset < seconds]


def tone(pitch: float | np.ndarray, n: int, rate: int, partials: np.ndarray) -> np.ndarray:
    """Return a periodic waveform with the given amplitudes of partials 1, 2, ...; none above the Nyquist frequency.

    Parameters
    ----------
    pitch : fundamental (Hz), constant or one value a sample [shape=(n,)].
    """
    highest = int(rate / 2 / max(float(np.max(pitch)), 1.0))
    spectrum = np.zeros(_CYCLE // 2 + 1, complex)
    kept = np.asarray(partials, float)[: max(1, min(highest, _CYCLE // 4))]
    spectrum[1 : kept.size + 1] = -0.5j * kept * _CYCLE
    table = np.fft.irfft(spectrum).astype(np.float32)
    turns = np.arange(n) * (pitch / rate) if np.ndim(pitch) == 0 else np.cumsum(pitch) / rate
    return table[(turns * _CYCLE).astype(np.int64) & (_CYCLE - 1)] / max(float(np.abs(kept).sum()), 1e-9)


def noise(n: int, rate: int, low: float, high: float, rng: np.random.Generator) -> np.ndarray:
    """Return noise between two frequencies (Hz), falling off softly outside, with a root mean square of about 0.3.

    It repeats after a few seconds, unnoticed.
    """
    size = min(1 << max(int(n - 1).bit_length(), 6), _NOISE)
    spectrum = np.fft.rfft(rng.standard_normal(size, dtype=np.float32))
    frequencies = np.maximum(np.fft.rfftfreq(size, 1 / rate), 1.0).astype(np.float32)
    spectrum *= 1.0 / (1.0 + (low / frequencies) ** 4) / (1.0 + (frequencies / high) ** 4)
    wave = np.resize(np.fft.irfft(spectrum, size).astype(np.float32), n)
    return wave * np.float32(0.3 / max(float(wave.std()), 1e-6))


def decay(n: int, rate: int, seconds: float, attack: float = 0.002) -> np.ndarray:
    """Return an envelope that rises in `attack` seconds and falls to 1/e in `seconds`."""
    t = np.arange(n, dtype=np.float32) / rate
    return np.exp(-t / seconds) * np.minimum(t / attack, 1.0)


def hold(n: int, rate: int, attack: float = 0.03, release: float = 0.05) -> np.ndarray:
    """Return an envelope that rises, stays, and falls at its end."""
    t = np.arange(n, dtype=np.float32) / rate
    return np.minimum(np.minimum(t / attack, 1.0), np.minimum((n / rate - t) / release, 1.0))


def reverberate(wave: np.ndarray, rate: int, seconds: float, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return `wave` in a room: `share` of it is answered by noise that fades to 1/e in `seconds`."""
    n = int(rate * seconds * 3)
    answer = rng.standard_normal(n, dtype=np.float32) * decay(n, rate, seconds)
    answer *= share / max(float(np.linalg.norm(answer)), 1e-6)
    answer[0] += 1.0 - share
    size = 1 << int(wave.size + n - 2).bit_length()
    return np.fft.irfft(np.fft.rfft(wave, size) * np.fft.rfft(answer, size), size)[: wave.size].astype(np.float32)


def level(wave: np.ndarray, peak: float) -> np.ndarray:
    """Return `wave` scaled so that its largest absolute value is `peak`; silence stays silence."""
    return wave * np.float32(peak / max(float(np.abs(wave).max(initial=0.0)), 1e-6))
