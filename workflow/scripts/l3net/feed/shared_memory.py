"""Shared memory in which reader processes hand over batches: a pool of buffers, each for one batch.

TensorFlow reads a batch where a reader wrote it; the buffer returns to the pool when no array and no tensor refers to
it any more.
"""

import mmap
import os
import tempfile
import weakref
from collections import deque
from math import prod
from typing import BinaryIO, NamedTuple

import numpy as np

from l3net.media import SAMPLE_RATE
from l3net.runtime import aligned_copy
from l3net.runtime.aligned_memory import ALIGNMENT_BYTES

BATCHES_AHEAD = 3  # batches that readers fill before they are asked for
HELD_BATCHES = 4  # batches that a feed and a training hold
# What a batch has of its samples' recipes, and as what type.
OF_RECIPES = {
    "label": np.int32,
    "flip": np.bool_,
    "saturation": np.float32,
    "brightness": np.float32,
    "saturation_first": np.bool_,
    "gain": np.float32,
}


class BatchBuffer:
    """The memory of one batch: an array of each quantity of its samples, all beginning at multiples of 64 bytes.

    Parameters
    ----------
    memory : memory of `n_bytes` bytes that begins at a multiple of 64.
    batch_size : number of rows.
    image_size : pixels of an image's side.

    Attributes
    ----------
    arrays : by name, audio [shape=(batch_size, 48000), int16], image [shape=(batch_size, image_size, image_size, 3),
        uint8], and the quantities `OF_RECIPES` [shape=(batch_size,)].
    """

    def __init__(self, memory: memoryview, batch_size: int, image_size: int) -> None:
        self.memory = np.frombuffer(memory, np.uint8)
        self._layout = _layout(batch_size, image_size)
        self.arrays = self.parts(self.memory)

    def parts(self, memory: np.ndarray) -> dict[str, np.ndarray]:
        """Return the arrays that lie in `memory`, which is laid out as this buffer's."""
        return {place.name: np.ndarray(place.shape, place.kind, memory, place.first) for place in self._layout}

    @staticmethod
    def n_bytes(batch_size: int, image_size: int) -> int:
        """Return the size of a buffer in bytes, a multiple of 64."""
        return _layout(batch_size, image_size)[-1].end


class _Place(NamedTuple):
    """Where an array lies in a buffer, from byte `first` to before byte `end`, both multiples of 64."""

    name: str
    shape: tuple[int, ...]
    kind: np.dtype
    first: int
    end: int


def _layout(batch_size: int, image_size: int) -> list[_Place]:
    """Return the places of all arrays, in the order of a buffer."""
    of_a_row = {"audio": (SAMPLE_RATE,), "image": (image_size, image_size, 3)}
    places, first = [], 0
    for name, kind in {"audio": np.int16, "image": np.uint8, **OF_RECIPES}.items():
        shape, kind = (batch_size, *of_a_row.get(name, ())), np.dtype(kind)
        end = first + -(-prod(shape) * kind.itemsize // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
        places.append(_Place(name, shape, kind, first, end))
        first = end
    return places


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
    buffers : all of them. One is always kept for the readers beside those that they are filling.
    """

    def __init__(self, buffers: list[BatchBuffer]) -> None:
        self._buffers, self._free = buffers, list(range(len(buffers)))
        self._released: deque[int] = deque()  # finalizers append to it at any moment, so acquire moves its numbers

    def acquire(self) -> int:
        """Return the number of a free buffer: the one used last, which may still be in the processor's cache."""
        while self._released:
            self._free.append(self._released.popleft())
        return self._free.pop()

    def release_when_unused(self, number: int) -> dict[str, np.ndarray]:
        """Return the arrays of an acquired buffer, and release it when nothing refers to any of them any more.

        While buffers are left nothing is copied: the buffer stays acquired as long as there is an array or a tensor
        made of one of its arrays. When they run short all are copied and the buffer released at once.
        """
        buffer = self._buffers[number]
        if not self._free and not self._released:
            self._released.append(number)
            return buffer.parts(aligned_copy(buffer.memory))
        owner = _MemoryOwner(buffer.memory)
        weakref.finalize(owner, self._released.append, number).atexit = False
        return buffer.parts(np.asarray(owner))


class _MemoryOwner:
    """Stands between an array and its memory: what is made of the array refers to this object, not to the memory."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values
        self.__array_interface__ = values.__array_interface__
