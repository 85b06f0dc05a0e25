"""Whether a media file is all there: the lengths in bytes that containers state, and the checksums that some have.

libavformat does not say where a file was cut: it takes the size of the file for the length that a WAVE header states,
leaves out Ogg pages whose checksum is wrong, and ends at the end of the file without an error.
"""

import logging
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from l3net.errors import ClipError
from l3net.media.checksums import check_ogg_pages, damaged_parts, ebml_number

_log = logging.getLogger("l3net")
_SLACK_BYTES = 64  # some writers count a header or a filler byte twice in the size of the sound alone
_MOST_PARTS = 100_000  # chunks or boxes that are looked at, so that no file keeps the walk going for ever
# What writers to a pipe, which cannot go back, put in the place of a size: ffmpeg, SoX and arecord.
_PIPE_SIZES = {0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF}
_UNKNOWN_SIZE = (1 << 64) - 1
_W64_RIFF, _W64_DATA = b"riff\x2e\x91\xcf\x11", b"data\xf3\xac\xd3\x11"
_ASF_HEADER, _ASF_FILE = bytes.fromhex("3026b2758e66cf11"), bytes.fromhex("a1dcab8c47a9cf11")
_EBML, _EBML_SEGMENT = b"\x1aE\xdf\xa3", b"\x18S\x80g"
_FLAC_RATES = (0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)  # by a frame's code
_BOXES = {
    *(b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"mfra", b"styp", b"sidx", b"ssix"),
    *(b"pnot", b"pdin", b"prft", b"emsg", b"uuid", b"meta", b"udta"),
}


def check_whole(path: Path) -> None:
    """Check that a file is as long as its headers state, and that the checksums of Ogg and Matroska are right.

    WAVE, AVI, AIFF, Wave64, CAF, AU, MP4 and MOV, Matroska and WebM, and ASF (WMA, WMV) state a length in bytes; a
    length that was not known when the header was written is left out of account. The packets of ASF and of MPEG
    transport streams are counted off. Files of other kinds pass.

    Raises
    ------
    ClipError
        The file ends before its header says so, a page of an Ogg file is damaged, cut or missing, or the header of a
        FLAC file, which has no checksum, states another rate than its first frame, which has one.
    """
    if not path.is_file():
        return  # a pipe can be read only once
    try:
        with open(path, "rb") as file:
            n_bytes = os.fstat(file.fileno()).st_size
            head = file.read(3 * 192)
            file.seek(0)
            if head[:4] == b"OggS":
                check_ogg_pages(file)
                return
            if head[:4] == b"fLaC":
                _check_flac_rate(file)
                return
            for stride, offset in ((188, 0), (192, 4), (204, 0)):  # plain, of a Blu-ray, with error correction
                if head[offset::stride][:3] == b"GGG":
                    _check_transport_packets(file, stride, offset)
                    return
            end = _stated_end(file, n_bytes)
            damaged = damaged_parts(path)
    except OSError as error:
        raise ClipError(f"{path}: cannot be read: {error.strerror}") from None
    except struct.error:
        return  # a header that is cut is the demuxer's to report
    if end is not None and end > n_bytes:
        raise ClipError(f"{path}: cut off: the file has {n_bytes} bytes, its header states {end}")
    if damaged:
        raise ClipError(f"{path}: damaged: the checksum of the part at byte {damaged[0].at} is wrong")


def _stated_end(file: BinaryIO, n_bytes: int) -> int | None:
    """Return the offset at which the file's contents end by its headers; None where they do not say."""
    head = file.read(16)
    order = ">" if head[:4] in (b"RIFX", b"FORM") else "<"
    (size,) = struct.unpack(f"{order}I", head[4:8])  # of the whole file, in RIFF and its kin
    slack = _SLACK_BYTES if size not in _PIPE_SIZES and size + 8 <= n_bytes else 0
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return (_end_of_wave(file, order, n_bytes) or slack) - slack
    if head[:4] == b"RIFF" and head[8:11] == b"AVI":
        return None if size in _PIPE_SIZES else size + 8 - _SLACK_BYTES  # an index is at its end
    if head[:4] == b"FORM" and head[8:11] == b"AIF":
        return (_end_of_chunk(_chunks(file, 12, ">4sI", n_bytes), b"SSND") or slack) - slack
    if head[:8] == _W64_RIFF:
        return _end_of_chunk(_w64_chunks(file, n_bytes), _W64_DATA)
    if head[:4] == b"caff":
        return _end_of_chunk(_chunks(file, 8, ">4sQ", n_bytes), b"data")
    if head[:4] == b".snd":
        offset, size = struct.unpack(">II", head[4:12])
        return None if size in _PIPE_SIZES else offset + size
    if head[:4] == _EBML:
        return _end_of_segment(file)
    if head[:8] == _ASF_HEADER:
        return _end_of_asf(file, n_bytes)
    return _end_of_boxes(file, n_bytes) if head[4:8] in _BOXES else None


def _chunks(file: BinaryIO, start: int, header: str, n_bytes: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (name, offset of the contents, their size) of each chunk; chunks of 32-bit sizes fill an even number."""
    at, width = start, struct.calcsize(header)
    for _ in range(_MOST_PARTS):
        if at + width > n_bytes:
            return
        file.seek(at)
        name, size = struct.unpack(header, file.read(width))
        yield name, at + width, size
        at += width + size + (size % 2 if "I" in header else 0)


def _end_of_chunk(chunks: Iterator[tuple[bytes, int, int]], wanted: bytes) -> int | None:
    for name, at, size in chunks:
        if name == wanted:
            return None if size in _PIPE_SIZES | {_UNKNOWN_SIZE} else at + size
    return None


def _end_of_wave(file: BinaryIO, order: str, n_bytes: int) -> int | None:
    long_size = None
    for name, at, size in _chunks(file, 12, f"{order}4sI", n_bytes):
        if name == b"ds64":  # RF64 and BW64: the size of the data in 64 bits, in place of the largest number
            (long_size,) = struct.unpack("<8xQ", file.read(16))
        elif name == b"data":
            if size == 0xFFFFFFFF and long_size:
                return at + long_size
            return None if size in _PIPE_SIZES else at + size
    return None


def _w64_chunks(file: BinaryIO, n_bytes: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the chunks of Wave64, whose names have 16 bytes, whose sizes count the header and fill multiples of 8."""
    at = 40
    for _ in range(_MOST_PARTS):
        if at + 24 > n_bytes:
            return
        file.seek(at)
        name, size = struct.unpack("<8s8xQ", file.read(24))
        yield name, at + 24, size - 24 if 0 < size < 1 << 62 else _UNKNOWN_SIZE
        if size < 24:
            return
        at += size + -size % 8


def _end_of_boxes(file: BinaryIO, n_bytes: int) -> int | None:
    """Return where the last top-level box of an MP4 or MOV file ends; a box of size 0 lasts to the end of the file."""
    at = 0
    for _ in range(_MOST_PARTS):
        if at + 8 > n_bytes:
            return at
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
        if size < 8 or kind not in _BOXES:
            return at  # the rest is no box that is known: something that was added behind
        at += size
    return None


def _end_of_segment(file: BinaryIO) -> int | None:
    """Return where the segment of a Matroska file ends; None for a stream, which does not know its size."""
    file.seek(4)
    header_size = ebml_number(file)
    file.seek(header_size or 0, os.SEEK_CUR)
    if file.read(4) != _EBML_SEGMENT:
        return None
    size = ebml_number(file)
    return None if size is None else file.tell() + size


def _end_of_asf(file: BinaryIO, n_bytes: int) -> int | None:
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
            raise ClipError(f"{file.name}: damaged: the packet at byte {first + n * packet_size} is none")
    return max(size - _SLACK_BYTES, first + n_packets * packet_size) if size else None


def _check_flac_rate(file: BinaryIO) -> None:
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


def _check_transport_packets(file: BinaryIO, stride: int, offset: int) -> None:
    """Check that each packet of an MPEG transport stream, `stride` bytes apart, begins with its mark."""
    at = 0
    while block := file.read(stride * 10_000):
        rest = len(block) % stride
        marks = block[: len(block) - rest][offset::stride]
        if (n_marked := len(marks) - len(marks.lstrip(b"G"))) < len(marks):
            raise ClipError(f"{file.name}: damaged: the packet at byte {at + n_marked * stride} is none")
        at += len(block)
        if block[len(block) - rest + offset :][:1] == b"G" and rest:
            raise ClipError(f"{file.name}: cut off: the last packet of {at} bytes is not whole")
        if rest:
            _log.warning("%s: the %d bytes behind the last packet are left out", file.name, rest)
