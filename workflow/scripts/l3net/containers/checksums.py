"""The checksums of Ogg's pages and Matroska's clusters; libavformat leaves out such a page, and looks at no cluster's.

ffmpeg writes the checksums of Matroska, other writers and those of WebM do not.
"""

import logging
import math
import struct
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

from l3net.errors import ClipError

_OGG_END = 4  # the flag of a stream's last page
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_EBML, _SEGMENT, _INFO, _TRACKS, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
_CUES = 0x1C53BB6B  # by which is sought
_SCALE, _TIMESTAMP, _CRC_32 = 0x2AD7B1, 0xE7, b"\xbf\x84"
_USUAL_SCALE = 1_000_000  # nanoseconds: times in milliseconds, as all usual writers have them
_LARGEST_CLUSTER = 256 << 20  # ffmpeg's have 5 MB
_MOST_ELEMENTS = 1_000_000
_log = logging.getLogger("l3net")


class DamagedPart(NamedTuple):
    """A part of a Matroska file whose checksum is wrong: its offset in bytes, and from when to when it lasts."""

    at: int
    begin: float
    end: float


def check_ogg_pages(file: BinaryIO) -> None:
    """Check the checksum and the number of every page of an Ogg file, from its first byte.

    Bytes behind the last page are no damage, and a file without a page that is marked as the last one may be a
    recording of a live stream; the log tells of both.

    Raises
    ------
    ClipError
        A page is damaged, cut or missing.
    """
    numbers, at, is_end = {}, 0, False
    while head := file.read(27):
        if head[:4] != b"OggS":
            if is_end and b"OggS" not in (rest := head + file.read()):
                _log.warning("%s: the %d bytes behind the last page are left out", file.name, len(rest))
                return
            raise ClipError(f"{file.name}: damaged: the bytes from {at} on are no page of Ogg")
        page = head + (table := file.read(head[26] if len(head) == 27 else 0))
        page += file.read(sum(table))
        if len(head) < 27 or len(page) < 27 + head[26] + sum(table):
            raise ClipError(f"{file.name}: cut off: the page at byte {at} of {at + len(page)} is not whole")
        granule, stream, number, checksum = struct.unpack("<qIII", head[6:26])
        if _ogg_checksum(page[:22] + bytes(4) + page[26:]) != checksum:
            raise ClipError(f"{file.name}: damaged: the checksum of the page at byte {at} is wrong")
        # A recording of a live stream has the pages of its headers, numbered from 0, and then those from its start on.
        expected = numbers.get(stream)
        if expected is not None and expected[0] != number and expected[1] > 0:
            raise ClipError(f"{file.name}: damaged: page {expected[0]} is missing before byte {at}")
        numbers[stream] = (number + 1 & 0xFFFFFFFF, granule)
        at, is_end = at + len(page), bool(head[5] & _OGG_END)
    if not is_end:
        _log.warning(
            "%s: the last page is not marked as the end; the file may have been cut between two pages", file.name
        )


def _ogg_checksum(page: bytes) -> int:
    """Return Ogg's CRC-32, which is zlib's with the bits of bytes and result reversed and without inversions."""
    value = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{value:032b}"[::-1], 2)


def damaged_parts(path: Path) -> tuple[DamagedPart, ...]:
    """Return the parts of a Matroska file whose checksum is wrong, none of other files; a file is read once.

    Looked at are the unit of time, what describes the tracks, the index, and the clusters, which hold sound and
    picture. Times are in seconds from where the first cluster begins. A part without a checksum passes.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    status = path.stat()
    return _damaged_parts(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=16)
def _damaged_parts(path: Path, n_bytes: int, modified_ns: int) -> tuple[DamagedPart, ...]:
    scale, clusters, headers = _USUAL_SCALE, [], []
    with open(path, "rb") as file:
        for identity, at, content in _parts_of_matroska(file, n_bytes):
            is_damaged = content[:2] == _CRC_32 and zlib.crc32(content[6:]).to_bytes(4, "little") != content[2:6]
            if identity == _CLUSTER:
                clusters.append((at, _whole_number(content[:64], _TIMESTAMP), is_damaged))
                continue
            if identity == _INFO:
                scale = _whole_number(content, _SCALE) or _USUAL_SCALE
                is_damaged &= scale != _USUAL_SCALE  # editors of titles leave the checksum as it was
            if is_damaged:
                headers.append(DamagedPart(at, -math.inf, math.inf))
    good = [(at, time) for at, time, is_damaged in clusters if time is not None and not is_damaged]
    first = min([time for _, time in good] + [time for _, time, _ in clusters[:1] if time is not None], default=0)
    found = headers
    for at, time, is_damaged in clusters:
        if is_damaged:
            before = max((other for place, other in good if place < at), default=first)
            after = min((other for place, other in good if place > at), default=math.inf)
            begin = time if time is not None and before <= time <= after else before
            found.append(DamagedPart(at, (begin - first) * scale / 1e9, (after - first) * scale / 1e9))
    return tuple(found)


def _parts_of_matroska(file: BinaryIO, n_bytes: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield (identity, offset, contents) of what may have a checksum, until something has no size or is no element."""
    for n in range(_MOST_ELEMENTS):
        at = file.tell()
        identity, size = ebml_number(file, keep_mark=True), ebml_number(file)
        if n == 0 and identity != _EBML:
            return
        if identity == _SEGMENT:
            continue  # its parts follow
        if identity is None or size is None or file.tell() + size > n_bytes:
            return
        if identity in (_INFO, _TRACKS, _CUES, _CLUSTER) and size <= _LARGEST_CLUSTER:
            yield identity, at, file.read(size)
        else:
            file.seek(size, 1)


def ebml_number(file: BinaryIO, *, keep_mark: bool = False) -> int | None:
    """Read a number of variable length, whose first byte begins with as many zero bits as bytes follow.

    None at the end of the file, for what is no number, and for the number that stands for an unknown size.
    """
    first = file.read(1)
    if not first or not first[0]:
        return None
    n_more = 8 - first[0].bit_length()
    value = int.from_bytes(bytes([first[0] if keep_mark else first[0] & (0x7F >> n_more)]) + file.read(n_more))
    return None if value == (1 << 7 * (n_more + 1)) - 1 and not keep_mark else value


def _whole_number(content: bytes, identity: int) -> int | None:
    """Return the whole number that is the element `identity` of a part, looked for by its mark."""
    mark = identity.to_bytes((identity.bit_length() + 7) // 8)
    at = content.find(mark, 6 if content[:2] == _CRC_32 else 0)
    size = content[at + len(mark)] & 0x7F if 0 <= at < len(content) - len(mark) else 9
    begin = at + len(mark) + 1
    return int.from_bytes(content[begin : begin + size]) if size <= 8 else None
