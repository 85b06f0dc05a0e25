"""Reading batches of compressed samples from shards: in this process, or in reader processes that fill shared memory.

A reader knows the order of the whole stream and fills the rows of each batch whose clips are its own, so batches do not
depend on the number of readers. Reader processes import numpy and h5py only, and each opens its own files. Memory of
all readers together: the clips of the shuffle buffer (about 4 MB each at 224 pixels and 10 s, 0.5 GB by default), and
`shared_memory.n_buffers` batches at most in shared memory.
"""

from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import numpy as np

from l3net.errors import ShardError
from l3net.feed.reader_process import ReaderProcess
from l3net.feed.shared_memory import BATCHES_AHEAD, BatchBuffer, BufferPool, create_shared_file, map_buffers, n_buffers
from l3net.feed.shuffle_order import ShuffleOrder
from l3net.media import SAMPLE_RATE
from l3net.samples import ClipData, Shard, read_shard_index


class CompressedBatch(NamedTuple):
    """A batch as it was read.

    Attributes
    ----------
    buffer : its images and recipes; filled again once the next batch is asked for.
    audio : its sound, which stays as it is [shape=(batch_size, 48000), int16].
    sample_ids : names of the samples, ``{subset}/{part}/{n}``.
    label_mids : labels of the clips that are heard, mids joined by commas.
    """

    buffer: BatchBuffer
    audio: np.ndarray
    sample_ids: list[str]
    label_mids: list[str]


@dataclass(frozen=True, kw_only=True)
class ReadPlan:
    """What to read: a stretch of batches of the stream of samples.

    Parameters
    ----------
    index : path of the index of the split.
    batch_size : number of samples of a batch.
    first_batch, end_batch : the stretch's first batch, and the one after its last, counted from the stream's start.
    seed, shuffle, shuffle_buffer_clips : the order of the stream (`shuffle_order.ShuffleOrder`).
    """

    index: str
    batch_size: int
    first_batch: int
    end_batch: int
    seed: int
    shuffle: bool = True
    shuffle_buffer_clips: int = 128


@dataclass(frozen=True)
class ReaderTask:
    """What a reader process is to do: its share of a plan.

    Parameters
    ----------
    plan : what all readers read together.
    number, n_readers : which of how many readers it is.
    image_bytes : size of the largest image, in bytes.
    """

    plan: ReadPlan
    number: int
    n_readers: int
    image_bytes: int


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
        filled = FilledRows(rows.tolist())
        for row, (clip, sample) in zip(filled.rows, samples[rows].tolist(), strict=True):
            recipe, shard = self._fill_row(buffer, row, clip, sample)
            filled.sample_ids.append(f"{self.index.subset}/{shard.part}/{recipe['n']}")
            filled.label_mids.append(shard.labels[recipe["sound"]])
        return filled

    def _fill_row(self, buffer: BatchBuffer, row: int, clip: int, sample: int) -> tuple[np.void, Shard]:
        """Write a sample of a clip, counted over all shards, into a row; return its recipe and shard."""
        number = bisect_right(self._ends, clip)
        shard = self._shard(number)
        clip_of_shard = clip - (self._ends[number - 1] if number else 0)
        if self.plan.shuffle:
            source, i = self._clip(clip, shard, clip_of_shard), sample
        else:  # its clip's other samples come much later, so only this one is read
            source, i = shard, clip_of_shard * shard.samples_per_clip + sample
        recipe, jpeg = source.samples[i], source.image(i)
        sound, start = int(recipe["sound"]), int(recipe["start"])
        if self.plan.shuffle and sound == clip_of_shard:
            buffer.audio[row] = source.pcm[start : start + SAMPLE_RATE]
        else:
            shard.window(sound, start, buffer.audio[row])
        buffer.recipes[row] = recipe
        buffer.lengths[row] = len(jpeg)
        buffer.jpeg[row, : len(jpeg)] = jpeg
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
        entry = self.index.shards[number]
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


def read_batches(plan: ReadPlan, workers: int = 1) -> Iterator[CompressedBatch]:
    """Yield the batches of the plan.

    Parameters
    ----------
    plan : what to read.
    workers : number of reader processes; 0 reads in this process.

    Raises
    ------
    ShardError
        A shard cannot be read, or a reader process has ended.
    """
    image_bytes = read_shard_index(Path(plan.index)).largest_image_bytes
    with create_shared_file(n_buffers(), plan.batch_size, image_bytes) as file:
        buffers = map_buffers(file.fileno(), plan.batch_size, image_bytes)
        if workers:
            tasks = [ReaderTask(plan, number, workers, image_bytes) for number in range(workers)]
            readers = [ReaderProcess(file.fileno(), task) for task in tasks]
        else:
            readers = [_ReaderHere(plan, buffers)]
    pool, being_filled = BufferPool(buffers), deque()

    def fill_another() -> None:
        being_filled.append(pool.acquire())
        for reader in readers:
            reader.send(being_filled[-1])

    try:
        for _ in range(BATCHES_AHEAD):
            fill_another()
        for _ in range(plan.first_batch, plan.end_batch):
            texts = _in_order_of_rows([reader.receive() for reader in readers])
            number = being_filled.popleft()
            yield CompressedBatch(buffers[number], pool.release_when_unused(number), texts.sample_ids, texts.label_mids)
            fill_another()
    finally:
        for reader in readers:
            reader.stop()


def _in_order_of_rows(parts: list[FilledRows]) -> FilledRows:
    """Join what the readers filled, in the order of the batch."""
    texts = sorted(text for part in parts for text in zip(part.rows, part.sample_ids, part.label_mids, strict=True))
    return FilledRows(*map(list, zip(*texts, strict=True)))


class _ReaderHere:
    """A reader that does its work in this process; it is used as a `ReaderProcess` is."""

    def __init__(self, plan: ReadPlan, buffers: list[BatchBuffer]) -> None:
        self._filler, self._buffers = BatchFiller(plan), buffers
        self._batches, self._asked_for = count(plan.first_batch), deque()

    def send(self, number: int) -> None:
        self._asked_for.append(number)

    def receive(self) -> FilledRows:
        return self._filler.fill(next(self._batches), self._buffers[self._asked_for.popleft()])

    def stop(self) -> None:
        self._filler.close()


def serve(connection: int, memory: int) -> None:
    """Fill the buffers in shared memory, batch after batch: the main function of a reader process.

    Parameters
    ----------
    connection : descriptor of the pipe; a `ReaderTask` comes first, then the numbers of the buffers to fill.
    memory : descriptor of the shared memory.
    """
    pipe = Connection(connection)
    task: ReaderTask = pipe.recv()
    plan = task.plan
    try:
        filler = BatchFiller(plan, task.number, task.n_readers)
        buffers = map_buffers(memory, plan.batch_size, task.image_bytes)
        for batch in range(plan.first_batch, plan.end_batch):
            pipe.send(filler.fill(batch, buffers[pipe.recv()]))
        pipe.recv()
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        return  # the parent has gone, or wants no more
    except ShardError as error:
        pipe.send(str(error))
