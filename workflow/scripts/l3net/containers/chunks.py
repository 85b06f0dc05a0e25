"""Chunks of WAVE, AIFF, Wave64 and CAF: a name, a size and contents, one behind the other, and where the sound ends."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from l3net.containers.packets import MOST_PARTS

# What writers to a pipe, which cannot go back, put in the place of a size: ffmpeg, SoX and arecord.
PIPE_SIZES = {0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF}
_UNKNOWN_SIZE = (1 << 64) - 1


def chunks(file: BinaryIO, start: int, header: str, n_bytes: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (name, offset of the contents, their size) of each chunk; chunks of 32-bit sizes fill an even number."""
    at, width = start, struct.calcsize(header)
    for _ in range(MOST_PARTS):
        if at + width > n_bytes:
            return
        file.seek(at)
        name, size = struct.unpack(header, file.read(width))
        yield name, at + width, size
        at += width + size + (size % 2 if "I" in header else 0)


def w64_chunks(file: BinaryIO, n_bytes: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the chunks of Wave64, whose names have 16 bytes, whose sizes count the header and fill multiples of 8."""
    at = 40
    for _ in range(MOST_PARTS):
        if at + 24 > n_bytes:
            return
        file.seek(at)
        name, size = struct.unpack("<8s8xQ", file.read(24))
        yield name, at + 24, size - 24 if 0 < size < 1 << 62 else _UNKNOWN_SIZE
        if size < 24:
            return
        at += size + -size % 8


def end_of_chunk(found: Iterator[tuple[bytes, int, int]], wanted: bytes) -> int | None:
    """Return where the first chunk of a name ends; None without one, or where its size was not known."""
    for name, at, size in found:
        if name == wanted:
            return None if size in PIPE_SIZES | {_UNKNOWN_SIZE} else at + size
    return None


def end_of_wave(file: BinaryIO, order: str, n_bytes: int) -> int | None:
    """Return where the sound of a WAVE file ends, of several chunks the last; None where it does not say."""
    long_size, end = None, None
    for name, at, size in chunks(file, 12, f"{order}4sI", n_bytes):
        if name == b"ds64":  # RF64 and BW64: the size of the data in 64 bits, in place of the largest number
            (long_size,) = struct.unpack("<8xQ", file.read(16))
        elif name == b"data":
            if size == 0xFFFFFFFF and long_size:
                return at + long_size
            if size in PIPE_SIZES:
                return end
            end = at + size
    return end
