"""Filling batches with samples from shards: the part of the feed that reads files and decodes images.

It imports numpy, h5py and a JPEG decoder only, so that a reader process starts quickly. A filler holds the clips of the
shuffle buffer that are its own, about 4 MB each at 224 pixels and 10 s.
"""

from bisect import bisect_right
from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import numpy as np

from l3net.errors import ShardError, one_line
from l3net.feed.image_decoder import decode_image
from l3net.feed.shard_digests import demand_digest
from l3net.feed.shared_memory import OF_RECIPES, BatchBuffer
from l3net.feed.shuffle_order import ShuffleOrder
from l3net.media import SAMPLE_RATE
from l3net.samples import SAMPLE, ClipData, Shard, read_shard_index

_Recipe = namedtuple("_Recipe", SAMPLE.names)


@dataclass(frozen=True, kw_only=True)
class ReadPlan:
    """What to read: a stretch of batches of the stream of samples.

    Parameters
    ----------
    index : path of the index of the split.
    batch_size : number of samples of a batch.
    first_batch, end_batch : the stretch's first batch, and the one after its last, counted from the stream's start.
    seed, shuffle, shuffle_buffer_clips : the order of the stream (`shuffle_order.ShuffleOrder`).
    marks : folder that remembers which shards were compared with their digests (`shard_digests.demand_digest`).
    """

    index: str
    batch_size: int
    first_batch: int
    end_batch: int
    seed: int
    shuffle: bool = True
    shuffle_buffer_clips: int = 128
    marks: str | None = None


@dataclass
class FilledRows:
    """The rows of a batch that a reader filled, with the texts of their samples; texts have no place in a buffer."""

    rows: list[int] = field(default_factory=list)
    sample_ids: list[str] = field(default_factory=list)
    label_mids: list[str] = field(default_factory=list)


class BatchFiller:
    """Fills batches with the samples of the clips that belong to reader `number` of `n_readers`."""

    def __init__(self, plan: ReadPlan, number: int = 0, n_readers: int = 1) -> None:
        self.index = read_shard_index(Path(plan.index))
        self.plan, self.number, self.n_readers = plan, number, n_readers
        self._ends = list(accumulate(shard.n_clips for shard in self.index.shards))
        self.order = ShuffleOrder(
            self.index.n_clips, self.index.samples_per_clip, plan.seed, plan.shuffle, plan.shuffle_buffer_clips
        )
        self._files: OrderedDict[int, Shard] = OrderedDict()
        self._clips: dict[int, ClipData] = {}

    @property
    def n_clips_held(self) -> int:
        """Number of clips in memory."""
        return len(self._clips)

    def fill(self, batch: int, buffer: BatchBuffer) -> FilledRows:
        """Write this reader's rows of a batch into `buffer`; return which they are, with their texts."""
        first, n = batch * self.plan.batch_size, self.plan.batch_size
        if self.plan.shuffle:
            for clip in self._clips.keys() - self.order.buffered_clips(first, n):
                del self._clips[clip]
        samples = self.order.samples_at(first, n)
        rows = np.flatnonzero(samples[:, 0] % self.n_readers == self.number)
        filled, recipes = FilledRows(rows.tolist()), []
        for row, (clip, sample) in zip(filled.rows, samples[rows].tolist(), strict=True):
            recipe, shard = self._fill_row(buffer, row, clip, sample)
            recipes.append(recipe)
            filled.sample_ids.append(f"{self.index.subset}/{shard.part}/{recipe.n}")
            filled.label_mids.append(shard.labels[recipe.sound])
        for name, column in zip(SAMPLE.names, zip(*recipes, strict=True), strict=False):  # none where no row is its own
            if name in OF_RECIPES:
                buffer.arrays[name][rows] = column
        return filled

    def _fill_row(self, buffer: BatchBuffer, row: int, clip: int, sample: int) -> tuple[_Recipe, Shard]:
        """Write the image and the sound of a sample of a clip, counted over all shards; return its recipe and shard."""
        number = bisect_right(self._ends, clip)
        shard = self._shard(number)
        clip_of_shard = clip - (self._ends[number - 1] if number else 0)
        if self.plan.shuffle:
            source, i = self._clip(clip, shard, clip_of_shard), sample
        else:  # its clip's other samples come much later, so only this one is read
            source, i = shard, clip_of_shard * shard.samples_per_clip + sample
        recipe = _Recipe._make(source.samples[i].item())
        audio = buffer.arrays["audio"][row]
        if self.plan.shuffle and recipe.sound == clip_of_shard:
            audio[:] = source.pcm[recipe.start : recipe.start + SAMPLE_RATE]
        else:
            shard.window(recipe.sound, recipe.start, audio)
        try:
            decode_image(source.image(i), buffer.arrays["image"][row])
        except ValueError as error:
            raise ShardError(
                f"{shard.path}: an image does not decode ({one_line(str(error), 80)}): the shard has changed since it "
                "was indexed; make it again (-R make_shard)"
            ) from None
        return recipe, shard

    def _shard(self, number: int) -> Shard:
        """Return a shard of the index, opened unless it is open; those unused for longest are closed."""
        shard = self._files.get(number)
        if shard is None:
            shard = self._files[number] = self._open(number)
            while len(self._files) > self.order.shuffle_buffer_clips + 1:  # each buffered clip may be of another file
                self._files.popitem(last=False)[1].close()
        self._files.move_to_end(number)
        return shard

    def _open(self, number: int) -> Shard:
        entry, marks = self.index.shards[number], self.plan.marks
        demand_digest(entry, self.plan.index, None if marks is None else Path(marks))
        shard = Shard(Path(entry.path))
        if (shard.n_samples, shard.n_clips) != (entry.n_samples, entry.n_clips):
            shard.close()
            raise ShardError(f"{entry.path} is not the shard that {self.plan.index} describes; make the index again")
        return shard

    def _clip(self, clip: int, shard: Shard, clip_of_shard: int) -> ClipData:
        data = self._clips.get(clip)
        if data is None:
            data = self._clips[clip] = shard.clip_data(clip_of_shard)
        return data

    def close(self) -> None:
        """Close the files."""
        for shard in self._files.values():
            shard.close()
