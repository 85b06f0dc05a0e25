"""The checksums and numbers of Ogg's pages; libavformat leaves out a page whose checksum is wrong."""

import logging
import struct
import zlib
from typing import BinaryIO

from l3net.containers.packets import BrokenError
from l3net.errors import ClipError

_OGG_BEGIN, _OGG_END = 2, 4  # the flags of a stream's first and last page
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_log = logging.getLogger("l3net")


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
            raise BrokenError(file, at, f"the bytes from {at} on are no page of Ogg")
        page = head + (table := file.read(head[26] if len(head) == 27 else 0))
        page += file.read(sum(table))
        if len(head) < 27 or len(page) < 27 + head[26] + sum(table):
            raise ClipError(f"{file.name}: cut off: the page at byte {at} of {at + len(page)} is not whole")
        granule, stream, number, checksum = struct.unpack("<qIII", head[6:26])
        if _ogg_checksum(page[:22] + bytes(4) + page[26:]) != checksum:
            raise BrokenError(file, at, f"the checksum of the page at byte {at} is wrong")
        # A recording of a live stream has the pages of its headers, numbered from 0, and then those from its start on.
        expected = None if head[5] & _OGG_BEGIN else numbers.get(stream)  # files may follow one another in one
        if expected is not None and expected[0] != number and expected[1] > 0:
            raise BrokenError(file, at, f"page {expected[0]} is missing before byte {at}")
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
