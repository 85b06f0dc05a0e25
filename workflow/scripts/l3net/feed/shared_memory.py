"""Shared memory in which reader processes hand over batches: a pool of buffers, each for one batch.

TensorFlow reads images and sound where a reader wrote them; the buffer returns to the pool when no array and no tensor
refers to either any more.
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
_HANDED_OVER = 4  # batches that a feed and a training hold


class BatchBuffer:
    """The memory of one batch: sound, images and recipes.

    Parameters
    ----------
    memory : memory of `n_bytes` bytes that begins at a multiple of 64.
    batch_size : number of rows.
    image_size : pixels of an image's side.

    Attributes
    ----------
    audio : seconds of sound [shape=(batch_size, 48000), int16].
    image : the images [shape=(batch_size, image_size, image_size, 3), uint8].
    recipes : the rows' recipes [shape=(batch_size,), SAMPLE].
    """

    def __init__(self, memory: memoryview, batch_size: int, image_size: int) -> None:
        self.memory = np.frombuffer(memory, np.uint8)
        self._shape = batch_size, image_size
        self.audio, self.image, self.recipes = self.parts(self.memory)

    def parts(self, memory: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return `memory`, which is laid out as this buffer's, as sound, images and recipes."""
        n, size = self._shape
        audio, image, recipes = np.split(memory, np.cumsum(self._sizes(n, size))[:-1])
        return (
            audio[: n * 2 * SAMPLE_RATE].view(np.int16).reshape(n, SAMPLE_RATE),
            image[: n * size * size * 3].reshape(n, size, size, 3),
            recipes[: n * SAMPLE.itemsize].view(SAMPLE),
        )

    @classmethod
    def n_bytes(cls, batch_size: int, image_size: int) -> int:
        """Return the size of a buffer in bytes, a multiple of 64."""
        return sum(cls._sizes(batch_size, image_size))

    @staticmethod
    def _sizes(batch_size: int, image_size: int) -> list[int]:
        of_a_row = (2 * SAMPLE_RATE, image_size * image_size * 3, SAMPLE.itemsize)
        return [-(-batch_size * size // ALIGNMENT_BYTES) * ALIGNMENT_BYTES for size in of_a_row]


def n_buffers() -> int:
    """Return how many buffers a feed can make use of."""
    return BATCHES_AHEAD + _HANDED_OVER


def create_shared_file(n: int, batch_size: int, image_size: int) -> BinaryIO:
    """Open a new file without a name for `n` buffers, in memory where the system can; its pages fill as they are used.

    Parameters
    ----------
    n : number of buffers.
    batch_size : number of rows of each.
    image_size : pixels of an image's side.
    """
    in_memory = hasattr(os, "memfd_create")
    file = os.fdopen(os.memfd_create("feed"), "r+b") if in_memory else tempfile.TemporaryFile()  # noqa: SIM115
    file.truncate(n * BatchBuffer.n_bytes(batch_size, image_size))
    return file


def map_buffers(descriptor: int, batch_size: int, image_size: int) -> list[BatchBuffer]:
    """Map the buffers of a file that `create_shared_file` made into this process's memory."""
    size = BatchBuffer.n_bytes(batch_size, image_size)
    memory = memoryview(mmap.mmap(descriptor, 0))
    return [BatchBuffer(memory[first : first + size], batch_size, image_size) for first in range(0, len(memory), size)]


class BufferPool:
    """Keeps account of buffers: which are free, and which hold what is still used.

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

    def release_when_unused(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return sound and images of an acquired buffer, and release it when nothing refers to them any more.

        While buffers are left nothing is copied: the buffer stays acquired as long as there is an array or a tensor
        made of its sound or its images. When they run short both are copied and the buffer released at once.
        """
        buffer = self._buffers[number]
        if len(self._free) + len(self._released) < BATCHES_AHEAD:
            self._released.append(number)
            return aligned_copy(buffer.audio), aligned_copy(buffer.image)
        owner = _MemoryOwner(buffer.memory)
        weakref.finalize(owner, self._released.append, number).atexit = False
        return buffer.parts(np.asarray(owner))[:2]


class _MemoryOwner:
    """Stands between an array and its memory: what is made of the array refers to this object, not to the memory."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values
        self.__array_interface__ = values.__array_interface__
