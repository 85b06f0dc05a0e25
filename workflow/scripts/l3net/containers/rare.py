"""Where rare sounds end by their headers: RealMedia, Flash, IFF, ADX, SoX' own, MMF, KVAG, and bare TrueHD and MLP."""

import struct
from collections.abc import Callable
from typing import BinaryIO

from l3net.containers.chunks import PIPE_SIZES, chunks, end_of_chunk

_DUMMY_SIZE = 100 << 20  # which ffmpeg writes in the place of a size that it did not know
_SLACK_BYTES = 16  # ffmpeg counts 10 bytes too many in the data of RealMedia
_ADX_SAMPLES = 32  # of a block of each channel
_TRUEHD = (b"\xf8\x72\x6f\xba", b"\xf8\x72\x6f\xbb")  # the mark of TrueHD and of MLP, behind a length and a time
_MOST_UNITS = 20_000_000  # access units of TrueHD, of which a second has 1200


def end_of_rare(file: BinaryIO, head: bytes, n_bytes: int) -> int | None:
    """Return where a file ends that begins with `head`, of 24 bytes or more; None where it does not say."""
    if head[4:8] in _TRUEHD:
        return _end_of_truehd(file, n_bytes)
    if head[:2] == b"\x80\0" and (end := _end_of_adx(file, head)) is not None:
        return end
    reader = _READERS.get(head[:4])
    return reader(file, head, n_bytes) if reader else None


def _end_of_realmedia(file: BinaryIO, head: bytes, n_bytes: int) -> int | None:
    """Follow the sizes of its chunks, which count their own headers; that of the data is 0 in a live stream."""
    at, end = 0, None
    while at + 8 <= n_bytes:
        file.seek(at)
        name, size = struct.unpack(">4sI", file.read(8))
        if name not in (b".RMF", b"PROP", b"MDPR", b"CONT", b"DATA", b"INDX", b"RMMD", b"RMJE") or size < 8:
            break
        at += size
        end = at if name == b"DATA" else end
    return end - _SLACK_BYTES if end is not None else None


def _end_of_flash(file: BinaryIO, head: bytes, n_bytes: int) -> int | None:
    (size,) = struct.unpack_from("<I", head, 4)
    return None if size in PIPE_SIZES | {_DUMMY_SIZE} else size


def _end_of_iff(file: BinaryIO, head: bytes, n_bytes: int) -> int | None:
    is_sound = head[8:12] in (b"8SVX", b"16SV")
    return end_of_chunk(chunks(file, 12, ">4sI", n_bytes), b"BODY") if is_sound else None


def _end_of_adx(file: BinaryIO, head: bytes) -> int | None:
    offset, packing, block, bits, n_channels, _, n_samples = struct.unpack_from(">2xH4B2I", head)
    file.seek(max(offset - 2, 0))
    if file.read(6) != b"(c)CRI" or packing != 3 or (block, bits) != (18, 4):
        return None
    return offset + 4 + -(-n_samples // _ADX_SAMPLES) * block * n_channels if n_samples else None


def _end_of_sox(file: BinaryIO, head: bytes, n_bytes: int) -> int | None:
    n_header, n_samples = struct.unpack_from("<IQ" if head[:1] == b"." else ">IQ", head, 4)
    return 4 + n_header + 4 * n_samples if n_samples not in (0, (1 << 64) - 1) else None


def _end_of_mmf(file: BinaryIO, head: bytes, n_bytes: int) -> int | None:
    return 8 + struct.unpack_from(">I", head, 4)[0]


def _end_of_kvag(file: BinaryIO, head: bytes, n_bytes: int) -> int | None:
    return 14 + struct.unpack_from("<I", head, 4)[0]


def _end_of_truehd(file: BinaryIO, n_bytes: int) -> int | None:
    """Follow the lengths of the access units, in words of two bytes, to the last; a cut between two is not seen."""
    at = 0
    for _ in range(_MOST_UNITS):
        file.seek(at)
        first = file.read(2)
        size = (int.from_bytes(first) & 0xFFF) * 2
        if len(first) < 2:
            return at + 2 * len(first)
        if size < 4:
            return None
        at += size
    return None


_READERS: dict[bytes, Callable[[BinaryIO, bytes, int], int | None]] = {
    b".RMF": _end_of_realmedia,
    b"FORM": _end_of_iff,
    b".SoX": _end_of_sox,
    b"XoS.": _end_of_sox,
    b"MMMD": _end_of_mmf,
    b"KVAG": _end_of_kvag,
}
_READERS |= {b"FWS" + bytes([version]): _end_of_flash for version in range(60)}
