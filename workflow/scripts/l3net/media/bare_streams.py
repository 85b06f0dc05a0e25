"""Frames one behind the other without a container (MP3, AAC, AC-3, DTS): what stands between and behind them.

libavformat's parsers skip bytes that are no frame, or take them for a part of the frame before or behind.
"""

import io
import logging
from pathlib import Path
from typing import BinaryIO, NamedTuple

import av

from l3net.containers import begins_a_frame, frame_bytes
from l3net.errors import ClipError

_LONGEST_TAIL_SHARE = 0.1  # of the sound: more that cannot be decoded behind it is damage
_LEAST_FRAME_BYTES = 8  # a header that states less states no size
_LYRICS_BYTES, _APE = 1 << 16, b"APETAGEX"
BETWEEN_FRAMES = "bytes between frames are no sound"
_log = logging.getLogger("l3net")


class Foreign(NamedTuple):
    """What a packet has besides its frame: bytes before it, bytes behind it, and whether some of them are no tag."""

    before: int
    behind: int
    is_odd: bool


def foreign_bytes(packet: av.Packet, rate: int) -> Foreign:
    """Count the bytes of a packet that are none of its frame; a frame that does not tell its size has none behind."""
    data = bytes(packet)
    begin = at = end_of_tags(io.BytesIO(data), 0)
    if begin or not begins_a_frame(data[:4]):
        at = next((n for n in range(begin, len(data)) if _is_whole_frame(data, n, rate)), len(data))
    size = frame_bytes(data[at : at + 8], rate)
    end = at + size if size >= _LEAST_FRAME_BYTES else len(data)
    if end >= len(data) or begins_a_frame(data[end : end + 4]):
        return Foreign(at, 0, at > begin)
    return Foreign(at, len(data) - end, at > begin or end_of_tags(io.BytesIO(data), end) < len(data))


def _is_whole_frame(data: bytes, at: int, rate: int) -> bool:
    """Return whether a frame that tells its size begins at `at` and ends within `data`; marks alone come by chance."""
    return (
        begins_a_frame(data[at : at + 4])
        and _LEAST_FRAME_BYTES <= frame_bytes(data[at : at + 8], rate) <= len(data) - at
    )


def end_of_tags(file: BinaryIO, at: int) -> int:
    """Return where the tags end that begin at `at`: ID3 of both versions, APE, Lyrics3; `at` itself without any."""
    while True:
        file.seek(at)
        head = file.read(32)
        if head.startswith(b"ID3") and len(head) > 10:
            size = 0
            for byte in head[6:10]:
                size = size << 7 | byte & 0x7F
            at += 10 + size + (10 if head[5] & 0x10 else 0)
        elif head.startswith(_APE) and len(head) == 32:
            is_first = head[23] & 0x20  # a header; else the footer, of a tag without one
            if not is_first:
                return at
            at += 32 + int.from_bytes(head[12:16], "little")
        elif head.startswith(b"TAG"):
            at += 227 if head.startswith(b"TAG+") else 128
        elif head.startswith(b"LYRICSBEGIN"):
            file.seek(at)
            text = file.read(_LYRICS_BYTES)
            ends = [text.find(mark) + len(mark) for mark in (b"LYRICS200", b"LYRICSEND") if mark in text]
            at += min(ends, default=len(text))
        else:
            return at


def look_behind_the_last_frame(
    path: Path, kind: str, seconds: float, n_frames: int, sound: range, failure: str | None
) -> None:
    """Say in the log that bytes behind the last frame are left out; raise where they are a frame, or too many.

    Parameters
    ----------
    kind : libavformat's name of the format.
    seconds, n_frames : of the sound that was decoded.
    sound : the bytes of the file from the first frame to the end of the last one.
    failure : what the decoder said of what stands behind.

    Raises
    ------
    ClipError
        A frame begins there, or more bytes stand there than a tag would have.
    """
    n_bytes = path.stat().st_size
    with open(path, "rb") as file:
        end, is_broken = _end_of_adts(file, sound.start, n_frames) if kind == "aac" else (sound.stop, False)
        begin = end_of_tags(file, end)
        file.seek(begin)
        mark = file.read(8)
    if begins_a_frame(mark) and begin == end:
        raise ClipError(f"{path}: cut off: the last frame, after {seconds:.2f} s of sound, is not whole")
    if begin >= n_bytes or mark == _APE:
        return
    if is_broken or n_bytes - begin > _LONGEST_TAIL_SHARE * (end - sound.start):
        raise ClipError(f"{path}: damaged after {seconds:.2f} s of sound: {failure or BETWEEN_FRAMES}")
    _log.warning(
        "%s: the last %d bytes, behind %.2f s of sound, are no sound; they are left out",
        *(path, n_bytes - begin, seconds),
    )


def _end_of_adts(file: BinaryIO, at: int, n_frames: int) -> tuple[int, bool]:
    """Return where the frames of AAC (ADTS) that begin at `at` end, and whether one of them does only later.

    libavformat looks for the next frame where one does not follow, and counts no byte that it skips.
    """
    for _ in range(n_frames):
        at = end_of_tags(file, at)
        if not (size := _adts_bytes(file, at)):
            return at, True
        at += size
    return at, False


def _adts_bytes(file: BinaryIO, at: int) -> int:
    """Return how long the frame of AAC is that begins at `at`; 0 where none does."""
    file.seek(at)
    header = file.read(8)
    is_frame = len(header) == 8 and header[0] == 0xFF and header[1] & 0xF6 == 0xF0 and header[2] != 0xFF
    size = frame_bytes(header, 1) if is_frame else 0
    return size if size >= _LEAST_FRAME_BYTES else 0
