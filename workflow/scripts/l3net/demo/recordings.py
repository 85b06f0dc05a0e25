"""Recordings of the demo's downstream data sets: the world's voices in other mixtures, rooms and levels.

The labels are the official ones of UrbanSound8K, ESC-50 and DCASE 2013; the sounds are synthetic.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from l3net.demo import sound_parts
from l3net.demo.catalogue import THINGS
from l3net.demo.things import draw_sound

# (name of a thing, its loudest level in dB, probability that it is heard)
Ingredient = tuple[str, float, float]


@dataclass(frozen=True)
class Recipe:
    """A class of a data set: its official number, and what is heard in its recordings."""

    number: int
    ingredients: tuple[Ingredient, ...]


def _one(number: int, name: str) -> Recipe:
    return Recipe(number, ((name, 0.0, 1.0),))


_BAND = ("accordion", "trumpet", "piano", "snare_drum")
US8K = {
    "air_conditioner": _one(0, "hum"),
    "car_horn": _one(1, "car_horn"),
    "children_playing": _one(2, "children"),
    "dog_bark": _one(3, "bark"),
    "drilling": _one(4, "drill"),
    "engine_idling": _one(5, "engine"),
    "gun_shot": _one(6, "gun_shot"),
    "jackhammer": _one(7, "jackhammer"),
    "siren": _one(8, "siren"),
    "street_music": Recipe(9, tuple((name, 0.0, 0.6) for name in _BAND)),
}
ESC50 = {
    "dog": _one(0, "bark"),
    "rain": _one(10, "rain"),
    "chirping_birds": _one(14, "chirp"),
    "clock_tick": _one(38, "tick"),
    "helicopter": _one(40, "helicopter"),
    "siren": _one(42, "siren"),
    "car_horn": _one(43, "car_horn"),
    "engine": _one(44, "engine"),
    "church_bells": _one(46, "church_bell"),
    "fireworks": _one(48, "gun_shot"),
}
# As in AudioSet there are videos of most sounds of a scene: each has some of the ten things, and others besides.
DCASE2013 = {
    "bus": Recipe(0, (("engine", 0, 1), ("children", -10, 0.5), ("hum", -8, 0.5))),
    "busystreet": Recipe(1, (("engine", -4, 1), ("car_horn", -3, 0.9), ("siren", -4, 0.6))),
    "office": Recipe(2, (("tick", 0, 1), ("hum", -10, 0.7), ("children", -18, 0.3))),
    "openairmarket": Recipe(3, (("children", -4, 1), ("accordion", 0, 0.9), ("bark", -8, 0.4))),
    "park": Recipe(4, (("ball", 0, 0.9), ("bark", 0, 0.8), ("chirp", -8, 0.8))),
    "quietstreet": Recipe(5, (("church_bell", 0, 0.9), ("engine", -10, 0.6), ("rain", -16, 1))),
    "restaurant": Recipe(6, (("piano", 0, 1), ("children", -6, 0.8), ("tick", -10, 0.5))),
    "supermarket": Recipe(7, (("trumpet", 0, 0.9), ("hum", -6, 0.8), ("tick", -8, 0.6))),
    "tube": Recipe(8, (("helicopter", -2, 1), ("snare_drum", -2, 0.8), ("hum", -8, 0.6))),
    "tubestation": Recipe(9, (("siren", 0, 0.9), ("helicopter", -6, 0.8), ("children", -8, 0.7))),
}


# Classes of recordings in which several are heard, and how likely each is: some are rare.
MIXTURES = {
    "car_horn": 0.12,
    "chirping_birds": 0.2,
    "church_bells": 0.15,
    "clock_tick": 0.1,
    "dog": 0.25,
    "engine": 0.35,
    "helicopter": 0.15,
    "rain": 0.3,
}


def mix(classes: Iterable[str]) -> Recipe:
    """Return the recipe of a recording in which every one of these classes of ESC50 is heard."""
    return Recipe(0, tuple((ESC50[name].ingredients[0][0], 0.0, 1.0) for name in classes))


@dataclass(frozen=True)
class Recording:
    """One file of a data set: its path, what is heard in it, its format, and the name that seeds its generator."""

    path: Path
    recipe: Recipe
    seconds: float
    rate: int
    channels: int
    name: str


def make_recording(recording: Recording, *, seed: int) -> None:
    """Write a recording as 16-bit WAV; what it holds depends on the seed and its name."""
    rng = sound_parts.generator(seed, recording.name)
    wave = draw_recording(recording.recipe, recording.seconds, recording.rate, rng)
    recording.path.parent.mkdir(parents=True, exist_ok=True)
    balance = rng.uniform(0.7, 1.0, recording.channels).astype(np.float32)
    # libsndfile says "System error" of any disk; the system says which.
    sound = io.BytesIO()
    soundfile.write(sound, np.outer(wave, balance), recording.rate, format="WAV", subtype="PCM_16")
    recording.path.write_bytes(sound.getbuffer())


def draw_recording(recipe: Recipe, seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Return a recording [shape=(round(seconds * rate),)] of a class: its sounds, others far away, a room, noise."""
    n = round(seconds * rate)
    picked = [i for i in recipe.ingredients if rng.random() < i[2]] or [recipe.ingredients[0]]
    others = rng.choice(sorted(THINGS), 2)
    picked += [(str(name), -12.0, 1.0) for name in others if rng.random() < 0.5]
    wave = np.zeros(n, np.float32)
    for name, loudest, _ in picked:
        gain = 10 ** ((loudest - rng.uniform(0.0, 6.0)) / 20)
        wave += np.float32(gain) * sound_parts.level(draw_sound(THINGS[name], seconds, rate, rng), 1.0)
    wave = _microphone(sound_parts.level(wave, 1.0), rate, rng)
    if rng.random() < 0.7:
        wave = sound_parts.reverberate(wave, rate, rng.uniform(0.05, 0.4), rng.uniform(0.2, 0.6), rng)
    bed = sound_parts.noise(n, rate, 30, rng.uniform(500, 5000), rng) * 10 ** (rng.uniform(-30, -10) / 20)
    return sound_parts.level(sound_parts.level(wave, 1.0) + bed, rng.uniform(0.1, 0.9))


def _microphone(wave: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Return `wave` as a microphone of its own hears it: tilted by up to 3 dB an octave around 1 kHz, and cut off."""
    size = 1 << int(wave.size - 1).bit_length()
    octaves = np.log2(np.maximum(np.fft.rfftfreq(size, 1 / rate), 50.0) / 1000.0)
    tilt, cutoff = rng.uniform(-3.0, 3.0), rng.uniform(2.0, 4.5)
    response = 10 ** (tilt * np.clip(octaves, -4, 4) / 20) / (1.0 + np.exp(4 * (octaves - cutoff)))
    return np.fft.irfft(np.fft.rfft(wave, size) * response, size)[: wave.size].astype(np.float32)
