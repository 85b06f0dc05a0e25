"""Whether the recipes of a split are distributed as they should be: a row and a test for each quantity that is drawn.

A quantity's `places` say where each value lies in what it may be, from 0 to below 1; a fair draw fills that evenly.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from l3net.media import SAMPLE_RATE
from l3net.samples.shard_index import ShardIndex
from l3net.samples.shard_reader import Shard

_BINS = 10


@dataclass(frozen=True)
class Quantity:
    """A quantity: its range and mean, what is expected, the p value of a test of it (NaN where none applies)."""

    quantity: str
    n: int
    mean: float
    min: float
    max: float
    expected: str
    p: float
    places: np.ndarray | None = None


def check_distributions(found: ShardIndex) -> Iterator[Quantity]:
    """Yield the quantities of all recipes of a split.

    Tests are chi-squared over ten equal bins, binomial for yes or no. A fair draw falls below 0.01 once in a hundred.

    Raises
    ------
    ShardError
        A shard that cannot be read.
    """
    recipes, clips, frame_places, used = _read_tables(found)
    for name in ("label", "flip", "saturation_first"):
        yes, n = int(recipes[name].sum()), len(recipes)
        yield Quantity(name, n, yes / n, 0, 1, "yes in half", stats.binomtest(yes, n).pvalue)
    room_y, room_x = clips["height"] - found.image_size, clips["width"] - found.image_size
    length = clips["sound_length"] - SAMPLE_RATE
    yield _uniform("crop_y", recipes["crop_y"], room_y[recipes["clip"]])
    yield _uniform("crop_x", recipes["crop_x"], room_x[recipes["clip"]])
    yield _uniform("start", recipes["start"], length[recipes["sound"]])
    yield _flat("saturation", recipes["saturation"], 0.5, 1.5)
    yield _flat("brightness", recipes["brightness"], -32 / 255, 32 / 255)
    yield _flat("gain", recipes["gain"], 0.9, 1.1, note=", lower where the sound would clip")
    inside = frame_places[recipes["label"] == 1]
    yield _row("frame_minus_start", inside, "of matches: 0 to below 1 s", np.nan, inside)
    yield Quantity("clips_used", found.n_clips, used, used, used, "every clip, as picture and as sound", np.nan)


def _read_tables(found: ShardIndex) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Return what the quantities are made of.

    Returns
    -------
    All recipes (clips counted over all shards); all clips; each sample's frame time minus its window's start in
    seconds; how many clips give both a frame and a sound.
    """
    recipes, clips, offsets, n = [], [], [], 0
    for entry in found.shards:
        with Shard(Path(entry.path)) as shard:
            rows = shard.samples[:]
            offsets.append(rows["time"] - rows["start"] / SAMPLE_RATE)
            rows["clip"] += n
            rows["sound"] += n
            recipes.append(rows)
            clips.append(shard.clips)
            n += shard.n_clips
    everything = np.concatenate(recipes)
    used = len(np.intersect1d(everything["clip"], everything["sound"]))
    return everything, np.concatenate(clips), np.concatenate(offsets), used


def _uniform(name: str, values: np.ndarray, last: np.ndarray) -> Quantity:
    """Return the row of an integer drawn from 0 to `last`, of which each sample has its own."""
    within = np.random.default_rng(0).random(len(values))  # spreads the integers, so that every bin is as likely
    places = (values + within) / (last + 1.0)
    return _row(name, values, "uniform over the room of each clip", _chi_squared(places), places)


def _flat(name: str, values: np.ndarray, low: float, high: float, note: str = "") -> Quantity:
    places = (values - low) / (high - low)
    p = np.nan if note else _chi_squared(places)
    return _row(name, values, f"uniform from {low:.4g} to {high:.4g}{note}", p, places)


def _row(name: str, values: np.ndarray, expected: str, p: float, places: np.ndarray) -> Quantity:
    return Quantity(name, len(values), values.mean(), values.min(), values.max(), expected, p, places)


def _chi_squared(places: np.ndarray) -> float:
    return float(stats.chisquare(np.histogram(places, _BINS, (0, 1))[0]).pvalue)
