"""The demo's correspondence is there to be learned from picture and sound together, and from neither alone.

The oracle is no network of ours: it knows a kind by the hues of one frame and by the mean spectrum of one second, each
learned by logistic regression on other clips, and says "corresponds" where both name the same kind.
"""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from l3net.demo import sound_parts
from l3net.demo.catalogue import SHOWN_THINGS
from l3net.demo.things import Thing, perform
from l3net.demo.world import draw_frames

RATE, SECONDS, PER_CLIP, N_TRAIN, N_TEST = 24_000, 2.0, 4, 14, 14


def hues(frame: np.ndarray) -> np.ndarray:
    """Return how much of each hue a frame holds [shape=(24,)], pale pixels left out."""
    red, green, blue = frame[::3, ::3].reshape(-1, 3).astype(float).T
    angle = np.degrees(np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue)) % 360
    chroma = np.max((red, green, blue), 0) - np.min((red, green, blue), 0)
    counts, _ = np.histogram(angle, 24, (0, 360), weights=chroma * (chroma > 70))
    return np.sqrt(counts / max(counts.sum(), 1.0))


def bands(second: np.ndarray) -> np.ndarray:
    """Return mean and deviation over time of the levels (dB) in 24 bands of equal ratio [shape=(48,)]."""
    power = np.abs(np.fft.rfft(second[: 24 * 1000].reshape(24, 1000) * np.hanning(1000))) ** 2
    edges = np.geomspace(2, 500, 25).astype(int)
    level = 10 * np.log10(np.stack([power[:, a : b + 1].mean(1) for a, b in pairwise(edges)]) + 1e-6)
    level -= level.max()
    return np.concatenate([level.mean(1), level.std(1)])


def draw(thing: Thing, number: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (hues of a frame, bands of a second that contains it) at moments of one clip."""
    rng = sound_parts.generator(1, thing.name, str(number))
    score = sound_parts.draw_score(thing.rhythm, SECONDS, rng)
    sound = perform(thing, score, SECONDS, RATE, rng.random(), rng)
    frames = list(draw_frames(thing, score, int(SECONDS * 12), Fraction(12), rng))
    starts = rng.uniform(0, SECONDS - 1, PER_CLIP)
    return [(hues(frames[int((t + 0.5) * 12)]), bands(sound[int(t * RATE) :][:RATE])) for t in starts]


@pytest.fixture(scope="module", params=["music", "environmental"])
def guesses(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the kind seen, the kind heard and the true kind of each moment of the test clips."""
    things = [thing for thing in SHOWN_THINGS if thing.label.subset == request.param]
    drawn = [(thing, number, draw(thing, number)) for thing in things for number in range(N_TRAIN + N_TEST)]
    kind = np.array([thing.name for thing, _, moments in drawn for _ in moments])
    is_train = np.array([number < N_TRAIN for _, number, moments in drawn for _ in moments])
    found = []
    for side in (0, 1):
        features = np.stack([moment[side] for _, _, moments in drawn for moment in moments])
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
        found.append(model.fit(features[is_train], kind[is_train]).predict(features[~is_train]))
    return found[0], found[1], kind[~is_train]


def accuracy(seen: np.ndarray, heard: np.ndarray, rng: np.random.Generator, shuffled: bool = False) -> float:
    """Return the oracle's accuracy on right and wrong pairs, as many of each; `shuffled`: on sounds of anywhere."""
    n = len(seen)
    clip = np.arange(n) // PER_CLIP
    elsewhere = np.array([rng.choice(np.flatnonzero(clip != own)) for own in clip])
    sounds = np.concatenate([heard, heard[elsewhere]])
    if shuffled:
        sounds = rng.permutation(sounds)
    says = np.concatenate([seen, seen]) == sounds
    return float((says == np.repeat([True, False], n)).mean())


def test_each_side_tells_its_kind(guesses) -> None:
    seen, heard, kind = guesses
    assert (seen == kind).mean() > 0.9
    assert (heard == kind).mean() > 0.85


def test_correspondence_reaches_its_ceiling_and_is_lost_with_shuffled_sound(guesses) -> None:
    seen, heard, _ = guesses
    rng = np.random.default_rng(0)
    assert 0.8 < np.mean([accuracy(seen, heard, rng) for _ in range(20)]) < 0.92, "the ceiling is 0.90"
    assert abs(np.mean([accuracy(seen, heard, rng, shuffled=True) for _ in range(20)]) - 0.5) < 0.02
