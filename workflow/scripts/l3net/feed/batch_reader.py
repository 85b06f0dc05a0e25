"""Reading batches of samples from shards: in this process, or in reader processes that fill shared memory.

A reader knows the order of the whole stream and fills the rows of each batch whose clips are its own, so batches do not
depend on the number of readers. Memory of all readers together: the clips of the shuffle buffer (0.5 GB by default at
224 pixels and 10 s), and `BATCHES_AHEAD + held` batches at most in shared memory.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import numpy as np

from l3net.errors import ShardError
from l3net.feed.batch_filler import BatchFiller, FilledRows, ReadPlan
from l3net.feed.reader_process import ReaderProcess
from l3net.feed.shared_memory import (
    BATCHES_AHEAD,
    HELD_BATCHES,
    BatchBuffer,
    BufferPool,
    create_shared_file,
    map_buffers,
)
from l3net.samples import read_shard_index


class ReadBatch(NamedTuple):
    """A batch as it was read.

    Attributes
    ----------
    arrays : its images, its sound and what else is a number (`shared_memory.BatchBuffer`); they stay as they are.
    sample_ids : names of the samples, ``{subset}/{part}/{n}``.
    label_mids : labels of the clips that are heard, mids joined by commas.
    """

    arrays: dict[str, np.ndarray]
    sample_ids: list[str]
    label_mids: list[str]


@dataclass(frozen=True)
class ReaderTask:
    """What a reader process is to do: its share of a plan.

    Parameters
    ----------
    plan : what all readers read together.
    number, n_readers : which of how many readers it is.
    image_size : pixels of an image's side.
    """

    plan: ReadPlan
    number: int
    n_readers: int
    image_size: int


def read_batches(plan: ReadPlan, workers: int = 1, held: int = HELD_BATCHES) -> Iterator[ReadBatch]:
    """Yield the batches of the plan.

    Parameters
    ----------
    plan : what to read.
    workers : number of reader processes; 0 reads in this process.
    held : number of batches that are held at a time; further ones are copied.

    Raises
    ------
    ShardError
        A shard cannot be read, or a reader process has ended.
    """
    image_size = read_shard_index(Path(plan.index)).image_size
    with create_shared_file(BATCHES_AHEAD + held, plan.batch_size, image_size) as file:
        buffers = map_buffers(file.fileno(), plan.batch_size, image_size)
        if workers:
            tasks = [ReaderTask(plan, number, workers, image_size) for number in range(workers)]
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
            yield ReadBatch(pool.release_when_unused(number), texts.sample_ids, texts.label_mids)
            fill_another()
    finally:
        for reader in readers:
            reader.stop()


def _in_order_of_rows(parts: list[FilledRows]) -> FilledRows:
    """Join what the readers filled, in the order of the batch."""
    if len(parts) == 1:
        return parts[0]
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
        buffers = map_buffers(memory, plan.batch_size, task.image_size)
        for batch in range(plan.first_batch, plan.end_batch):
            pipe.send(filler.fill(batch, buffers[pipe.recv()]))
        pipe.recv()
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        return  # the parent has gone, or wants no more
    except ShardError as error:
        pipe.send(str(error))
