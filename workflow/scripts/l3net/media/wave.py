"""WAVE files of samples as they are (PCM): libavformat looks for packed sound in them, and misreads some."""

import struct
from pathlib import Path

import av

# The first words of DTS and of S/PDIF in their byte orders, which some WAVE files carry under the name of PCM.
_PACKED_IN_WAVE = tuple(
    bytes.fromhex(word) for word in ("7ffe8001", "fe7f0180", "1fffe800", "ff1f00e8", "f8724e1f", "72f81f4e")
)
_HEAD_BYTES = 1 << 17  # as far as ffmpeg would look
_PACKET_BYTES = 1 << 14  # ffmpeg takes a quarter; more make its comparison of the first one longer
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE


def wave_options(path: Path | str) -> dict[str, str]:
    """Return ffmpeg's options for a WAVE file of samples as they are; none for another file.

    ffmpeg takes PCM in WAVE for what may be any packed format, and compares the first 128 kB with all that it knows:
    22 ms a file, more than reading some seconds of sound. Where no packed format begins, one packet of it is enough.
    Packets are larger than ffmpeg's, since each is a frame to us.
    """
    head = _head(path, _HEAD_BYTES)
    is_plain = head[:4] == b"RIFF" and head[8:12] == b"WAVE" and not any(word in head for word in _PACKED_IN_WAVE)
    return {"max_probe_packets": "1", "max_size": str(_PACKET_BYTES)} if is_plain else {}


def decoder_of_samples(path: Path, track: av.AudioStream) -> av.CodecContext | None:
    """Return a decoder for the samples of a WAVE file that libavformat takes for others; None where it is right.

    libavformat takes all samples for little-endian ones, which those of RIFX are not, and the bits of a sample that are
    used, such as 20 or 24 of 32, for all that it has.
    """
    head = _head(path, _HEAD_BYTES)
    if head[:4] not in (b"RIFF", b"RIFX", b"RF64", b"BW64") or head[8:12] != b"WAVE":
        return None
    order = ">" if head[:4] == b"RIFX" else "<"
    about = _format_chunk(head, order)
    if len(about) < 16:
        return None
    kind, n_channels, _, _, block = struct.unpack_from(f"{order}HHIIH", about)
    if kind == _EXTENSIBLE and len(about) >= 26:
        (kind,) = struct.unpack_from(f"{order}H", about, 24)
    elif order == "<":
        return None
    n_bytes = block // n_channels if n_channels else 0
    widths = {_PCM: (1, 2, 3, 4, 8), _FLOAT: (4, 8)}.get(kind, ())
    if n_bytes not in widths or n_bytes * n_channels != block:
        return None
    letter, suffix = "f" if kind == _FLOAT else "s", "be" if order == ">" else "le"
    name = f"pcm_{letter}{8 * n_bytes}{suffix}" if n_bytes > 1 else "pcm_u8"
    if name == track.codec_context.name:
        return None
    decoder = av.CodecContext.create(name, "r")
    decoder.sample_rate, decoder.layout = track.rate, track.layout
    return decoder


def _format_chunk(head: bytes, order: str) -> bytes:
    at = 12
    while at + 8 <= len(head):
        name, size = struct.unpack_from(f"{order}4sI", head, at)
        if name == b"fmt ":
            return head[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    return b""


def _head(path: Path | str, n_bytes: int) -> bytes:
    """Return the first bytes of a file; none of what is no file, since a pipe can be read only once."""
    try:
        if not Path(path).is_file():
            return b""
        with open(path, "rb") as file:
            return file.read(n_bytes)
    except OSError:
        return b""  # ffmpeg says what is wrong
