"""Shared memory in which reader processes hand over batches: a pool of buffers, each for one batch.

Nine tenths of a compressed batch are sound. TensorFlow reads it where a reader wrote it; the buffer returns to the pool
when no array and no tensor refers to its sound any more.
"""

import mmap
import os
import tempfile
import weakref
from collections import deque
from typing import BinaryIO

import numpy as np

from l3net.media import SAMPLE_RATE
from l3net.runtime import aligned_copy
from l3net.runtime.aligned_memory import ALIGNMENT_BYTES
from l3net.samples import SAMPLE

BATCHES_AHEAD = 3  # batches that readers fill before they are asked for
_DECODED_BATCHES = 4  # batches that a feed holds beside those that its cores work on


class BatchBuffer:
    """The memory of one batch: recipes, sound, and the JPEG bytes of each row at a fixed place.

    Parameters
    ----------
    memory : memory of `n_bytes` bytes that begins at a multiple of 64.
    batch_size : number of rows.
    image_bytes : size of the largest image, in bytes.

    Attributes
    ----------
    audio : seconds of sound [shape=(batch_size, 48000), int16].
    recipes : the rows' recipes [shape=(batch_size,), SAMPLE].
    lengths : sizes of the images, in bytes [shape=(batch_size,), int32].
    jpeg : the images, each from the start of its row on [shape=(batch_size, image_bytes), uint8].
    """

    def __init__(self, memory: memoryview, batch_size: int, image_bytes: int) -> None:
        sizes = self._sizes(batch_size, image_bytes)
        audio, recipes, lengths, jpeg = np.split(np.frombuffer(memory, np.uint8), np.cumsum(sizes)[:-1])
        self.audio = audio[: batch_size * 2 * SAMPLE_RATE].view(np.int16).reshape(batch_size, SAMPLE_RATE)
        self.recipes = recipes[: batch_size * SAMPLE.itemsize].view(SAMPLE)
        self.lengths = lengths[: batch_size * 4].view(np.int32)
        self.jpeg = jpeg[: batch_size * image_bytes].reshape(batch_size, image_bytes)

    @classmethod
    def n_bytes(cls, batch_size: int, image_bytes: int) -> int:
        """Return the size of a buffer in bytes, a multiple of 64."""
        return sum(cls._sizes(batch_size, image_bytes))

    @staticmethod
    def _sizes(batch_size: int, image_bytes: int) -> list[int]:
        of_a_row = (2 * SAMPLE_RATE, SAMPLE.itemsize, 4, image_bytes)
        return [-(-batch_size * size // ALIGNMENT_BYTES) * ALIGNMENT_BYTES for size in of_a_row]


def n_buffers() -> int:
    """Return how many buffers a feed of this machine can make use of."""
    return BATCHES_AHEAD + _DECODED_BATCHES + (os.cpu_count() or 1)


def create_shared_file(n: int, batch_size: int, image_bytes: int) -> BinaryIO:
    """Open a new file without a name for `n` buffers, in memory where the system can; its pages fill as they are used.

    Parameters
    ----------
    n : number of buffers.
    batch_size : number of rows of each.
    image_bytes : size of the largest image, in bytes.
    """
    in_memory = hasattr(os, "memfd_create")
    file = os.fdopen(os.memfd_create("feed"), "r+b") if in_memory else tempfile.TemporaryFile()  # noqa: SIM115
    file.truncate(n * BatchBuffer.n_bytes(batch_size, image_bytes))
    return file


def map_buffers(descriptor: int, batch_size: int, image_bytes: int) -> list[BatchBuffer]:
    """Map the buffers of a file that `create_shared_file` made into this process's memory."""
    size = BatchBuffer.n_bytes(batch_size, image_bytes)
    memory = memoryview(mmap.mmap(descriptor, 0))
    return [BatchBuffer(memory[first : first + size], batch_size, image_bytes) for first in range(0, len(memory), size)]


class BufferPool:
    """Keeps account of buffers: which are free, and which hold sound that is still used.

    Parameters
    ----------
    buffers : all of them, `BATCHES_AHEAD` + 1 or more. So many as `BATCHES_AHEAD` are always kept for the readers.
    """

    def __init__(self, buffers: list[BatchBuffer]) -> None:
        self._buffers, self._free = buffers, list(range(len(buffers)))
        self._released: deque[int] = deque()  # finalizers append to it at any moment, so acquire moves its numbers

    def acquire(self) -> int:
        """Return the number of a free buffer: the one used last, which may still be in the processor's cache."""
        while self._released:
            self._free.append(self._released.popleft())
        return self._free.pop()

    def release_when_unused(self, number: int) -> np.ndarray:
        """Return the sound of an acquired buffer, and release the buffer when nothing refers to that sound any more.

        While buffers are left the sound is not copied: the buffer stays acquired as long as there is an array or a
        tensor made of it. When they run short the sound is copied and the buffer released at once.
        """
        audio = self._buffers[number].audio
        if len(self._free) + len(self._released) < BATCHES_AHEAD:
            self._released.append(number)
            return aligned_copy(audio)
        owner = _MemoryOwner(audio)
        weakref.finalize(owner, self._released.append, number).atexit = False
        return np.asarray(owner)


class _MemoryOwner:
    """Stands between an array and its memory: what is made of the array refers to this object, not to the memory."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values
        self.__array_interface__ = values.__array_interface__
