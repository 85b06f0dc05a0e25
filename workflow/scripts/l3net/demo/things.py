"""Things of the demo's synthetic world: what belongs to a thing, and how its sound is performed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from l3net.demo.motion import Moves
from l3net.demo.sound_parts import Event, Rhythm, draw_score

# (samples, pitch in Hz, samples a second, timbre, generator) -> waveform of one event. The timbre, 0 to 1, is a clip's
# own: another instrument, dog or engine of the same kind.
Voice = Callable[[int, float, int, float, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Look:
    """How a thing looks.

    Parameters
    ----------
    hue : degrees; a clip's own hue lies close to it.
    poses : makes a pose, a few integers, for each frame from the `Moves` of the score.
    draw : draws a pose on a `Canvas` in `Shades` of one colour.
    """

    hue: float
    poses: Callable[[Moves], np.ndarray]
    draw: Callable[..., None]


@dataclass(frozen=True)
class Label:
    """A thing's AudioSet label.

    Parameters
    ----------
    name, mid : its name and id in AudioSet's ontology.
    subset : the training subset whose filter lets it through.
    broader : ids of broader labels that a clip of it may carry too.
    """

    name: str
    mid: str
    subset: str
    broader: tuple[str, ...] = ()


@dataclass(frozen=True)
class Thing:
    """Something that is heard and, where it has a look and a label, shown in videos."""

    name: str
    voice: Voice
    rhythm: Rhythm
    look: Look | None = None
    label: Label | None = None


def perform(
    thing: Thing, score: list[Event], seconds: float, rate: int, timbre: float, rng: np.random.Generator
) -> np.ndarray:
    """Return the waveform [shape=(seconds * rate,)] of `thing` playing `score`."""
    wave, played = np.zeros(round(seconds * rate), np.float32), {}
    for event in score:
        key = round(event.pitch, 3)
        if key not in played:
            played[key] = thing.voice(int(event.duration * rate), event.pitch, rate, timbre, rng)
        start = round(event.onset * rate)
        piece = played[key][: wave.size - start]
        wave[start : start + piece.size] += np.float32(event.strength) * piece
    return wave


def draw_sound(thing: Thing, seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Return the waveform [shape=(seconds * rate,)] of a new performance of `thing`."""
    return perform(thing, draw_score(thing.rhythm, seconds, rng), seconds, rate, rng.random(), rng)
