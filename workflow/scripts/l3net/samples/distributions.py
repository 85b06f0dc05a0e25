"""Whether the recipes of a split are distributed as they should be: a row and a test for each quantity that is drawn.

A quantity's `places` say where each value lies in its allowed range, from 0 to below 1; a fair draw fills the range
evenly.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from l3net.media import SAMPLE_RATE
from l3net.samples.shard_index import ShardIndex
from l3net.samples.shard_reader import Shard

_BINS = 10


@dataclass(frozen=True)
class Quantity:
    """The values of one quantity over all samples.

    Attributes
    ----------
    quantity : its name.
    n : number of values.
    mean, min, max : of the values.
    expected : how they should be distributed, in words.
    p : the p value of a test of that; NaN where none applies.
    places : where each value lies in its allowed range [shape=(n,)]; None where it has none.
    """

    quantity: str
    n: int
    mean: float
    min: float
    max: float
    expected: str
    p: float
    places: np.ndarray | None = None


@dataclass(frozen=True)
class _Tables:
    """What the quantities are computed from.

    Attributes
    ----------
    samples : the recipes of all shards; clips are counted over all shards.
    clips : the clips of all shards.
    frame_after_start : seconds from the start of each sample's window to its frame.
    n_clips_used : number of clips that give both a frame and a sound.
    """

    samples: np.ndarray
    clips: np.ndarray
    frame_after_start: np.ndarray
    n_clips_used: int


def check_distributions(index: ShardIndex) -> Iterator[Quantity]:
    """Yield the quantities of all recipes of a split.

    Tests are chi-squared over ten equal bins, binomial for yes or no. A fair draw falls below 0.01 once in a hundred.

    Raises
    ------
    ShardError
        A shard cannot be read.
    """
    from scipy import stats  # loads slowly

    tables = _read_tables(index)
    samples, clips = tables.samples, tables.clips
    for name in ("label", "flip", "saturation_first"):
        n_yes, n = int(samples[name].sum()), len(samples)
        yield Quantity(name, n, n_yes / n, 0, 1, "yes in half", stats.binomtest(n_yes, n).pvalue)
    last_y, last_x = clips["height"] - index.image_size, clips["width"] - index.image_size
    last_start = clips["sound_length"] - SAMPLE_RATE
    yield _uniform_integers("crop_y", samples["crop_y"], last_y[samples["clip"]])
    yield _uniform_integers("crop_x", samples["crop_x"], last_x[samples["clip"]])
    yield _uniform_integers("start", samples["start"], last_start[samples["sound"]])
    yield _uniform_numbers("saturation", samples["saturation"], 0.5, 1.5)
    yield _uniform_numbers("brightness", samples["brightness"], -32 / 255, 32 / 255)
    yield _uniform_numbers("gain", samples["gain"], 0.9, 1.1, exception=", lower where the sound would clip")
    of_matches = tables.frame_after_start[samples["label"] == 1]
    yield _summary("frame_minus_start", of_matches, "of matches: 0 to below 1 s", np.nan, of_matches)
    of_mismatches = tables.frame_after_start[(samples["label"] == 0) & (samples["sound"] != samples["clip"])]
    if len(of_mismatches):
        p = stats.ks_2samp(of_matches, of_mismatches).pvalue
        yield _summary("frame_minus_start_of_mismatches", of_mismatches, "as of matches", p, None)
    used = tables.n_clips_used
    yield Quantity("clips_used", index.n_clips, used, used, used, "every clip, as picture and as sound", np.nan)


def count_frame_offsets(index: ShardIndex) -> list[tuple[int, int]]:
    """Count the matching samples by the whole seconds from their window's start to their frame.

    Returns
    -------
    Pairs of seconds and number of samples, by ascending seconds; 0 is inside the window's second.
    """
    seconds = []
    for entry in index.shards:
        with Shard(Path(entry.path)) as shard:
            samples = shard.samples[:]
            matches = samples[samples["label"] == 1]
            # To the sample, as windows are counted: a frame at a window's first sample is inside it.
            after = np.rint(matches["time"] * SAMPLE_RATE).astype(np.int64) - matches["start"]
            seconds.append(after // SAMPLE_RATE)
    values, counts = np.unique(np.concatenate(seconds), return_counts=True)
    return list(zip(values.tolist(), counts.tolist(), strict=True))


def _read_tables(index: ShardIndex) -> _Tables:
    samples, clips, offsets, n_clips = [], [], [], 0
    for entry in index.shards:
        with Shard(Path(entry.path)) as shard:
            rows = shard.samples[:]
            offsets.append(rows["time"] - rows["start"] / SAMPLE_RATE)
            rows["clip"] += n_clips
            rows["sound"] += n_clips
            samples.append(rows)
            clips.append(shard.clips)
            n_clips += shard.n_clips
    of_all = np.concatenate(samples)
    n_used = len(np.intersect1d(of_all["clip"], of_all["sound"]))
    return _Tables(of_all, np.concatenate(clips), np.concatenate(offsets), n_used)


def _uniform_integers(name: str, values: np.ndarray, last: np.ndarray) -> Quantity:
    """Summarise integers that are drawn from 0 to `last`, which each sample has of its own [shape=(n,)]."""
    within = np.random.default_rng(0).random(len(values))  # spreads the integers, so that every bin is as likely
    places = (values + within) / (last + 1.0)
    return _summary(name, values, "uniform over the room of each clip", _chi_squared(places), places)


def _uniform_numbers(name: str, values: np.ndarray, low: float, high: float, *, exception: str = "") -> Quantity:
    """Summarise numbers that are drawn from `low` to `high`; with an `exception` in words they are not tested."""
    places = (values - low) / (high - low)
    p = np.nan if exception else _chi_squared(places)
    return _summary(name, values, f"uniform from {low:.4g} to {high:.4g}{exception}", p, places)


def _summary(name: str, values: np.ndarray, expected: str, p: float, places: np.ndarray | None) -> Quantity:
    return Quantity(name, len(values), values.mean(), values.min(), values.max(), expected, p, places)


def _chi_squared(places: np.ndarray) -> float:
    from scipy import stats

    return float(stats.chisquare(np.histogram(places, _BINS, (0, 1))[0]).pvalue)
