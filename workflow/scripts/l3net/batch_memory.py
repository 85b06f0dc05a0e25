"""The memory in which readers hand over a batch: shared by processes, or of this process alone."""

import mmap
import os
import tempfile
from typing import BinaryIO

import numpy as np

from l3net.shard_format import SAMPLE, SAMPLE_RATE

DEPTH = 4  # batches under way at a time
_ALIGNMENT = 64  # bytes; of TensorFlow's own memory


class Slot:
    """The memory of one batch: recipes, sound, and the JPEG bytes of each row at a fixed place.

    Parameters
    ----------
    buffer : the memory, or None for some of its own.
    batch_size : rows.
    frame_bytes : of the largest frame.
    """

    def __init__(self, buffer: memoryview | None, batch_size: int, frame_bytes: int) -> None:
        sizes = self.sizes(batch_size, frame_bytes)
        memory = np.frombuffer(bytearray(sum(sizes)) if buffer is None else buffer, np.uint8)
        audio, recipes, lengths, jpeg = np.split(memory, np.cumsum(sizes)[:-1])
        self.audio = audio.view(np.int16).reshape(batch_size, SAMPLE_RATE)
        self.recipes = recipes[: batch_size * SAMPLE.itemsize].view(SAMPLE)
        self.lengths = lengths[: batch_size * 4].view(np.int32)
        self.jpeg = jpeg[: batch_size * frame_bytes].reshape(batch_size, frame_bytes)

    @staticmethod
    def sizes(batch_size: int, frame_bytes: int) -> list[int]:
        """Return the bytes of the pieces, each a multiple of 64."""
        pieces = (2 * SAMPLE_RATE, SAMPLE.itemsize, 4, frame_bytes)
        return [-(-batch_size * piece // 64) * 64 for piece in pieces]


def shared(batch_size: int, frame_bytes: int) -> BinaryIO:
    """Return an open file without a name, in memory where the system can, for `DEPTH` batches."""
    in_memory = hasattr(os, "memfd_create")
    file = os.fdopen(os.memfd_create("feed"), "r+b") if in_memory else tempfile.TemporaryFile()  # noqa: SIM115
    file.truncate(sum(Slot.sizes(batch_size, frame_bytes)) * DEPTH)
    return file


def slots(descriptor: int, batch_size: int, frame_bytes: int) -> list[Slot]:
    """Return the `DEPTH` slots in a file that `shared` made."""
    size = sum(Slot.sizes(batch_size, frame_bytes))
    memory = memoryview(mmap.mmap(descriptor, size * DEPTH))
    return [Slot(memory[i * size : (i + 1) * size], batch_size, frame_bytes) for i in range(DEPTH)]


def aligned_copy(values: np.ndarray) -> np.ndarray:
    """Return a copy that TensorFlow takes over as it stands, without a copy of its own."""
    memory = np.empty(values.nbytes + _ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % _ALIGNMENT
    copy = memory[first : first + values.nbytes].view(values.dtype).reshape(values.shape)
    copy[:] = values
    return copy
