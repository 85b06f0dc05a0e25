"""Sounds that are heard in the demo's downstream data sets alone: no video shows what makes them."""

import numpy as np

from l3net.demo.sound_parts import PARTIALS, Rhythm, decay, hold, noise, tone
from l3net.demo.things import Thing


def _gun_shot_voice(n, pitch, rate, timbre, rng):
    return 2.0 * noise(n, rate, 60, 3000 + 3000 * timbre, rng) * decay(n, rate, 0.06 + 0.15 * timbre, 0.0005)


GUN_SHOT = Thing("gun_shot", voice=_gun_shot_voice, rhythm=Rhythm((0.6, 2.5), (0.9, 1.0), (100, 200), swing=0.6))


def _jackhammer_voice(n, pitch, rate, timbre, rng):
    blows = np.exp(-((np.arange(n) / rate * (9 + 5 * timbre)) % 1.0) * 5)
    return (noise(n, rate, 300, 4000, rng) + 0.3 * tone(pitch, n, rate, 1 / PARTIALS)) * blows


JACKHAMMER = Thing("jackhammer", voice=_jackhammer_voice, rhythm=Rhythm((0.3, 0.6), (0.8, 1.0), (60, 120)))


def _drill_voice(n, pitch, rate, timbre, rng):
    whine = tone(pitch * (1 + 0.1 * hold(n, rate, 0.3, 0.2)), n, rate, 1 / PARTIALS[:12])
    return 0.7 * whine + 0.4 * noise(n, rate, 1500, 7000, rng)


DRILL = Thing("drill", voice=_drill_voice, rhythm=Rhythm((0.3, 0.7), (0.6, 0.95), (180, 420)))


def _children_voice(n, pitch, rate, timbre, rng):
    bend = pitch * (1.0 + 0.3 * np.sin(np.pi * np.arange(n) / n) * rng.choice([-1, 1]))
    vowel = rng.choice([700, 1100, 1800, 2500])
    return tone(bend, n, rate, np.exp(-(((PARTIALS * pitch - vowel) / 500) ** 2)) + 0.3 / PARTIALS) * hold(
        n, rate, 0.03, 0.08
    )


CHILDREN = Thing(
    "children", voice=_children_voice, rhythm=Rhythm((3.0, 6.0), (0.8, 1.6), (350, 550), (0, 3, 7, 10), 0.8)
)


def _chirp_voice(n, pitch, rate, timbre, rng):
    t = np.arange(n) / n
    return tone(pitch * (1.0 + 0.3 * np.sin(2 * np.pi * (1 + 2 * timbre) * t)), n, rate, np.ones(1)) * np.sin(np.pi * t)


CHIRP = Thing("chirp", voice=_chirp_voice, rhythm=Rhythm((2.5, 5.0), (0.4, 0.7), (2500, 4500), (0, 4, 7), 0.6))


def _helicopter_voice(n, pitch, rate, timbre, rng):
    chop = np.exp(-((np.arange(n) / rate * pitch) % 1.0) * 4)
    return noise(n, rate, 40, 500 + 500 * timbre, rng) * chop


HELICOPTER = Thing("helicopter", voice=_helicopter_voice, rhythm=Rhythm((0.1, 0.2), (1.0, 1.0), (9, 15)))


def _tick_voice(n, pitch, rate, timbre, rng):
    return tone(pitch, n, rate, np.array([1, 0.5, 0.7])) * decay(n, rate, 0.006) + 0.3 * noise(
        n, rate, 2000, 9000, rng
    ) * decay(n, rate, 0.004)


TICK = Thing("tick", voice=_tick_voice, rhythm=Rhythm((1.5, 4.0), (0.5, 0.5), (1800, 3500)))


def _rain_voice(n, pitch, rate, timbre, rng):
    return noise(n, rate, 1500, 9000 * (0.6 + 0.8 * timbre), rng)


RAIN = Thing("rain", voice=_rain_voice, rhythm=Rhythm((0.1, 0.2), (1.0, 1.0)))


def _hum_voice(n, pitch, rate, timbre, rng):
    return noise(n, rate, 60, 700 * (0.6 + 0.8 * timbre), rng)


HUM = Thing("hum", voice=_hum_voice, rhythm=Rhythm((0.1, 0.2), (1.0, 1.0)))


OTHER_SOUNDS = (GUN_SHOT, JACKHAMMER, DRILL, CHILDREN, CHIRP, HELICOPTER, TICK, RAIN, HUM)
