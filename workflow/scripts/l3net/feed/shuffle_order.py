"""The order of samples: which sample of which clip stands where in the stream, as a function of the seed.

The stream runs through all samples again and again; each run through them (a pass) has an order of its own. In a
shuffled pass the clips are permuted, and a shuffle buffer of `shuffle_buffer_clips` clips moves over them: clip i of
that order gives its samples, in an order of its own, evenly to as many consecutive blocks, from block i on, and each
block is shuffled. So every sample comes once in a pass, a reader holds the clips of the shuffle buffer at a time and
takes up one new clip a block, and any place of the stream is found without running through what is before it.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np

_KEPT_PERMUTATIONS = 8192
_CLIPS, _SAMPLES_OF_CLIP, _PLACES_IN_BLOCK = range(3)  # what is permuted; part of the key of each permutation


@dataclass
class ShuffleOrder:
    """The stream of samples of `n_clips` clips with `samples_per_clip` samples each.

    Parameters
    ----------
    n_clips : number of clips of the split.
    samples_per_clip : number of samples of each clip.
    seed : seed of the order.
    shuffle : False takes the first sample of every clip, then the second of every clip, and so on, in the stored order.
    shuffle_buffer_clips : number of clips whose samples are mixed with each other at a time.
    """

    n_clips: int
    samples_per_clip: int
    seed: int
    shuffle: bool = True
    shuffle_buffer_clips: int = 128
    _kept: OrderedDict = field(default_factory=OrderedDict, repr=False)
    _last_blocks: dict[int, np.ndarray] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.shuffle_buffer_clips = min(self.shuffle_buffer_clips, self.n_clips)

    @property
    def n_samples(self) -> int:
        """Number of samples of one pass."""
        return self.n_clips * self.samples_per_clip

    def samples_at(self, first: int, n: int) -> np.ndarray:
        """Return the clip and the sample, counted within its clip, at the `n` places of the stream from `first` on.

        Returns
        -------
        np.ndarray [shape=(n, 2), int64]
        """
        if not self.shuffle:
            places = np.arange(first, first + n) % self.n_samples
            return np.stack([places % self.n_clips, places // self.n_clips], 1)
        blocks = self._blocks_of(first, n)
        made = self._last_blocks  # a batch is mostly of the blocks that the one before it was of
        self._last_blocks = {block: made[block] if block in made else self._block(block) for block in blocks}
        samples = np.concatenate(list(self._last_blocks.values()))
        return samples[first - blocks[0] * self.samples_per_clip :][:n]

    def buffered_clips(self, first: int, n: int) -> set[int]:
        """Return the clips that are in the shuffle buffer at the `n` places of a shuffled stream from `first` on."""
        clips = set()
        for block in self._blocks_of(first, n):
            number, j = divmod(block, self.n_clips)
            order = self._permutation(number, _CLIPS, 0, self.n_clips)
            clips.update(order[(j - np.arange(self.shuffle_buffer_clips)) % self.n_clips].tolist())
        return clips

    def _blocks_of(self, first: int, n: int) -> range:
        return range(first // self.samples_per_clip, (first + n - 1) // self.samples_per_clip + 1)

    def _block(self, block: int) -> np.ndarray:
        """Return the clips and samples of a block, shuffled [shape=(samples_per_clip, 2)]."""
        number, j = divmod(block, self.n_clips)
        clips = self._permutation(number, _CLIPS, 0, self.n_clips)
        ranks = np.arange(self.samples_per_clip)
        givers = (j - ranks * self.shuffle_buffer_clips // self.samples_per_clip) % self.n_clips
        samples = [
            self._permutation(number, _SAMPLES_OF_CLIP, i, self.samples_per_clip)[rank]
            for rank, i in enumerate(givers.tolist())
        ]
        rows = np.stack([clips[givers], np.array(samples, np.int64)], 1)
        return rows[self._permutation(number, _PLACES_IN_BLOCK, j, self.samples_per_clip)]

    def _permutation(self, number: int, purpose: int, i: int, n: int) -> np.ndarray:
        """Return a permutation of `n`, drawn from the seed, the number of the pass, the purpose, and `i`."""
        key = (number, purpose, i, n)
        if (found := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return found
        generator = np.random.Generator(np.random.Philox(key=self.seed, counter=[0, purpose, i, number]))
        drawn = self._kept[key] = generator.permutation(n)
        while len(self._kept) > _KEPT_PERMUTATIONS:
            self._kept.popitem(last=False)
        return drawn
