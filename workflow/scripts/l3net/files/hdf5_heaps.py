"""Looking through the heaps of an HDF5 file, in which texts of any length stand.

HDF5 adds up the sizes that a heap states without asking whether they are possible, and one wrong byte there makes it
add nothing for ever. A heap begins with ``GCOL`` and holds one object after another, each with its size (HDF5 File
Format Specification, III.E "Disk Format: Level 1E - Global Heap").
"""

import mmap
import struct
from pathlib import Path

_BEGINS = b"GCOL\x01\0\0\0"
_HEAD, _OBJECT = struct.Struct("<8sQ"), struct.Struct("<HH4xQ")
_WHOLE_BYTES, _END_BYTES = 256 << 20, 64 << 20  # of larger files, the texts stand at the beginning or at the end


def check_heaps(path: Path) -> None:
    """Check that the objects of every heap in a file lie within it.

    Of a file of more than 256 MB the first and the last 64 MB are looked through.

    Raises
    ------
    ValueError
        The sizes in a heap are impossible; the message says where it begins.
    """
    if not (n_bytes := path.stat().st_size):
        return
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        check_heaps_of(content, n_bytes)


def check_heaps_of(content: "mmap.mmap | bytes", n_bytes: int) -> None:
    """Check the heaps in the content of a file, as `check_heaps` does."""
    parts = [(0, n_bytes)] if n_bytes <= _WHOLE_BYTES else [(0, _END_BYTES), (n_bytes - _END_BYTES, n_bytes)]
    for first, last in parts:
        start = content.find(_BEGINS, first, last)
        while start >= 0:
            if not _fits(content, start, n_bytes):
                raise ValueError(f"it is damaged at byte {start}: the sizes of a heap are impossible")
            start = content.find(_BEGINS, start + 1, last)


def _fits(content: "mmap.mmap | bytes", start: int, n_bytes: int) -> bool:
    if start + _HEAD.size > n_bytes:
        return False
    end = start + _HEAD.unpack_from(content, start)[1]
    if end > n_bytes:
        return False
    place = start + _HEAD.size
    while place + _OBJECT.size <= end:
        number, _, size = _OBJECT.unpack_from(content, place)
        # Object 0 is what is free, and its size includes its own head.
        step = -(-size // 8) * 8 + _OBJECT.size if number else size
        if not 0 < step <= end - place:
            return False
        place += step
    return True
