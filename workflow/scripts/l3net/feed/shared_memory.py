"""The memory in which readers hand over batches, shared by processes, and lent to whoever takes a batch's sound."""

import mmap
import os
import tempfile
import weakref
from collections import deque
from typing import BinaryIO

import numpy as np

from l3net.media import SAMPLE_RATE
from l3net.samples import SAMPLE

BATCHES_AHEAD = 3  # batches that readers fill before they are asked for
_DECODED = 4  # batches that a feed holds beside those that its cores work on
_ALIGNMENT = 64  # bytes; of TensorFlow's own memory


class BatchBuffer:
    """The memory of one batch: recipes, sound, and the JPEG bytes of each row at a fixed place.

    Parameters
    ----------
    memory : of `size` bytes.
    batch_size : rows.
    image_bytes : of the largest image.
    """

    def __init__(self, memory: memoryview, batch_size: int, image_bytes: int) -> None:
        sizes = self._sizes(batch_size, image_bytes)
        audio, recipes, lengths, jpeg = np.split(np.frombuffer(memory, np.uint8), np.cumsum(sizes)[:-1])
        self.audio = audio[: batch_size * 2 * SAMPLE_RATE].view(np.int16).reshape(batch_size, SAMPLE_RATE)
        self.recipes = recipes[: batch_size * SAMPLE.itemsize].view(SAMPLE)
        self.lengths = lengths[: batch_size * 4].view(np.int32)
        self.jpeg = jpeg[: batch_size * image_bytes].reshape(batch_size, image_bytes)

    @classmethod
    def size(cls, batch_size: int, image_bytes: int) -> int:
        """Return the bytes of a slot, a multiple of 64."""
        return sum(cls._sizes(batch_size, image_bytes))

    @staticmethod
    def _sizes(batch_size: int, image_bytes: int) -> list[int]:
        row = (2 * SAMPLE_RATE, SAMPLE.itemsize, 4, image_bytes)
        return [-(-batch_size * part // _ALIGNMENT) * _ALIGNMENT for part in row]


def n_buffers() -> int:
    """Return how many slots a feed of this machine can make use of."""
    return BATCHES_AHEAD + _DECODED + (os.cpu_count() or 1)


def create_shared_file(n: int, batch_size: int, image_bytes: int) -> BinaryIO:
    """Return an open file without a name, in memory where the system can, for `n` slots; it fills as they are used."""
    in_memory = hasattr(os, "memfd_create")
    file = os.fdopen(os.memfd_create("feed"), "r+b") if in_memory else tempfile.TemporaryFile()  # noqa: SIM115
    file.truncate(n * BatchBuffer.size(batch_size, image_bytes))
    return file


def map_buffers(descriptor: int, batch_size: int, image_bytes: int) -> list[BatchBuffer]:
    """Return the slots in a file that `shared` made."""
    size = BatchBuffer.size(batch_size, image_bytes)
    memory = memoryview(mmap.mmap(descriptor, 0))
    return [BatchBuffer(memory[first : first + size], batch_size, image_bytes) for first in range(0, len(memory), size)]


class BufferPool:
    """Keeps account of slots: which are free, and which hold sound that somebody still uses.

    Parameters
    ----------
    slots : all of them, `AHEAD` + 1 or more; those of `AHEAD` are never lent.
    """

    def __init__(self, slots: list[BatchBuffer]) -> None:
        self._slots, self._free = slots, list(range(len(slots)))
        self._returned: deque[int] = deque()

    def take(self) -> int:
        """Return the number of a free slot, the one that was used last: it may still be in the processor's cache."""
        while self._returned:
            self._free.append(self._returned.popleft())
        return self._free.pop()

    def lend(self, number: int) -> np.ndarray:
        """Return the sound of a slot that was taken, without a copy while slots are left.

        The slot is free again when nothing refers to the sound any more, no array and no tensor that was made of it.
        """
        audio = self._slots[number].audio
        if len(self._free) + len(self._returned) < BATCHES_AHEAD:
            self._returned.append(number)
            return aligned_copy(audio)
        loan = _Loan(audio)
        weakref.finalize(loan, self._returned.append, number).atexit = False
        return np.asarray(loan)


class _Loan:
    """Stands between an array and its memory: all that is made of the array refers to this, not to the memory."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values
        self.__array_interface__ = values.__array_interface__


def aligned_copy(values: np.ndarray) -> np.ndarray:
    """Return a copy that TensorFlow takes over as it stands, without a copy of its own."""
    memory = np.empty(values.nbytes + _ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % _ALIGNMENT
    copy = memory[first : first + values.nbytes].view(values.dtype).reshape(values.shape)
    copy[:] = values
    return copy
