"""The order of samples: which sample of which clip stands where in the stream, as a function of (seed, epoch).

The stream runs through all samples again and again; each run through them (a pass) has an order of its own. In a
shuffled pass the clips are permuted; clip i of that order gives its samples, in an order of its own, evenly to ``mix``
consecutive blocks, from block i on, and each block is shuffled. So every sample comes once in a pass, a reader holds
`mix` clips at a time and takes up one new clip a block, and any place of the stream is found without running through
what is before.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np

_KEPT_PERMUTATIONS = 8192


@dataclass
class ShuffleOrder:
    """The stream of samples of `n_clips` clips with `share` samples each.

    Parameters
    ----------
    n_clips : clips of the split.
    share : samples of each clip.
    seed : of the order.
    shuffle : False gives the first sample of every clip, then the second of every clip, and so on, in the stored order.
    mix : clips whose samples are mixed with each other at a time.
    """

    n_clips: int
    share: int
    seed: int
    shuffle: bool = True
    mix: int = 128
    _kept: OrderedDict = field(default_factory=OrderedDict, repr=False)

    def __post_init__(self) -> None:
        self.mix = min(self.mix, self.n_clips)

    @property
    def n_samples(self) -> int:
        """Samples of one pass."""
        return self.n_clips * self.share

    def place(self, first: int, n: int) -> np.ndarray:
        """Return clip and sample (counted within its clip) of the stream's places `first` to ``first + n - 1``.

        Returns
        -------
        np.ndarray [shape=(n, 2), int64]
        """
        if not self.shuffle:
            places = np.arange(first, first + n) % self.n_samples
            return np.stack([places % self.n_clips, places // self.n_clips], 1)
        blocks = range(first // self.share, (first + n - 1) // self.share + 1)
        rows = np.concatenate([self._block(block) for block in blocks])
        return rows[first - blocks[0] * self.share :][:n]

    def mixed(self, first: int, n: int) -> set[int]:
        """Return the clips that are being mixed, in a shuffled stream, where the `n` places from `first` on lie."""
        clips = set()
        for block in range(first // self.share, (first + n - 1) // self.share + 1):
            number, j = divmod(block, self.n_clips)
            order = self._permutation(number, 0, 0, self.n_clips)
            clips.update(order[(j - np.arange(self.mix)) % self.n_clips].tolist())
        return clips

    def _block(self, block: int) -> np.ndarray:
        """Return the `share` samples of a block, shuffled."""
        number, j = divmod(block, self.n_clips)
        clips = self._permutation(number, 0, 0, self.n_clips)
        ranks = np.arange(self.share)
        givers = (j - ranks * self.mix // self.share) % self.n_clips
        samples = [self._permutation(number, 1, i, self.share)[rank] for rank, i in enumerate(givers.tolist())]
        rows = np.stack([clips[givers], np.array(samples, np.int64)], 1)
        return rows[self._permutation(number, 2, j, self.share)]

    def _permutation(self, *key: int) -> np.ndarray:
        """Return the permutation of the last number of `key`, drawn from the seed and the others."""
        if (found := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return found
        number, purpose, i, n = key
        generator = np.random.Generator(np.random.Philox(key=self.seed, counter=[0, purpose, i, number]))
        drawn = self._kept[key] = generator.permutation(n)
        while len(self._kept) > _KEPT_PERMUTATIONS:
            self._kept.popitem(last=False)
        return drawn
