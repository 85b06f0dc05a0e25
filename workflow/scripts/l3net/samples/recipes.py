"""Drawing the recipes of samples: which frame, which second of sound, which crop, every augmentation value.

A recipe is a pure function of (seed, subset, part, sample number): sample number n reads its own 16 words of a
counter-based generator (numpy's Philox), so nothing depends on other clips, on order, or on the machine. The number is
``n = row * samples_per_clip + k`` with the clip's row in the part's list, whether or not other clips could be had.

Distributions (paper, section 2; augmentation: docs/samples.md): the window starts uniformly over the clip; the frame is
uniform among the usable frames that are shown inside that second. Half of a clip's samples correspond; the others keep
their frame and the time of their window, but hear another video of the part in it. So the times of frame and window
tell nothing about the label, and the seconds that are heard are distributed alike under both labels.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from l3net.errors import ConfigError
from l3net.files import stable_hash
from l3net.media import SAMPLE_RATE
from l3net.samples.shard_format import SAMPLE

PAIRINGS = ("overlapping", "clip", "last_frame")
RECIPE_VERSION = 2  # 1 drew the second of a mismatch anew, from any other clip
_WORDS_PER_SAMPLE = 16  # of the generator; more than are used, so that a new draw moves none of the others
_MIN_FRAMES_PER_SECOND = 2  # so that every second shows a usable frame


class _Word(IntEnum):
    """Which of a sample's words decides what. The order is part of the format: another one changes every sample."""

    START, FRAME, LABEL, OTHER_CLIP, SHIFT, CROP_Y, CROP_X, FLIP = range(8)
    SATURATION, BRIGHTNESS, SATURATION_FIRST, GAIN, HARD = range(8, 13)


@dataclass(frozen=True)
class Recipes:
    """Draws the recipes of the samples of one part.

    Parameters
    ----------
    seed, subset, part : what the draws depend on, beside the sample number.
    samples_per_clip : number of samples of each clip.
    frames_per_clip : number of distinct frames used of a clip, at most.
    image_size : pixels of the square crop's side.
    pairing : ``overlapping``; ``clip``, any usable frame; or ``last_frame`` (the fault of the published code).
    hard_negatives : share of the negatives whose sound is of their own clip, at another time.

    Raises
    ------
    ConfigError
        The pairing is unknown.
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
            raise ConfigError(f"samples.pairing is {self.pairing!r}; expected one of {', '.join(PAIRINGS)}")

    def draw(self, row: int, times: np.ndarray, n_sound: int, frame_size: tuple[int, int]) -> np.ndarray:
        """Draw the recipes of a clip as far as they depend on that clip alone: as if every sample corresponded.

        Parameters
        ----------
        row : the clip's row in the part's list.
        times : seconds from the clip's start at which its frames are shown [shape=(n_frames,)].
        n_sound : samples of its sound; at least one second.
        frame_size : width and height of its scaled frames, in pixels.

        Returns
        -------
        np.ndarray [shape=(samples_per_clip,), SAMPLE]
        """
        u = self.uniform_numbers(row)
        frames = self.usable_frames(row, times)
        recipes = np.zeros(self.samples_per_clip, SAMPLE)
        recipes["n"] = row * self.samples_per_clip + np.arange(self.samples_per_clip)
        recipes["start"] = _integers_below(n_sound - SAMPLE_RATE + 1, u[:, _Word.START])
        shown = np.rint(times[frames] * SAMPLE_RATE)
        chosen = self._draw_frames(recipes["start"], u[:, _Word.FRAME], shown, n_sound - SAMPLE_RATE)
        recipes["frame"], recipes["time"] = frames[chosen], times[frames[chosen]]
        recipes["label"] = _is_in_larger_half(u[:, _Word.LABEL])
        recipes["crop_y"] = _integers_below(frame_size[1] - self.image_size + 1, u[:, _Word.CROP_Y])
        recipes["crop_x"] = _integers_below(frame_size[0] - self.image_size + 1, u[:, _Word.CROP_X])
        recipes["flip"] = u[:, _Word.FLIP] < 0.5
        recipes["saturation"] = 0.5 + u[:, _Word.SATURATION]
        recipes["brightness"] = (2 * u[:, _Word.BRIGHTNESS] - 1) * 32 / 255
        recipes["saturation_first"] = u[:, _Word.SATURATION_FIRST] < 0.5
        recipes["gain"] = 0.9 + 0.2 * u[:, _Word.GAIN]
        return recipes

    def pair_with_sounds(
        self, recipes: np.ndarray, clip: int, row: int, sound_lengths: np.ndarray, videos: np.ndarray
    ) -> None:
        """Give the negatives among a clip's recipes the sound of another video; `recipes` is changed in place.

        The other clip is heard when the own one would be, so it is drawn among those that are long enough, each by the
        chance of its own matches to start there (with ``clip``, also to show a frame of that time): one over its
        number of starts. Clips of one length are equally likely. Where none is long enough, the longest is heard to
        its end.

        Parameters
        ----------
        recipes : the result of `draw`.
        clip : the clip's number in the shard.
        row : the clip's row in the part's list.
        sound_lengths : samples of the sound of every clip in the shard [shape=(n_clips,)].
        videos : the video that every clip in the shard is of [shape=(n_clips,)]; two or more.
        """
        u = self.uniform_numbers(row)
        recipes["clip"], recipes["sound"] = clip, clip
        is_hard = self._move_hard_negatives(recipes, u, int(sound_lengths[clip]))
        negative = (recipes["label"] == 0) & ~is_hard
        last_starts = sound_lengths - SAMPLE_RATE
        others = np.flatnonzero(videos != videos[clip])
        others = others[np.argsort(last_starts[others], kind="stable")]
        wanted = np.minimum(recipes["start"][negative], last_starts[others[-1]])
        # Relative to the longest, so that clips of one length have whole weights, and the draw among them is exact.
        needed, weights = wanted, (last_starts[others[-1]] + 1) / (last_starts[others] + 1)
        if self.pairing == "clip":  # else a frame later than the end of what is heard would tell a mismatch
            shown = np.rint(recipes["time"][negative] * SAMPLE_RATE).astype(np.int64) - SAMPLE_RATE
            needed = np.clip(shown, wanted, last_starts[others[-1]])
            weights = weights * (sound_lengths[others[-1]] / sound_lengths[others])
        other = others[_draw_long_enough(last_starts[others], weights, needed, u[negative, _Word.OTHER_CLIP])]
        recipes["sound"][negative], recipes["start"][negative] = other, wanted

    def usable_frames(self, row: int, times: np.ndarray) -> np.ndarray:
        """Return the numbers of the frames that samples may show, of a clip whose frames are shown at `times`.

        Where the clip has more than `frames_per_clip`, one is drawn from each of so many equal stretches.

        Raises
        ------
        ConfigError
            So few frames would leave seconds without any.
        """
        if self.pairing == "last_frame":
            return np.array([len(times) - 1])
        if len(times) <= self.frames_per_clip:
            return np.arange(len(times))
        seconds = times[-1] - times[0]
        if self.pairing == "overlapping" and self.frames_per_clip < _MIN_FRAMES_PER_SECOND * seconds:
            raise ConfigError(
                f"samples.frames_per_clip is {self.frames_per_clip}; a clip of {seconds:.1f} s needs "
                f"{int(np.ceil(_MIN_FRAMES_PER_SECOND * seconds))} or more, two a second, so that every second has one"
            )
        u = self.uniform_numbers(row, "frames", self.frames_per_clip)[:, 0]
        return ((np.arange(self.frames_per_clip) + u) * len(times) / self.frames_per_clip).astype(np.int64)

    def uniform_numbers(self, row: int, purpose: str = "samples", n: int | None = None) -> np.ndarray:
        """Draw numbers in [0, 1) for the clip in `row`: 16 for each of its `n` samples [shape=(n, 16), float64].

        Parameters
        ----------
        row : the clip's row in the part's list.
        purpose : what the numbers are for; each purpose has numbers of its own.
        n : number of samples, or of whatever else is drawn; None takes `samples_per_clip`.
        """
        n = self.samples_per_clip if n is None else n
        key = stable_hash(f"{self.seed}/{self.subset}/{self.part}/{purpose}")
        generator = np.random.Philox(key=key, counter=row * n * _WORDS_PER_SAMPLE // 4)
        words = generator.random_raw(n * _WORDS_PER_SAMPLE).reshape(n, _WORDS_PER_SAMPLE)
        return (words >> np.uint64(11)) * 2.0**-53

    def _draw_frames(self, starts: np.ndarray, u: np.ndarray, shown: np.ndarray, last_start: int) -> np.ndarray:
        """Choose for each window one of the frames shown inside it; return their places in `shown`.

        A window without a frame, as where frames do not come steadily, moves to the nearest; `starts` is then changed.
        """
        if self.pairing != "overlapping":  # whatever is heard, any usable frame; for last_frame there is one
            return _integers_below(len(shown), u)
        first = np.searchsorted(shown, starts)
        count = np.searchsorted(shown, starts.astype(np.int64) + SAMPLE_RATE) - first
        empty = count <= 0
        if empty.any():
            nearest = np.abs(shown[None] - starts[empty, None] - SAMPLE_RATE // 2).argmin(1)
            starts[empty] = np.clip(shown[nearest] - SAMPLE_RATE // 2, 0, last_start)
            first[empty], count[empty] = nearest, 1
        return first + _integers_below(count, u)

    def _move_hard_negatives(self, recipes: np.ndarray, u: np.ndarray, sound_length: int) -> np.ndarray:
        """Move the sound of hard negatives to a second of the same clip that does not touch the frame's.

        The window moves around the clip as around a ring, so that it stays uniform. Returns which recipes are hard
        negatives [shape=(samples_per_clip,), bool]; a clip shorter than three seconds has none.
        """
        n_starts = sound_length - SAMPLE_RATE + 1
        n_shifts = max(n_starts - 2 * SAMPLE_RATE + 1, 0)
        is_hard = (recipes["label"] == 0) & (u[:, _Word.HARD] < self.hard_negatives) & (n_shifts > 0)
        shift = SAMPLE_RATE + _integers_below(max(n_shifts, 1), u[:, _Word.SHIFT])
        recipes["start"][is_hard] = ((recipes["start"] + shift) % n_starts)[is_hard]
        return is_hard


def _draw_long_enough(last_starts: np.ndarray, weights: np.ndarray, needed: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Draw for each start that is needed a clip that has it, by weight; `last_starts` are ascending."""
    up_to = np.concatenate([[0.0], np.cumsum(weights)])
    first = np.searchsorted(last_starts, needed)
    drawn = np.searchsorted(up_to, up_to[first] + u * (up_to[-1] - up_to[first]), side="right") - 1
    return np.minimum(drawn, len(last_starts) - 1)


def _integers_below(n: int | np.ndarray, u: np.ndarray) -> np.ndarray:
    """Turn uniform numbers in [0, 1) into integers from 0 to ``n - 1``."""
    return np.minimum((u * n).astype(np.int64), np.asarray(n) - 1)


def _is_in_larger_half(u: np.ndarray) -> np.ndarray:
    """Tell which of `u` are in the larger half; where their number is odd, the median goes by its own value."""
    order = np.argsort(np.argsort(u, kind="stable"), kind="stable")
    n = len(u)
    return order >= n // 2 + (n % 2 and u[np.argsort(u, kind="stable")[n // 2]] < 0.5)
