"""Recipes of samples: which frame, which second of sound, which crop, every augmentation value.

A recipe is a pure function of (seed, subset, part, sample number): sample number n reads its own 16 words of a
counter-based generator (numpy's Philox), so nothing depends on other clips, on order, or on the machine. The number is
``n = row * samples_per_clip + k`` with the clip's row in the part's list, whether or not other clips could be had.

Distributions (paper section 2; augmentations docs/samples.md): the window starts uniformly over the clip; the frame is
uniform among the frames in use shown inside that second. Half of a clip's samples correspond; the others keep
their frame and get a uniformly drawn second of another clip of the part.
"""

from dataclasses import dataclass

import numpy as np

from l3net.errors import ConfigError
from l3net.media import SAMPLE_RATE
from l3net.runtime import stable_hash
from l3net.samples.shard_format import SAMPLE

PAIRINGS = ("overlapping", "last_frame")
_WORDS = 16  # of the generator for each sample
_START, _FRAME, _LABEL, _PARTNER, _PARTNER_START, _Y, _X, _FLIP, _SATURATION, _BRIGHTNESS, _ORDER, _GAIN, _HARD = range(
    13
)
_MIN_FRAMES_PER_SECOND = 2  # so that every second holds a frame in use


@dataclass(frozen=True)
class Recipes:
    """The settings of the samples of one part.

    Parameters
    ----------
    seed, subset, part : what the draws depend on, beside the sample number.
    samples_per_clip : samples of each clip.
    frames_per_clip : distinct frames used of a clip, at most.
    image_size : pixels of the square crop.
    pairing : overlapping, or last_frame (the fault of the published code).
    hard_negatives : share of the negatives whose sound is of their own clip, at another time.

    Raises
    ------
    ConfigError
        An unknown pairing.
    """

    seed: int
    subset: str
    part: int
    samples_per_clip: int
    frames_per_clip: int
    image_size: int
    pairing: str = "overlapping"
    hard_negatives: float = 0.0

    def __post_init__(self) -> None:
        if self.pairing not in PAIRINGS:
            raise ConfigError(f"samples.pairing is {self.pairing!r}; expected {' or '.join(PAIRINGS)}")

    def draws(self, row: int, purpose: str = "samples", n: int | None = None) -> np.ndarray:
        """Return the uniform numbers in [0, 1) of the samples of the clip in `row` [shape=(samples_per_clip, 16)]."""
        n = self.samples_per_clip if n is None else n
        key = stable_hash(f"{self.seed}/{self.subset}/{self.part}/{purpose}")
        generator = np.random.Philox(key=key, counter=row * n * _WORDS // 4)
        words = generator.random_raw(n * _WORDS).reshape(n, _WORDS)
        return (words >> np.uint64(11)) * 2.0**-53

    def eligible_frames(self, row: int, times: np.ndarray) -> np.ndarray:
        """Return the numbers of the frames that may be used of a clip whose frames are shown at `times`.

        Where the clip has more than `frames_per_clip`, one is drawn from each of so many equal stretches.

        Raises
        ------
        ConfigError
            When so few frames leave seconds without any.
        """
        if self.pairing == "last_frame":
            return np.array([len(times) - 1])
        if len(times) <= self.frames_per_clip:
            return np.arange(len(times))
        seconds = times[-1] - times[0]
        if self.frames_per_clip < _MIN_FRAMES_PER_SECOND * seconds:
            raise ConfigError(
                f"samples.frames_per_clip is {self.frames_per_clip}; a clip of {seconds:.1f} s needs "
                f"{int(np.ceil(_MIN_FRAMES_PER_SECOND * seconds))} or more, two a second, so that every second has one"
            )
        u = self.draws(row, "frames", self.frames_per_clip)[:, 0]
        return ((np.arange(self.frames_per_clip) + u) * len(times) / self.frames_per_clip).astype(np.int64)

    def home(self, row: int, times: np.ndarray, n_sound: int, size: tuple[int, int]) -> np.ndarray:
        """Return the recipes of a clip as far as they depend on that clip alone.

        Parameters
        ----------
        row : of the clip in the part's list.
        times : of all its frames, in seconds.
        n_sound : samples of its sound; at least one second.
        size : width and height of its scaled frames.

        Returns
        -------
        np.ndarray [shape=(samples_per_clip,), SAMPLE]
        """
        u = self.draws(row)
        frames = self.eligible_frames(row, times)
        recipes = np.zeros(self.samples_per_clip, SAMPLE)
        recipes["n"] = row * self.samples_per_clip + np.arange(self.samples_per_clip)
        recipes["start"] = _integers(u[:, _START], n_sound - SAMPLE_RATE + 1)
        shown = np.rint(times[frames] * SAMPLE_RATE)
        chosen = self._frames_in_windows(recipes["start"], u[:, _FRAME], shown, n_sound - SAMPLE_RATE)
        recipes["frame"], recipes["time"] = frames[chosen], times[frames[chosen]]
        recipes["label"] = _half(u[:, _LABEL])
        recipes["crop_y"] = _integers(u[:, _Y], size[1] - self.image_size + 1)
        recipes["crop_x"] = _integers(u[:, _X], size[0] - self.image_size + 1)
        recipes["flip"] = u[:, _FLIP] < 0.5
        recipes["saturation"] = 0.5 + u[:, _SATURATION]
        recipes["brightness"] = (2 * u[:, _BRIGHTNESS] - 1) * 32 / 255
        recipes["saturation_first"] = u[:, _ORDER] < 0.5
        recipes["gain"] = 0.9 + 0.2 * u[:, _GAIN]
        return recipes

    def _frames_in_windows(self, starts: np.ndarray, u: np.ndarray, shown: np.ndarray, last: int) -> np.ndarray:
        """Return for each window the number of a frame shown inside it; a window without moves to the nearest frame.

        (That happens only where a clip's frames do not come at a steady rate.)
        """
        if self.pairing == "last_frame":
            return np.zeros(len(starts), np.int64)
        first = np.searchsorted(shown, starts)
        count = np.searchsorted(shown, starts.astype(np.int64) + SAMPLE_RATE) - first
        empty = count <= 0
        if empty.any():
            nearest = np.abs(shown[None] - starts[empty, None] - SAMPLE_RATE // 2).argmin(1)
            starts[empty] = np.clip(shown[nearest] - SAMPLE_RATE // 2, 0, last)
            first[empty], count[empty] = nearest, 1
        return first + _integers(u, count)

    def pair(self, recipes: np.ndarray, clip: int, row: int, sound_lengths: np.ndarray) -> None:
        """Complete the recipes of a clip: the clips their sound comes from, and where it starts in those.

        Parameters
        ----------
        recipes : the result of `home`; changed in place.
        clip : the clip's number in the shard.
        row : the clip's row in the part's list.
        sound_lengths : of every clip in the shard, in samples [shape=(n_clips,)].
        """
        u = self.draws(row)
        recipes["clip"], recipes["sound"] = clip, clip
        negative = (recipes["label"] == 0) & ~self._pair_hard(recipes, u, int(sound_lengths[clip]))
        partner = _integers(u[negative, _PARTNER], len(sound_lengths) - 1)
        partner += partner >= clip
        recipes["sound"][negative] = partner
        room = sound_lengths[partner] - SAMPLE_RATE + 1
        recipes["start"][negative] = _integers(u[negative, _PARTNER_START], room)

    def _pair_hard(self, recipes: np.ndarray, u: np.ndarray, length: int) -> np.ndarray:
        """Move the sound of hard negatives to a second of the same clip apart from that of the frame; return which.

        A clip too short for two such seconds has none.
        """
        start = recipes["start"].astype(np.int64)
        before = np.maximum(start - SAMPLE_RATE + 1, 0)
        after = np.maximum(length - 2 * SAMPLE_RATE - start + 1, 0)
        hard = (recipes["label"] == 0) & (u[:, _HARD] < self.hard_negatives) & (before + after > 0)
        place = _integers(u[:, _PARTNER_START], np.maximum(before + after, 1))
        elsewhere = np.where(place < before, place, start + SAMPLE_RATE + place - before)
        recipes["start"][hard] = elsewhere[hard]
        return hard


def limit_gains(recipes: np.ndarray, clip: int, pcm: np.ndarray) -> None:
    """Lower the gains of the windows of `clip` that would leave the 16 bits; `recipes` is changed in place."""
    for i in np.flatnonzero(recipes["sound"] == clip):
        window = pcm[recipes["start"][i] : recipes["start"][i] + SAMPLE_RATE]
        peak = max(int(window.max()), -int(window.min()))
        if peak * float(recipes["gain"][i]) > 32767:
            recipes["gain"][i] = np.float32(32767 / peak) * np.float32(1 - 2**-22)


def _integers(u: np.ndarray, n: int | np.ndarray) -> np.ndarray:
    """Return integers from 0 to n - 1 for uniform numbers in [0, 1)."""
    return np.minimum((u * n).astype(np.int64), np.asarray(n) - 1)


def _half(u: np.ndarray) -> np.ndarray:
    """Return ones where `u` is among the larger half; of an odd number, the median falls by its own value."""
    order = np.argsort(np.argsort(u, kind="stable"), kind="stable")
    n = len(u)
    return order >= n // 2 + (n % 2 and u[np.argsort(u, kind="stable")[n // 2]] < 0.5)
