"""The parts of a Matroska or WebM file that are damaged, by their checksums and by the row of their elements.

libavformat looks at no checksum, and goes on behind what is no element at the next cluster that it finds. ffmpeg writes
the checksums of Matroska, other writers and those of WebM do not.
"""

import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from l3net.files import kept_while_unchanged

_EBML, _SEGMENT, _INFO, _TRACKS, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
_CUES = 0x1C53BB6B  # by which is sought
# What else stands in a segment: where its parts are, chapters, tags, attachments, nothing, a checksum.
_OF_A_SEGMENT = {_EBML, _INFO, _TRACKS, _CLUSTER, _CUES, 0x114D9B74, 0x1043A770, 0x1254C367, 0x1941A469, 0xEC, 0xBF}
# Time, blocks, groups of blocks, place, size of the cluster before, encrypted and silent blocks, nothing, a checksum.
_OF_A_CLUSTER = {0xE7, 0xA3, 0xA0, 0xA7, 0xAB, 0xAF, 0x5854, 0xEC, 0xBF}
_SCALE, _TIMESTAMP, _CRC_32 = 0x2AD7B1, 0xE7, b"\xbf\x84"
_USUAL_SCALE = 1_000_000  # nanoseconds: times in milliseconds, as all usual writers have them
_LARGEST_CLUSTER = 256 << 20  # ffmpeg's have 5 MB
_MOST_ELEMENTS = 1_000_000
_PIECE_BYTES = 1 << 20
_WRONG_CHECKSUM = "the checksum of the part at byte {} is wrong"
_NO_ELEMENT = "the part at byte {} is no whole row of elements"


class DamagedPart(NamedTuple):
    """A part of a Matroska file that is damaged: from when to when it lasts, in seconds, and what is wrong with it."""

    begin: float
    end: float
    reason: str


class _Part(NamedTuple):
    """An element of a segment: what it is, its offset in bytes, its contents, and what is wrong with it."""

    identity: int
    at: int
    content: bytes
    reason: str | None


@kept_while_unchanged(most=16)
def damaged_parts(path: Path) -> tuple[DamagedPart, ...]:
    """Return the parts of a Matroska file that are damaged, none of other files; a file is read once.

    Looked at are the unit of time, what describes the tracks, the index, and the clusters, which hold sound and
    picture. Times are in seconds from where the first cluster begins. A part without a checksum passes where it is
    made of elements.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    scale, clusters, found = _USUAL_SCALE, [], []
    with open(path, "rb") as file:
        for part in _parts_of_matroska(file, path.stat().st_size):
            reason = part.reason
            if part.identity == _CLUSTER:
                clusters.append((part.at, _whole_number(part.content[:64], _TIMESTAMP), reason))
                continue
            if part.identity == _INFO:
                scale = _whole_number(part.content, _SCALE) or _USUAL_SCALE
                reason = None if scale == _USUAL_SCALE else reason  # editors of titles leave the checksum as it was
            if reason:
                found.append(DamagedPart(-math.inf, math.inf, reason))
    good = [(at, time) for at, time, reason in clusters if time is not None and not reason]
    first = min([time for _, time in good] + [time for _, time, _ in clusters[:1] if time is not None], default=0)
    for at, time, reason in clusters:
        if reason:
            before = max((other for place, other in good if place < at), default=first)
            after = min((other for place, other in good if place > at), default=math.inf)
            begin = time if time is not None and before <= time <= after else before
            found.append(DamagedPart((begin - first) * scale / 1e9, (after - first) * scale / 1e9, reason))
    return tuple(found)


def _parts_of_matroska(file: BinaryIO, n_bytes: int) -> Iterator[_Part]:
    """Yield what may hold damage, to the end of the segment; what is no element counts as a cluster."""
    end, is_cut = n_bytes, False
    for n in range(_MOST_ELEMENTS):
        at = file.tell()
        if at >= end:
            return
        identity, size = ebml_number(file, keep_mark=True), ebml_number(file)
        if n == 0 and identity != _EBML:
            return
        if identity == _SEGMENT:
            end = file.tell() + size if size else n_bytes  # a stream does not know its size
            end, is_cut = min(end, n_bytes), end > n_bytes
            continue  # its parts follow
        if identity == _CLUSTER and size is None:
            size = _size_of_open_cluster(file, n_bytes)
        contents = file.tell()
        if is_cut and size is not None and contents + size > n_bytes:
            return  # which the size of the segment tells
        if size is None or contents + size > end or not _is_element(file, identity, contents + size, end):
            yield _Part(_CLUSTER, at, b"", _NO_ELEMENT.format(at))
            if not _seek_cluster(file, at + 1, end):
                return
        elif identity in (_INFO, _TRACKS, _CUES, _CLUSTER) and size <= _LARGEST_CLUSTER:
            file.seek(contents)
            content = file.read(size)
            yield _Part(identity, at, content, _wrong(identity, at, content))
        else:
            file.seek(contents + size)


def _is_element(file: BinaryIO, identity: int | None, behind: int, end: int) -> bool:
    """Return whether this is an element of a segment: one that is known, or one behind which a known one stands."""
    if identity in _OF_A_SEGMENT or identity is None:
        return identity is not None
    if behind >= end:
        return behind == end
    file.seek(behind)
    return ebml_number(file, keep_mark=True) in _OF_A_SEGMENT


def _wrong(identity: int, at: int, content: bytes) -> str | None:
    if content[:2] == _CRC_32:
        is_right = zlib.crc32(content[6:]).to_bytes(4, "little") == content[2:6]
        return None if is_right else _WRONG_CHECKSUM.format(at)
    return _NO_ELEMENT.format(at) if identity == _CLUSTER and not _is_row_of_elements(content) else None


def _is_row_of_elements(content: bytes) -> bool:
    """Return whether the contents of a cluster are elements that fill it."""
    at, n_bytes = 0, len(content)
    for _ in range(_MOST_ELEMENTS):
        if at >= n_bytes:
            break
        n_of_name = 9 - content[at].bit_length()
        if int.from_bytes(content[at : at + n_of_name]) not in _OF_A_CLUSTER:
            return False
        at += n_of_name
        n_of_size = 9 - content[at].bit_length() if at < n_bytes else 9
        if n_of_size > 8:
            return False
        at += n_of_size + (int.from_bytes(content[at : at + n_of_size]) & (1 << 7 * n_of_size) - 1)
    return at == n_bytes


def _size_of_open_cluster(file: BinaryIO, n_bytes: int) -> int:
    """Return the size of a cluster that does not state it, as in a live stream, and stay at its beginning."""
    begin = at = file.tell()
    for _ in range(_MOST_ELEMENTS):
        if ebml_number(file, keep_mark=True) not in _OF_A_CLUSTER:
            break
        size = ebml_number(file)
        at = n_bytes + 1 if size is None else file.tell() + size
        file.seek(min(at, n_bytes))
    file.seek(begin)
    return at - begin


def _seek_cluster(file: BinaryIO, start: int, end: int) -> bool:
    """Go to the next cluster; return whether there is one."""
    mark = _CLUSTER.to_bytes(4)
    while start < end:
        file.seek(start)
        piece = file.read(_PIECE_BYTES + len(mark))
        if (found := piece.find(mark)) >= 0:
            file.seek(start + found)
            return start + found < end
        start += _PIECE_BYTES
    return False


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
