"""Files that are a row of packets or frames: whether each has the mark of one, and whether the last one is whole."""

import logging
import os
import struct
from typing import BinaryIO

from l3net.errors import ClipError

_log = logging.getLogger("l3net")
_SLACK_BYTES = 64  # some writers count a filler in the size of the file
MOST_PARTS = 100_000  # chunks, boxes or blocks that are looked at, so that no file keeps the walk going for ever
_LARGEST_TAIL_SHARE = 0.1  # of a file: more that is no part of it at its end is damage, less may be a tag
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf11")
PACK, _TAIL_BYTES = b"\0\0\1\xba", 1 << 18  # the mark of an MPEG program stream
_FLAC_RATES = (0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)  # by a frame's code
_LOW_KILOBITS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_KILOBITS = {  # of MPEG audio, by whether it is of version 1 and by its layer (ISO 11172-3, 13818-3)
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 2): _LOW_KILOBITS,
    (False, 3): _LOW_KILOBITS,
}
_AC3, _DTS = b"\x0bw", b"\x7f\xfe\x80\x01"
_AC3_RATES = (48000, 44100, 32000)  # ETSI TS 102 366
_AC3_KILOBITS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)


class BrokenError(ClipError):
    """A file is damaged from the byte `at` on, or before it."""

    def __init__(self, file: BinaryIO, at: int, reason: str) -> None:
        super().__init__(f"{file.name}: damaged: {reason}")
        self.at, self.reason = at, reason


def is_tail(at: int, n_bytes: int) -> bool:
    """Return whether what begins at `at` is short enough for bytes that were added behind a file of `n_bytes`."""
    return n_bytes - at <= _LARGEST_TAIL_SHARE * n_bytes


def check_flac_rate(file: BinaryIO) -> None:
    """Compare the rate in the header with that of the first frame; other differences ffmpeg's decoder reports."""
    file.seek(4)
    stated, is_last = 0, False
    while not is_last:
        block = file.read(4)
        n_bytes, is_last = int.from_bytes(block[1:]), len(block) < 4 or block[0] >= 0x80
        content = file.read(n_bytes) if block[:1] and block[0] % 0x80 == 0 else file.seek(n_bytes, os.SEEK_CUR) and b""
        stated = int.from_bytes(content[10:13]) >> 4 if content else stated
    frame = file.read(4)
    code = frame[2] % 16 if len(frame) == 4 and frame[0] == 0xFF else 0
    if code and code < len(_FLAC_RATES) and _FLAC_RATES[code] != stated:
        raise ClipError(f"{file.name}: damaged: its header states {stated} Hz, its first frame {_FLAC_RATES[code]} Hz")


def check_transport_packets(file: BinaryIO, stride: int, offset: int) -> None:
    """Check that each packet of an MPEG transport stream, `stride` bytes apart, begins with its mark."""
    at = 0
    while block := file.read(stride * 10_000):
        rest = len(block) % stride
        marks = block[: len(block) - rest][offset::stride]
        if (n_marked := len(marks) - len(marks.lstrip(b"G"))) < len(marks):
            first = at + n_marked * stride
            raise BrokenError(file, first, f"the packet at byte {first} is none")
        at += len(block)
        if block[len(block) - rest + offset :][:1] == b"G" and rest:
            raise ClipError(f"{file.name}: cut off: the last packet of {at} bytes is not whole")
        if rest:
            _log.warning("%s: the %d bytes behind the last packet are left out", file.name, rest)


def end_of_asf(file: BinaryIO, n_bytes: int) -> int | None:
    """Return the size that the file properties of an ASF file state; a packet that is none ends the file before."""
    file.seek(16)
    (header_size,) = struct.unpack("<Q", file.read(8))
    header = file.seek(0) or file.read(min(header_size, 1 << 16))
    if (at := header.find(_ASF_FILE)) < 0:
        return None
    size, n_packets, flags, packet_size = struct.unpack_from("<40xQ8xQ24x2I", header, at)
    if flags & 1:  # a broadcast, whose sizes were not known
        return None
    first = header_size + 50
    for n in range(min(n_packets, (n_bytes - first) // packet_size) if packet_size else 0):
        file.seek(first + n * packet_size)
        if not file.read(1)[0] & 0x80:  # the mark of error correction data, which begins every packet in a file
            at = first + n * packet_size
            raise BrokenError(file, at, f"the packet at byte {at} is none")
    return max(size - _SLACK_BYTES, first + n_packets * packet_size) if size else None


def end_of_packs(file: BinaryIO, n_bytes: int) -> int | None:
    """Return where the last packet of an MPEG program stream ends; None where other bytes stand behind it."""
    start = file.seek(max(n_bytes - _TAIL_BYTES, 0))
    tail, at = file.read(), -1
    while (at := tail.find(PACK, at + 1)) >= 0:  # the first may be a mark by chance, within a packet
        if (end := _end_of_packets(tail, at)) is not None:
            return start + end
    return None


def _end_of_packets(data: bytes, at: int) -> int | None:
    while at + 4 <= len(data):
        if data[at : at + 3] != PACK[:3] or data[at + 3] < 0xB9:
            return None
        if data[at + 3] == PACK[3]:
            at += 12 if data[at + 4 : at + 5] < b"@" else 14 + (data[at + 13 : at + 14] or b"\0")[0] % 8
        else:
            at += 4 if data[at + 3] == 0xB9 else 6 + int.from_bytes(data[at + 4 : at + 6])
    return at


def end_of_voc(file: BinaryIO, n_bytes: int) -> int | None:
    """Return where the blocks of a Creative voice file end; a file without a block that marks the end is said to be."""
    file.seek(20)
    (at,) = struct.unpack("<H", file.read(2))
    for _ in range(MOST_PARTS):
        if at > n_bytes:
            return at
        file.seek(at)
        block = file.read(4)
        kind, size = block[:1], int.from_bytes(block[1:], "little")
        if kind == b"\0":
            if not is_tail(at, n_bytes):
                raise BrokenError(file, at, f"the bytes from {at} on are no block of VOC")
            return at + 1
        if not block:
            _log.warning("%s: not marked as the end, so it may be cut off between two blocks", file.name)
        if not block or kind > b"\x09" or size == 0xFFFFFF or (size == 0 and kind in b"\1\2\x09"):
            return None
        at += 4 + size
    return None


def begins_a_frame(data: bytes) -> bool:
    """Return whether `data` begin with the mark of a frame of MP3, AAC (ADTS, LOAS), FLAC, AC-3 or DTS."""
    is_mark = data[:1] in (b"\xff", b"V") and data[1:2] >= b"\xe0" and data[2:3] != b"\xff"  # as in erased memory
    return is_mark or data.startswith((_AC3, _DTS))


def frame_bytes(header: bytes, rate: int) -> int:
    """Return how long the frame at `rate` Hz is that begins with `header`, of 8 bytes; 0 where it does not tell."""
    if len(header) < 8:
        return 0
    if header.startswith(_AC3):
        if header[5] >> 3 > 10:  # E-AC-3
            return 2 * ((header[2] & 7) << 8 | header[3]) + 2
        code, size = header[4] >> 6, header[4] & 63
        if code == 3 or size >> 1 >= len(_AC3_KILOBITS):
            return 0
        return 2 * (96_000 * _AC3_KILOBITS[size >> 1] // _AC3_RATES[code] + (size & 1 if code == 1 else 0))
    if header.startswith(_DTS):
        return (int.from_bytes(header[4:8]) >> 4 & 0x3FFF) + 1
    if header[0] == ord("V") and header[1] >> 5 == 7:  # LOAS
        return ((header[1] & 0x1F) << 8 | header[2]) + 3
    if header[0] != 0xFF or header[1] >> 5 != 7:
        return 0
    if header[1] & 0xF6 == 0xF0:  # AAC (ADTS)
        return (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    is_version_1, layer, bit_rate = header[1] >> 3 & 3 == 3, 4 - (header[1] >> 1 & 3), header[2] >> 4
    kilobits = _KILOBITS.get((is_version_1, layer))
    if kilobits is None or bit_rate == 15:
        return 0
    slots = 72 if layer == 3 and not is_version_1 else 144
    return slots * kilobits[bit_rate] * 1000 // rate + (header[2] >> 1 & 1)
