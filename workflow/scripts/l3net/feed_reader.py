"""Reading batches of compressed samples from shards: in this process, or in reader processes that fill shared memory.

A reader knows the order of the whole stream and fills the rows of each batch whose clips are its own, so batches do not
depend on the number of readers. Reader processes import numpy and h5py only; each is a fresh interpreter (no fork:
TensorFlow and HDF5 have locks) that opens its own files. Memory of all readers together: `mix` clips (about 3 MB each
at 256 pixels and 10 s, 0.4 GB by default), and `batch_memory.DEPTH` batches in shared memory.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from l3net import batch_memory, shard_index
from l3net.batch_memory import DEPTH, Slot
from l3net.errors import ShardError
from l3net.feed_order import Order
from l3net.reader_processes import ReaderProcess
from l3net.shard_format import SAMPLE_RATE
from l3net.shards import ClipData, Shard

Texts = list[tuple[int, str, str]]


@dataclass(frozen=True)
class Plan:
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


class Filler:
    """Fills batches with the samples of the clips that belong to reader `number` of `readers`."""

    def __init__(self, plan: Plan, number: int = 0, readers: int = 1) -> None:
        self.index = shard_index.read(Path(plan.index))
        self.plan, self.number, self.readers = plan, number, readers
        self.ends = np.cumsum([shard.n_clips for shard in self.index.shards])
        self.order = Order(self.index.n_clips, self.index.samples_per_clip, plan.seed, plan.shuffle, plan.mix)
        self._files: OrderedDict[int, Shard] = OrderedDict()
        self._clips: dict[int, ClipData] = {}

    @property
    def n_clips_held(self) -> int:
        """Clips in memory."""
        return len(self._clips)

    def fill(self, batch: int, slot: Slot) -> Texts:
        """Write this reader's rows of a batch; return their row, sample id and labels."""
        span = batch * self.plan.batch_size, self.plan.batch_size
        if self.plan.shuffle:
            for clip in self._clips.keys() - self.order.mixed(*span):
                del self._clips[clip]
        places = self.order.place(*span)
        mine = np.flatnonzero(places[:, 0] % self.readers == self.number)
        return [self._fill_row(slot, row, *places[row].tolist()) for row in mine.tolist()]

    def _fill_row(self, slot: Slot, row: int, clip: int, sample: int) -> tuple[int, str, str]:
        shard, local = self._shard_of(clip)
        data = self._clip(clip, shard, local) if self.plan.shuffle else None
        recipe = data.samples[sample] if data else shard.samples[local * shard.samples_per_clip + sample]
        n, _, frame, sound, start, *_ = recipe.item()
        jpeg = data.frame(frame - int(shard.clips["first_frame"][local])) if data else shard.frame(frame)
        if data and sound == local:
            slot.audio[row] = data.pcm[start : start + SAMPLE_RATE]
        else:
            shard.window(sound, start, slot.audio[row])
        slot.recipes[row] = recipe
        slot.lengths[row] = len(jpeg)
        slot.jpeg[row, : len(jpeg)] = np.frombuffer(jpeg, np.uint8)
        return row, f"{self.index.subset}/{shard.attributes['part']}/{n}", shard.labels[sound].decode()

    def _shard_of(self, clip: int) -> tuple[Shard, int]:
        number = int(np.searchsorted(self.ends, clip, side="right"))
        shard = self._files.get(number)
        if shard is None:
            shard = self._files[number] = self._open(number)
            while len(self._files) > self.order.mix + 1:  # each clip that is being mixed may be of another file
                self._files.popitem(last=False)[1].close()
        self._files.move_to_end(number)
        return shard, clip - (int(self.ends[number - 1]) if number else 0)

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


def read_batches(plan: Plan, workers: int = 1) -> Iterator[tuple[Slot, list[str], list[str]]]:
    """Yield each batch of the plan: its slot (good until the next is asked for), sample ids and labels.

    Parameters
    ----------
    plan : what to read.
    workers : reader processes; 0 reads in this process.

    Raises
    ------
    ShardError
        A shard that cannot be read, or a reader process that ended.
    """
    if workers == 0:
        return _read_here(plan)
    return _read_in_processes(plan, workers)


def _read_here(plan: Plan) -> Iterator[tuple[Slot, list[str], list[str]]]:
    filler = Filler(plan)
    slot = Slot(None, plan.batch_size, filler.index.largest_frame_bytes)
    try:
        for batch in range(plan.first, plan.last):
            yield slot, *_texts([filler.fill(batch, slot)], plan.batch_size)
    finally:
        filler.close()


def _texts(filled: list[Texts], batch_size: int) -> tuple[list[str], list[str]]:
    ids, labels = [""] * batch_size, [""] * batch_size
    for texts in filled:
        for row, name, mids in texts:
            ids[row], labels[row] = name, mids
    return ids, labels


def _read_in_processes(plan: Plan, workers: int) -> Iterator[tuple[Slot, list[str], list[str]]]:
    frame_bytes = shard_index.read(Path(plan.index)).largest_frame_bytes
    with batch_memory.shared(plan.batch_size, frame_bytes) as file:
        slots = batch_memory.slots(file.fileno(), plan.batch_size, frame_bytes)
        readers = [
            ReaderProcess("feed_reader", file.fileno(), (plan, number, workers, frame_bytes))
            for number in range(workers)
        ]
    try:
        for reader in [*readers] * (DEPTH - 1):  # one slot stays with the consumer
            reader.send(None)
        for batch in range(plan.first, plan.last):
            filled = [reader.receive() for reader in readers]
            yield slots[batch % DEPTH], *_texts(filled, plan.batch_size)
            for reader in readers:
                reader.send(None)
    finally:
        for reader in readers:
            reader.stop()


def serve(connection: int, memory: int) -> None:
    """Fill the slots in `memory` batch after batch; the main function of a reader process."""
    pipe = Connection(connection)
    plan, number, readers, frame_bytes = pipe.recv()
    try:
        filler = Filler(plan, number, readers)
        slots = batch_memory.slots(memory, plan.batch_size, frame_bytes)
        for batch in range(plan.first, plan.last):
            pipe.recv()
            pipe.send(filler.fill(batch, slots[batch % DEPTH]))
        pipe.recv()
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        return  # the parent has gone or wants no more
    except ShardError as error:
        pipe.send(str(error))
