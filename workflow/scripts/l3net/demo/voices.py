"""Voices of the demo's synthetic world: what each source sounds like, from an event of its score to a waveform.

A voice takes an event's length in samples, its pitch, the rate, the clip's `colour` (0 to 1: the nuisance of timbre:
another instrument, dog or engine of the same kind) and a generator.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from l3net.demo.sound_parts import Event, Rhythm, decay, draw_score, hold, noise, tone

Voice = Callable[[int, float, int, float, np.random.Generator], np.ndarray]
_K = np.arange(1, 41)
# Partials of a church bell: ratio to the strike note, loudness, relative time to fade.
_BELL = np.array(
    [
        (0.5, 0.6, 1.7),
        (1, 1, 1),
        (1.19, 0.7, 0.83),
        (1.5, 0.3, 0.67),
        (2, 0.8, 0.5),
        (2.66, 0.4, 0.33),
        (4.1, 0.3, 0.17),
    ]
)
_MAJOR = (0, 2, 4, 5, 7, 9, 11, 12)


def _piano(n, pitch, rate, colour, rng):
    bright = tone(pitch, n, rate, _K**-0.9) * decay(n, rate, 0.08)
    return 0.5 * bright + tone(pitch, n, rate, _K ** -(1.6 + colour)) * decay(n, rate, 0.25 + 0.3 * colour)


def _trumpet(n, pitch, rate, colour, rng):
    t = np.arange(n) / rate
    vibrato = pitch * (1.0 + 0.008 * np.sin(2 * np.pi * 5.5 * t) - 0.05 * np.exp(-t / 0.02))
    formant = np.exp(-(((_K * pitch - 1200 - 800 * colour) / 1200) ** 2)) + 0.15 / _K
    return tone(vibrato, n, rate, formant) * hold(n, rate, 0.04, 0.05)


def _snare_drum(n, pitch, rate, colour, rng):
    rattle = noise(n, rate, 900, 5000 + 3000 * colour, rng) * decay(n, rate, 0.06 + 0.05 * colour)
    return 1.6 * rattle + 0.6 * tone(pitch, n, rate, np.ones(2)) * decay(n, rate, 0.05)


def _accordion(n, pitch, rate, colour, rng):
    reeds = [1.0, 1.007, 1.26, 1.265, 1.498] if colour > 0.5 else [1.0, 1.005, 1.189, 1.2, 1.498]
    chord = sum(tone(pitch * ratio, n, rate, _K**-0.8) for ratio in reeds)
    return chord / 3 * hold(n, rate, 0.06, 0.08)


def _church_bell(n, pitch, rate, colour, rng):
    fades = (0.6 + 0.6 * colour) * _BELL[:, 2]
    return 0.5 * sum(
        loud * tone(pitch * ratio, n, rate, np.ones(1)) * decay(n, rate, fade)
        for (ratio, loud, _), fade in zip(_BELL, fades, strict=True)
    )


def _bark(n, pitch, rate, colour, rng):
    t = np.arange(n) / rate
    bend = pitch * (0.8 + 0.5 * np.exp(-(((t - 0.04) / 0.05) ** 2)))
    throat = np.exp(-(((_K * pitch - 900 - 600 * colour) / 700) ** 2)) + 0.05
    voiced = tone(bend, n, rate, throat) * np.exp(-(((t - 0.06) / 0.045) ** 2))
    return voiced + 0.5 * noise(n, rate, 500, 2500, rng) * np.exp(-(((t - 0.05) / 0.03) ** 2))


def _siren(n, pitch, rate, colour, rng):
    rise = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)
    return tone(pitch * (1.0 + (0.8 + 0.4 * colour) * rise), n, rate, np.array([1, 0.1, 0.4, 0.05, 0.2, 0.02, 0.1]))


def _engine(n, pitch, rate, colour, rng):
    rev = np.exp(-np.arange(n) / rate / 0.4)
    fire = tone(pitch * (1.0 + 0.5 * rev), n, rate, np.exp(-_K / (8 + 8 * colour)))
    return fire * (0.7 + 0.5 * rev) + 0.12 * noise(n, rate, 60, 500, rng)


def _car_horn(n, pitch, rate, colour, rng):
    return sum(tone(pitch * r, n, rate, _K**-0.5) for r in (1.0, 1.2 + 0.08 * colour)) / 2 * hold(n, rate, 0.01, 0.03)


def _ball(n, pitch, rate, colour, rng):
    t = np.arange(n) / rate
    thump = tone(pitch * (0.6 + 0.6 * np.exp(-t / 0.03)), n, rate, np.array([1.0, 0.3])) * decay(n, rate, 0.07)
    ping = tone(pitch * (6.5 + colour), n, rate, np.array([1.0, 0.4])) * decay(n, rate, 0.05)
    return thump + 0.25 * ping + 0.4 * noise(n, rate, 200, 1500, rng) * decay(n, rate, 0.008, 0.001)


def _gun_shot(n, pitch, rate, colour, rng):
    return 2.0 * noise(n, rate, 60, 3000 + 3000 * colour, rng) * decay(n, rate, 0.06 + 0.15 * colour, 0.0005)


def _jackhammer(n, pitch, rate, colour, rng):
    blows = np.exp(-((np.arange(n) / rate * (9 + 5 * colour)) % 1.0) * 5)
    return (noise(n, rate, 300, 4000, rng) + 0.3 * tone(pitch, n, rate, 1 / _K)) * blows


def _drill(n, pitch, rate, colour, rng):
    whine = tone(pitch * (1 + 0.1 * hold(n, rate, 0.3, 0.2)), n, rate, 1 / _K[:12])
    return 0.7 * whine + 0.4 * noise(n, rate, 1500, 7000, rng)


def _children(n, pitch, rate, colour, rng):
    bend = pitch * (1.0 + 0.3 * np.sin(np.pi * np.arange(n) / n) * rng.choice([-1, 1]))
    vowel = rng.choice([700, 1100, 1800, 2500])
    return tone(bend, n, rate, np.exp(-(((_K * pitch - vowel) / 500) ** 2)) + 0.3 / _K) * hold(n, rate, 0.03, 0.08)


def _chirp(n, pitch, rate, colour, rng):
    t = np.arange(n) / n
    return tone(pitch * (1.0 + 0.3 * np.sin(2 * np.pi * (1 + 2 * colour) * t)), n, rate, np.ones(1)) * np.sin(np.pi * t)


def _helicopter(n, pitch, rate, colour, rng):
    chop = np.exp(-((np.arange(n) / rate * pitch) % 1.0) * 4)
    return noise(n, rate, 40, 500 + 500 * colour, rng) * chop


def _tick(n, pitch, rate, colour, rng):
    return tone(pitch, n, rate, np.array([1, 0.5, 0.7])) * decay(n, rate, 0.006) + 0.3 * noise(
        n, rate, 2000, 9000, rng
    ) * decay(n, rate, 0.004)


def _hiss(low, high):
    def voice(n, pitch, rate, colour, rng):
        return noise(n, rate, low, high * (0.6 + 0.8 * colour), rng)

    return voice


@dataclass(frozen=True)
class Source:
    """A kind of sound: its voice and its rhythm."""

    voice: Voice
    rhythm: Rhythm


SOURCES = {
    "piano": Source(_piano, Rhythm((2.0, 4.0), (1.5, 2.5), (262, 523), _MAJOR)),
    "trumpet": Source(_trumpet, Rhythm((1.5, 3.0), (0.75, 0.95), (330, 523), _MAJOR[:5])),
    "snare_drum": Source(_snare_drum, Rhythm((2.5, 5.0), (1.0, 1.0), (170, 240), swing=0.3)),
    "accordion": Source(_accordion, Rhythm((1.0, 2.0), (0.85, 0.95), (110, 196), (0, 5, 7))),
    "church_bell": Source(_church_bell, Rhythm((0.9, 1.5), (2.5, 3.0), (300, 600))),
    "bark": Source(_bark, Rhythm((1.5, 3.0), (0.6, 0.9), (300, 650), (0, 1), 0.4)),
    "siren": Source(_siren, Rhythm((0.6, 1.5), (1.0, 1.0), (500, 750))),
    "engine": Source(_engine, Rhythm((0.7, 1.2), (1.0, 1.0), (22, 45))),
    "car_horn": Source(_car_horn, Rhythm((1.2, 2.2), (0.5, 0.8), (350, 450))),
    "ball": Source(_ball, Rhythm((1.4, 2.6), (0.6, 0.6), (130, 190))),
    "gun_shot": Source(_gun_shot, Rhythm((0.6, 2.5), (0.9, 1.0), (100, 200), swing=0.6)),
    "jackhammer": Source(_jackhammer, Rhythm((0.3, 0.6), (0.8, 1.0), (60, 120))),
    "drill": Source(_drill, Rhythm((0.3, 0.7), (0.6, 0.95), (180, 420))),
    "children": Source(_children, Rhythm((3.0, 6.0), (0.8, 1.6), (350, 550), (0, 3, 7, 10), 0.8)),
    "chirp": Source(_chirp, Rhythm((2.5, 5.0), (0.4, 0.7), (2500, 4500), (0, 4, 7), 0.6)),
    "helicopter": Source(_helicopter, Rhythm((0.1, 0.2), (1.0, 1.0), (9, 15))),
    "tick": Source(_tick, Rhythm((1.5, 4.0), (0.5, 0.5), (1800, 3500))),
    "rain": Source(_hiss(1500, 9000), Rhythm((0.1, 0.2), (1.0, 1.0))),
    "hum": Source(_hiss(60, 700), Rhythm((0.1, 0.2), (1.0, 1.0))),
}


def perform(
    name: str, score: list[Event], seconds: float, rate: int, colour: float, rng: np.random.Generator
) -> np.ndarray:
    """Return the waveform [shape=(seconds * rate,)] of the source `name` playing `score`."""
    wave, played = np.zeros(round(seconds * rate), np.float32), {}
    for event in score:
        key = round(event.pitch, 3)
        if key not in played:
            played[key] = SOURCES[name].voice(int(event.duration * rate), event.pitch, rate, colour, rng)
        start = round(event.onset * rate)
        piece = played[key][: wave.size - start]
        wave[start : start + piece.size] += np.float32(event.strength) * piece
    return wave


def draw_sound(name: str, seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Return a newly drawn performance of the source `name`."""
    return perform(name, draw_score(SOURCES[name].rhythm, seconds, rng), seconds, rate, rng.random(), rng)
