"""Reading batches of compressed samples from shards: in this process, or in reader processes that fill shared memory.

A reader knows the order of the whole stream and fills the rows of each batch whose clips are its own, so batches do not
depend on the number of readers. Reader processes import numpy and h5py only; each is a fresh interpreter (no fork:
TensorFlow and HDF5 have locks) that opens its own files. Memory of all readers together: `mix` clips (about 4 MB each
at 224 pixels and 10 s, 0.5 GB by default), and `batch_memory.n_slots` batches at most in shared memory.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
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

Texts = list[tuple[int, str, str]]


class CompressedBatch(NamedTuple):
    """Some samples: their slot, good until the next batch is asked for; their sound, good for as long as it is held."""

    slot: BatchBuffer
    audio: np.ndarray
    sample_ids: list[str]
    label_mids: list[str]


@dataclass(frozen=True)
class ReadPlan:
    """What to read: the batches `first` to ``last - 1`` of a stream of samples.

    Parameters
    ----------
    index : path of the index of the split.
    batch_size : samples of a batch.
    first, last : batches, counted from the stream's start.
    seed : of the order.
    shuffle, mix : see `feed_order.Order`.
    """

    index: str
    batch_size: int
    first: int
    last: int
    seed: int
    shuffle: bool = True
    mix: int = 128


class BatchFiller:
    """Fills batches with the samples of the clips that belong to reader `number` of `readers`."""

    def __init__(self, plan: ReadPlan, number: int = 0, readers: int = 1) -> None:
        self.index = read_shard_index(Path(plan.index))
        self.plan, self.number, self.readers = plan, number, readers
        self.ends = np.cumsum([shard.n_clips for shard in self.index.shards])
        self.order = ShuffleOrder(self.index.n_clips, self.index.samples_per_clip, plan.seed, plan.shuffle, plan.mix)
        self._files: OrderedDict[int, Shard] = OrderedDict()
        self._clips: dict[int, ClipData] = {}

    @property
    def n_clips_held(self) -> int:
        """Clips in memory."""
        return len(self._clips)

    def fill(self, batch: int, slot: BatchBuffer) -> Texts:
        """Write this reader's rows of a batch; return their row, sample id and labels."""
        span = batch * self.plan.batch_size, self.plan.batch_size
        if self.plan.shuffle:
            for clip in self._clips.keys() - self.order.mixed(*span):
                del self._clips[clip]
        places = self.order.place(*span)
        mine = np.flatnonzero(places[:, 0] % self.readers == self.number)
        clips, samples = places[mine].T
        shards = np.searchsorted(self.ends, clips, side="right")
        rows = zip(mine.tolist(), shards.tolist(), clips.tolist(), samples.tolist(), strict=True)
        return [self._fill_row(slot, *row) for row in rows]

    def _fill_row(self, slot: BatchBuffer, row: int, number: int, clip: int, sample: int) -> tuple[int, str, str]:
        shard = self._shard(number)
        local = clip - (int(self.ends[number - 1]) if number else 0)
        if self.plan.shuffle:
            data, i = self._clip(clip, shard, local), sample
        else:
            data, i = shard, local * shard.samples_per_clip + sample
        recipe, jpeg = data.samples[i], data.image(i)
        sound, start = int(recipe["sound"]), int(recipe["start"])
        if self.plan.shuffle and sound == local:
            slot.audio[row] = data.pcm[start : start + SAMPLE_RATE]
        else:
            shard.window(sound, start, slot.audio[row])
        slot.recipes[row] = recipe
        slot.lengths[row] = len(jpeg)
        slot.jpeg[row, : len(jpeg)] = jpeg
        return row, f"{self.index.subset}/{shard.part}/{recipe['n']}", shard.labels[sound]

    def _shard(self, number: int) -> Shard:
        shard = self._files.get(number)
        if shard is None:
            shard = self._files[number] = self._open(number)
            while len(self._files) > self.order.mix + 1:  # each clip that is being mixed may be of another file
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

    def _clip(self, clip: int, shard: Shard, local: int) -> ClipData:
        data = self._clips.get(clip)
        if data is None:
            data = self._clips[clip] = shard.clip_data(local)
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
    workers : reader processes; 0 reads in this process.

    Raises
    ------
    ShardError
        A shard that cannot be read, or a reader process that ended.
    """
    image_bytes = read_shard_index(Path(plan.index)).largest_image_bytes
    with create_shared_file(n_buffers(), plan.batch_size, image_bytes) as file:
        slots = map_buffers(file.fileno(), plan.batch_size, image_bytes)
        readers = _start(plan, workers, file.fileno(), image_bytes) if workers else [_Here(plan, slots)]
    lender, filling = BufferPool(slots), deque()

    def fill_another() -> None:
        filling.append(lender.take())
        for reader in readers:
            reader.send(filling[-1])

    try:
        for _ in range(BATCHES_AHEAD):
            fill_another()
        for _ in range(plan.first, plan.last):
            texts = sorted(text for reader in readers for text in reader.receive())
            number = filling.popleft()
            slot = slots[number]
            yield CompressedBatch(
                slot, lender.lend(number), [name for _, name, _ in texts], [mids for _, _, mids in texts]
            )
            fill_another()
    finally:
        for reader in readers:
            reader.stop()


def _start(plan: ReadPlan, workers: int, memory: int, image_bytes: int) -> list[ReaderProcess]:
    greetings = [(plan, number, workers, image_bytes) for number in range(workers)]
    return [ReaderProcess("batch_reader", memory, greeting) for greeting in greetings]


class _Here:
    """A reader that does its work in this process; used as a `ReaderProcess` is."""

    def __init__(self, plan: ReadPlan, slots: list[BatchBuffer]) -> None:
        self._filler, self._slots, self._batches, self._wanted = BatchFiller(plan), slots, count(plan.first), deque()

    def send(self, number: int) -> None:
        self._wanted.append(number)

    def receive(self) -> Texts:
        return self._filler.fill(next(self._batches), self._slots[self._wanted.popleft()])

    def stop(self) -> None:
        self._filler.close()


def serve(connection: int, memory: int) -> None:
    """Fill the slots in `memory` batch after batch; the main function of a reader process."""
    pipe = Connection(connection)
    plan, number, readers, image_bytes = pipe.recv()
    try:
        filler = BatchFiller(plan, number, readers)
        slots = map_buffers(memory, plan.batch_size, image_bytes)
        for batch in range(plan.first, plan.last):
            pipe.send(filler.fill(batch, slots[pipe.recv()]))
        pipe.recv()
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        return  # the parent has gone or wants no more
    except ShardError as error:
        pipe.send(str(error))
