"""Containers whose parts follow one another without a gap: where the row of them breaks, though the file is whole.

libavformat goes on at the next part that it finds, or ends there without an error; a gap in the time stamps would then
be taken for silence. Zeros stand where a part of a file never came.
"""

import struct
from typing import BinaryIO

from l3net.containers.packets import PACK, BrokenError, is_tail
from l3net.errors import ClipError

_MOST_PARTS = 10_000_000
_FLV_TAGS = (8, 9, 15, 18)  # sound, picture, metadata of two kinds
_PIECE_BYTES = 1 << 20
_FLV_SLACK_SECONDS = 0.1
_SECTOR_BYTES = 2048  # of a disc: what a packet leaves of one is filled with zeros


def check_avi_chunks(file: BinaryIO, n_bytes: int) -> None:
    """Check that no zeros stand where a chunk of an AVI file begins."""
    at = end = 0
    for _ in range(_MOST_PARTS):
        file.seek(at)
        header = file.read(12)
        if len(header) < 12:
            return
        name, size = struct.unpack("<4sI", header[:8])
        if name in (b"RIFF", b"LIST") and header[8:] in (b"AVI ", b"AVIX", b"movi", b"rec "):
            end = at + 8 + size if header[8:] == b"movi" else end
            at += 12  # what it holds are chunks
            continue
        if not any(header):
            if at < end or not is_tail(at, n_bytes):
                raise _broken(file, at, "chunk of AVI")
            return
        at += 8 + size
        if size % 2:  # filled up to an even number, which some writers leave out
            file.seek(at)
            at += not file.read(4).isalnum()


def end_of_flv(file: BinaryIO, n_bytes: int) -> int | None:
    """Return the size that the metadata of an FLV file state; None where the last tag is at the time that they state.

    A stream that was saved has the metadata of the server's file, which may have had another size.

    Raises
    ------
    ClipError
        The file is as long as it states without a tag at its end, or a tag does not begin where the one before ends.
    """
    file.seek(5)
    (at,) = struct.unpack(">I", file.read(4))
    file.seek(at + 4)
    tag = file.read(11)
    about = file.read(min(int.from_bytes(tag[1:4]), 1 << 16)) if tag[:1] == b"\x12" else b""
    stated = {}
    for name in (b"filesize", b"duration"):
        value = about.partition(b"\0\x08" + name + b"\0")[2][:8]
        (stated[name],) = struct.unpack(">d", value) if len(value) == 8 else (0.0,)
    file.seek(n_bytes - 4)
    last = int.from_bytes(file.read(4))
    file.seek(max(n_bytes - 4 - last, 0))
    tag = file.read(11)
    is_whole = tag[:1] in (b"\x08", b"\x09", b"\x12") and int.from_bytes(tag[1:4]) + 11 == last
    if stated[b"filesize"] == n_bytes and not is_whole:
        raise ClipError(f"{file.name}: damaged: it has its whole size, but no tag at its end")
    _check_tags(file, at + 4, n_bytes, is_whole)
    if not n_bytes <= stated[b"filesize"] < 1 << 62:
        return None
    seconds = int.from_bytes(tag[7:8] + tag[4:7]) / 1000
    return None if is_whole and seconds + _FLV_SLACK_SECONDS >= stated[b"duration"] else int(stated[b"filesize"])


def _check_tags(file: BinaryIO, at: int, n_bytes: int, has_end: bool) -> None:
    for _ in range(_MOST_PARTS):
        if at == n_bytes or (at + 11 > n_bytes and not has_end):
            return
        file.seek(at)
        tag = file.read(11)
        if len(tag) < 11 or tag[0] & 0x1F not in _FLV_TAGS or any(tag[8:]):  # the number of the stream is 0
            if has_end or not is_tail(at, n_bytes):
                raise _broken(file, at, "tag of FLV")
            return
        at += 15 + int.from_bytes(tag[1:4])


def check_packs(file: BinaryIO, n_bytes: int) -> None:
    """Check that no zeros stand where a packet of an MPEG program stream begins."""
    at = 0
    for _ in range(_MOST_PARTS):
        file.seek(at)
        head = file.read(16)
        if len(head) < 16:
            return
        if not any(head):
            padding = file.read(_SECTOR_BYTES)
            n_padding = 16 + len(padding) - len(padding.lstrip(b"\0"))
            if n_padding < _SECTOR_BYTES and at + n_padding < n_bytes:
                at += n_padding - 2 * (padding.lstrip(b"\0")[:1] == b"\1")  # a packet begins with two zeros
                continue
            if not is_tail(at, n_bytes) or _has_a_pack(file, at, n_bytes):
                raise _broken(file, at, "packet of an MPEG program stream")
            return
        if head[:3] != PACK[:3] or head[3] < 0xB9:
            return  # bytes of another kind, such as a sector's header
        if head[3] == PACK[3]:
            at += 12 if head[4] < 0x40 else 14 + head[13] % 8
        else:
            at += 4 if head[3] == 0xB9 else 6 + int.from_bytes(head[4:6])


def _has_a_pack(file: BinaryIO, at: int, n_bytes: int) -> bool:
    while at < n_bytes:
        file.seek(at)
        if PACK in file.read(_PIECE_BYTES + len(PACK)):
            return True
        at += _PIECE_BYTES
    return False


def _broken(file: BinaryIO, at: int, part: str) -> BrokenError:
    return BrokenError(file, at, f"the bytes from {at} on are no {part}")
