"""Sounds whose container libavformat does not read, or reads in part, presented to it as WAVE or AU files that it does.

Those are AU of little-endian samples, AIFF-C of such samples of 24 and 32 bits, big-endian WAVE (RIFX) of A-law, mu-law
and others, and WAVE with several chunks of sound, of which libavformat reads the last, SoX the first and libsndfile
none. The samples stay where they are in the file; what is made is the header before them.
"""

import io
import logging
import os
import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

from l3net.containers.chunks import PIPE_SIZES, chunks
from l3net.errors import ClipError

_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_WIDTHS = {_PCM: (1, 2, 3, 4, 8), _FLOAT: (4, 8), _A_LAW: (1,), _MU_LAW: (1,)}  # bytes of a sample
_AU_SAMPLES = {3: (_PCM, 2), 4: (_PCM, 3), 5: (_PCM, 4), 6: (_FLOAT, 4), 7: (_FLOAT, 8)}  # by AU's codes
_AU_BYTES = {1, 2, 27}  # of one byte, which has no order: mu-law, 8 bits, A-law
_AU = {b"dns.": "<", b"\0ds.": "<", b".sd\0": ">"}  # beside .snd: those of libsndfile and SoX, and of DEC
_LITTLE_AIFF = {b"42n1": 3, b"42ni": 3, b"23ni": 4}  # bytes of a sample; libsndfile's names, backwards as the samples
_AAC = {0x00FF, 0x1600, 0x706D, 0x4143, 0xA106}  # WAVE's numbers of AAC
_log = logging.getLogger("l3net")


class Presented(io.RawIOBase):
    """A file made of a header and of pieces of another file."""

    def __init__(self, file: BinaryIO, kind: str, header: bytes, pieces: list[tuple[int, int]]) -> None:
        """Take an open file, libavformat's name of what is presented, its header, and (offset, size) of each piece."""
        self.kind, self._file, self._header, self._pieces = kind, file, header, pieces
        self._size, self._at = len(header) + sum(size for _, size in pieces), 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the place that is read next."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; return it."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def readinto(self, buffer: bytearray) -> int:
        """Read up to the end of the piece that is read."""
        at = self._at
        if at < len(self._header):
            found = self._header[at : at + len(buffer)]
        else:
            at, found = at - len(self._header), b""
            for offset, size in self._pieces:
                if at < size:
                    self._file.seek(offset + at)
                    found = self._file.read(min(len(buffer), size - at))
                    break
                at -= size
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)

    def close(self) -> None:
        """Close the file too."""
        self._file.close()
        super().close()


class _Sound(NamedTuple):
    """Samples as they stand in a file: WAVE's number of their kind, bytes of each, channels, Hz, and the pieces."""

    kind: int
    width: int
    n_channels: int
    rate: int
    pieces: list[tuple[int, int]]


def presented(path: Path | str) -> Presented | None:
    """Return a sound as libavformat reads it; None for a file that it reads as it is.

    Raises
    ------
    ClipError
        A WAVE file of AAC whose frames have no headers, by which alone they could be told apart.
    OSError
        The file cannot be read.
    """
    if not Path(path).is_file():
        return None  # a pipe can be read only once
    file = open(path, "rb")  # noqa: SIM115 (closed with what is presented)
    try:
        found = _present(file, Path(path))
    except BaseException as error:
        file.close()
        if isinstance(error, struct.error | OverflowError):
            return None  # a header that is cut, or no such header, is the demuxer's to report
        raise
    if found is None:
        file.close()
    return found


def _present(file: BinaryIO, path: Path) -> Presented | None:
    n_bytes = os.fstat(file.fileno()).st_size
    head = file.read(24)
    if head[:4] in _AU:
        return _of_au(file, head, n_bytes)
    if head[:4] == b"FORM" and head[8:12] == b"AIFC":
        return _of_aiff(file, n_bytes)
    if head[:4] in (b"RIFF", b"RIFX") and head[8:12] == b"WAVE":
        return _of_wave(file, path, ">" if head[3:4] == b"X" else "<", n_bytes)
    return None


def _of_au(file: BinaryIO, head: bytes, n_bytes: int) -> Presented | None:
    offset, size, code, rate, n_channels = struct.unpack(f"{_AU[head[:4]]}5I", head[4:24])
    size = n_bytes - offset if size in PIPE_SIZES else size
    pieces = [(offset, max(min(size, n_bytes - offset), 0))]
    if code in _AU_BYTES or _AU[head[:4]] == ">":
        return Presented(file, "au", struct.pack(">4s5I", b".snd", 24, pieces[0][1], code, rate, n_channels), pieces)
    return _as_wave(file, _Sound(*_AU_SAMPLES.get(code, (0, 0)), n_channels, rate, pieces))


def _of_aiff(file: BinaryIO, n_bytes: int) -> Presented | None:
    about, pieces = b"", []
    for name, at, size in chunks(file, 12, ">4sI", n_bytes):
        file.seek(at)
        if name == b"COMM":
            about = file.read(min(size, 64))
        elif name == b"SSND":
            (skipped,) = struct.unpack(">I", file.read(4))
            pieces = [(at + 8 + skipped, max(min(size, n_bytes - at) - 8 - skipped, 0))]
    n_channels, bits, exponent, mantissa, packing = struct.unpack_from(">h4xhHQ4s", about)
    width = _LITTLE_AIFF.get(packing, (bits + 7) // 8 if packing == b"sowt" else 0)
    if width <= 2:  # which libavformat reads, as it does other packings
        return None
    rate = round(mantissa * 2.0 ** ((exponent & 0x7FFF) - 16383 - 63))
    return _as_wave(file, _Sound(_PCM, width, n_channels, rate, pieces))


def _of_wave(file: BinaryIO, path: Path, order: str, n_bytes: int) -> Presented | None:
    """Present RIFX with the header of RIFF, and pieces of sound as one; a RIFX of samples is decoded as big-endian."""
    about, pieces, empty = b"", [], []
    for name, at, size in chunks(file, 12, f"{order}4sI", n_bytes):
        if name == b"fmt ":
            file.seek(at)
            about = file.read(min(size, 64))
        elif name == b"data":
            file.seek(at)
            if not size and (pieces or file.read(4) == b"data"):  # beside another chunk it is no size of a pipe
                empty.append(at)
                continue
            is_open = size in PIPE_SIZES
            pieces.append((at, n_bytes - at if is_open else min(size, n_bytes - at)))
            if is_open:
                break
    kind, n_channels, rate, _, block = struct.unpack_from(f"{order}HHIIH", about)
    if kind == _EXTENSIBLE and len(about) >= 26:
        (kind,) = struct.unpack_from(f"{order}H", about, 24)
    if kind in _AAC and pieces:
        file.seek(pieces[0][0])
        if (start := file.read(2)) and not (start[0] == 0xFF and start[-1] & 0xF0 == 0xF0):
            raise ClipError(
                f"{path}: cannot be read as sound: holds AAC without the headers of its frames, which no program tells "
                "apart; encode the sound again, for example as .m4a"
            )
    if len(pieces) > 1:
        # Half a sample at the end of one would turn the next to noise.
        pieces = [(at, size - size % max(block, 1)) for at, size in pieces]
        _log.warning("%s: has %d chunks of sound, which are read one behind the other", path, len(pieces))
    if order == ">":
        return _as_wave(file, _Sound(kind, block // max(n_channels, 1), n_channels, rate, pieces))
    if not pieces or len(pieces) + len(empty) < 2:
        return None
    file.seek(0)
    size, first = sum(size for _, size in pieces), pieces[0][0]
    header = bytearray(file.read(first))
    for at in [at for at in empty if at < first][::-1]:
        del header[at - 8 : at]
    struct.pack_into("<I", header, 4, min(len(header) - 8 + size, 0xFFFFFFFF))
    struct.pack_into("<I", header, len(header) - 4, min(size, 0xFFFFFFFF))
    return Presented(file, "wav", bytes(header), pieces)


def _as_wave(file: BinaryIO, sound: _Sound) -> Presented | None:
    """Present samples as WAVE; None where it has no such samples."""
    if sound.width not in _WIDTHS.get(sound.kind, ()) or not sound.pieces or not 0 < sound.n_channels < 1 << 16:
        return None
    block = sound.n_channels * sound.width
    size = min(sum(size for _, size in sound.pieces), 0xFFFFFFFF - 36)
    bytes_a_second = min(sound.rate * block, 0xFFFFFFFF)
    about = struct.pack(
        "<HHIIHH", sound.kind, sound.n_channels, sound.rate, bytes_a_second, block & 0xFFFF, 8 * sound.width
    )
    header = struct.pack("<4sI8sI16s4sI", b"RIFF", 36 + size, b"WAVEfmt ", 16, about, b"data", size)
    return Presented(file, "wav", header, sound.pieces)
