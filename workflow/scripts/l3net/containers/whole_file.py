"""Whether a media file is all there: the lengths in bytes that containers state, and the checksums that some have.

libavformat does not say where a file was cut: it takes the size of the file for the length that a WAVE header states,
leaves out Ogg pages whose checksum is wrong, and ends at the end of the file without an error.
"""

import logging
import os
import struct
from pathlib import Path
from typing import BinaryIO

from l3net.containers.chains import check_avi_chunks, check_packs, end_of_flv
from l3net.containers.checksums import check_ogg_pages
from l3net.containers.chunks import PIPE_SIZES, chunks, end_of_chunk, end_of_wave, w64_chunks
from l3net.containers.matroska import damaged_parts, ebml_number
from l3net.containers.packets import (
    MOST_PARTS,
    PACK,
    BrokenError,
    check_flac_rate,
    check_transport_packets,
    end_of_asf,
    end_of_packs,
    end_of_voc,
    is_tail,
)
from l3net.containers.rare import end_of_rare
from l3net.errors import ClipError
from l3net.files import kept_while_unchanged

_log = logging.getLogger("l3net")
_SLACK_BYTES = 64  # some writers count a header or a filler byte twice in the size of the sound alone
_W64_RIFF, _W64_DATA = b"riff\x2e\x91\xcf\x11", b"data\xf3\xac\xd3\x11"
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11")
_EBML, _EBML_SEGMENT = b"\x1aE\xdf\xa3", b"\x18S\x80g"
_BOXES = {
    *(b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"mfra", b"styp", b"sidx", b"ssix"),
    *(b"pnot", b"pdin", b"prft", b"emsg", b"uuid", b"meta", b"udta"),
}


def check_whole(path: Path) -> bool:
    """Check that a file is as long as its headers state, and that the checksums of Ogg and Matroska are right.

    WAVE, AVI, AIFF, Wave64, CAF, AU, MP4 and MOV, Matroska and WebM, and ASF (WMA, WMV) state a length in bytes; a
    length that was not known when the header was written is left out of account. So do the blocks of VOC, the packets
    of MPEG program streams, and FLV, whose stated time must not be reached either. The packets of ASF and of MPEG
    transport streams are counted off. Files of other kinds pass, of rare ones (`rare`) those that state no length.

    Returns
    -------
    bool
        Whether the file says where it ends.

    Raises
    ------
    ClipError
        The file ends before its header says so, a page of an Ogg file is damaged, cut or missing, or the header of a
        FLAC file, which has no checksum, states another rate than its first frame, which has one.
    """
    if not path.is_file():
        return False  # a pipe can be read only once
    try:
        with open(path, "rb") as file:
            n_bytes = os.fstat(file.fileno()).st_size
            head = file.read(3 * 192)
            file.seek(0)
            if head[:4] == b"OggS":
                check_ogg_pages(file)
                return True
            if head[:4] == b"fLaC":
                check_flac_rate(file)
                return True
            for stride, offset in ((188, 0), (192, 4), (204, 0)):  # plain, of a Blu-ray, with error correction
                if head[offset::stride][:3] == b"GGG":
                    check_transport_packets(file, stride, offset)
                    return True
            end = _stated_end(file, n_bytes)
            damaged = damaged_parts(path)
    except OSError as error:
        raise ClipError(f"{path}: cannot be read: {error.strerror}") from None
    except struct.error:
        return False  # a header that is cut is the demuxer's to report
    if end is not None and end > n_bytes:
        raise ClipError(f"{path}: cut off: the file has {n_bytes} bytes, its header states {end}")
    if damaged:
        raise ClipError(f"{path}: damaged: {damaged[0].reason}")
    return end is not None


@kept_while_unchanged(most=16)
def broken_at(path: Path) -> tuple[int, str] | None:
    """Return from which byte on a file is damaged and why, as its container tells; None of a file that is whole or cut.

    A file is read once. Of Matroska, `damaged_parts` tells more.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    try:
        check_whole(path)
    except BrokenError as error:
        return error.at, error.reason
    except ClipError:
        pass  # what is there of a file that was cut may be whole
    return None


def _stated_end(file: BinaryIO, n_bytes: int) -> int | None:
    """Return the offset at which the file's contents end by its headers; None where they do not say."""
    head = file.read(24)
    order = ">" if head[:4] in (b"RIFX", b"FORM") else "<"
    (size,) = struct.unpack(f"{order}I", head[4:8])  # of the whole file, in RIFF and its kin
    slack = _SLACK_BYTES if size not in PIPE_SIZES and size + 8 <= n_bytes else 0
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return (end_of_wave(file, order, n_bytes) or slack) - slack
    if head[:4] == b"RIFF" and head[8:11] == b"AVI":
        check_avi_chunks(file, n_bytes)
        return None if size in PIPE_SIZES else size + 8 - _SLACK_BYTES  # an index is at its end
    if head[:4] == b"FORM" and head[8:11] == b"AIF":
        return (end_of_chunk(chunks(file, 12, ">4sI", n_bytes), b"SSND") or slack) - slack
    if head[:8] == _W64_RIFF:
        return end_of_chunk(w64_chunks(file, n_bytes), _W64_DATA)
    if head[:4] == b"caff":
        return end_of_chunk(chunks(file, 8, ">4sQ", n_bytes), b"data")
    if head[:4] in (b".snd", b"dns.", b"\0ds.", b".sd\0"):
        offset, size = struct.unpack(">II" if head[:1] == b"." else "<II", head[4:12])
        return None if size in PIPE_SIZES else offset + size
    if head[:4] == _EBML:
        return _end_of_segment(file)
    if head[:8] == _ASF_HEADER:
        return end_of_asf(file, n_bytes)
    if head[:16] == b"Creative Voice F":
        return end_of_voc(file, n_bytes)
    if head[:3] == b"FLV":
        return end_of_flv(file, n_bytes)
    if head[:4] == PACK:
        check_packs(file, n_bytes)
        return end_of_packs(file, n_bytes)
    return _end_of_boxes(file, n_bytes) if head[4:8] in _BOXES else end_of_rare(file, head, n_bytes)


def _end_of_boxes(file: BinaryIO, n_bytes: int) -> int | None:
    """Return where the last top-level box of an MP4 or MOV file ends; a box of size 0 lasts to the end of the file."""
    at, kinds = 0, set()
    for _ in range(MOST_PARTS):
        if at + 8 > n_bytes:
            return at
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
        is_behind = is_tail(at, n_bytes) or (kinds >= {b"moov", b"mdat"} and b"moof" not in kinds)
        if (size == 0 and kind in _BOXES) or (kind not in _BOXES and is_behind):
            return at  # the last box, or something that was added behind
        kinds.add(kind)
        if size < 8 or (kind not in _BOXES and not (kind.isalnum() and at + size <= n_bytes)):
            raise BrokenError(file, at, f"the bytes from {at} on are no box of MP4")
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
