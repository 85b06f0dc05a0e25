"""Opening media for reading: the one place that calls PyAV's `open` on what is not ours.

Tags of a file that are not UTF-8 are read with replacement characters: a title in another encoding must not keep the
sound from being read.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer

from l3net.containers import presented
from l3net.errors import ClipError
from l3net.media.ffmpeg import NETWORK_OPTIONS
from l3net.media.wave import wave_options

_REFUSE_DAMAGE = {"err_detect": "crccheck+bitstream+buffer+explode"}  # by default decoders paint over damage
_LISTS = {"concat", "concatf", "dash", "hls", "imf", "image2", "lavfi", "rtp", "rtsp", "sdp"}  # name other files
_JPEG = {".jpg", ".jpeg", ".jpe", ".jfif"}  # which ffmpeg else takes for one file of a numbered series (image2)
_NEVER_ZEROS = {
    *("aac", "ac3", "alac", "amrnb", "amrwb", "eac3", "flac", "mp2", "mp3", "mp3float", "opus", "vorbis", "wmav1"),
    *("wmav2", "av1", "libdav1d", "flv", "h263", "h264", "hevc", "mjpeg", "mpeg1video", "mpeg2video", "mpeg4"),
    *("msmpeg4", "msmpeg4v2", "prores", "theora", "vc1", "vp6", "vp6f", "vp8", "vp9", "libvpx", "libvpx-vp9", "wmv1"),
    *("wmv2", "wmv3"),
}  # codecs
_LEAST_ZEROS = 16  # bytes: shorter packets may stand for nothing new
# What PyAV raises while it opens, demuxes and decodes; IndexError where a track begins after the others.
MEDIA_ERRORS = (av.FFmpegError, OSError, ValueError, IndexError)


@cache
def _own_contents() -> dict[str, str]:
    """Return the options by which ffmpeg opens a file for what it holds itself, and no other file."""
    return {"protocol_whitelist": "file", "format_whitelist": ",".join(sorted(av.formats_available - _LISTS))}


@contextmanager
def open_container(path: Path | str, *, failing: str = "cannot be read as media") -> Iterator[InputContainer]:
    """Open a media file; what goes wrong while it is open becomes one line.

    Parameters
    ----------
    path : the file; its name is never taken for an address, whatever it contains. A list of other files, which would be
        read in its place, is not media.
    failing : what the message says of the file, before the reason.

    Raises
    ------
    ClipError
        The file is missing, or opening, demuxing or decoding it failed.
    """
    try:
        # A name such as "a:b.wav" is an address of protocol "a" to ffmpeg unless it is told that it names a file.
        kind = "jpeg_pipe" if Path(path).suffix.lower() in _JPEG else None
        options = {**_own_contents(), **wave_options(path)}
        with presented(path) or nullcontext() as other:
            source, kind = (f"file:{path}", kind) if other is None else (other, other.kind)
            with av.open(source, format=kind, options=options, metadata_errors="replace") as container:
                yield container
    except MEDIA_ERRORS as error:
        raise ClipError(f"{path}: {failing}: {one_reason(error)}") from None


@contextmanager
def open_address(url: str, *, proxy: str, headers: dict[str, str], timeout_seconds: float) -> Iterator[InputContainer]:
    """Open media at an http(s) address.

    Parameters
    ----------
    proxy : address of the proxy that every request passes.
    headers : of the requests.
    timeout_seconds : seconds to wait for a connection or for the next bytes.

    Raises
    ------
    ClipError
        The address cannot be reached or is not media; the message does not repeat the address, it may hold a token.
    """
    lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
    options = {"http_proxy": proxy, "headers": lines, **NETWORK_OPTIONS}
    try:
        with av.open(url, options=options, timeout=timeout_seconds, metadata_errors="replace") as container:
            yield container
    except MEDIA_ERRORS as error:
        raise ClipError(f"the address cannot be read as media: {one_reason(error)}") from None


def first_track(container: InputContainer, kind: str) -> Any:
    """Return the first track of a kind, ``audio`` or ``video``, that this ffmpeg has a decoder for; None without any.

    PyAV gives a track of an unknown codec no context, and asking it for anything else fails.
    """
    return next((track for track in getattr(container.streams, kind) if track.codec_context is not None), None)


def is_zeros(packet: av.Packet) -> bool:
    """Return whether a packet holds zeros alone, which no encoder of what it should hold writes."""
    codec = packet.stream.codec_context
    is_coded = codec is not None and codec.name in _NEVER_ZEROS
    return is_coded and packet.size >= _LEAST_ZEROS and not any(bytes(packet))


def seconds_of_byte(container: InputContainer, at: int) -> float:
    """Return from when on a file is harmed whose bytes are damaged from `at` on; the file is read from where it stands.

    That is where the last packets before them are, in seconds from where the earliest of the streams begins.
    """
    last: dict[int, float] = {}
    for packet in container.demux():
        ticks = packet.pts if packet.dts is None else packet.dts
        if packet.pos is None or packet.pos >= at or ticks is None:
            continue
        last[packet.stream_index] = max(float(ticks * packet.time_base), last.get(packet.stream_index, -math.inf))
    return min(last.values(), default=-math.inf) - (container.start_time or 0) / av.time_base


def seek_keyframe(container: InputContainer, seconds: float) -> None:
    """Go to the keyframe before `seconds`, or to the beginning."""
    if seconds > 0:
        with suppress(*MEDIA_ERRORS):  # a file that cannot be sought in is read from its beginning
            container.seek(round((seconds * av.time_base) + (container.start_time or 0)))


def refuse_damage(track: Any) -> None:
    """Have a track decoded by one thread, which reports damage in place of painting over it."""
    track.thread_type = "NONE"
    track.codec_context.options = _REFUSE_DAMAGE


def one_reason(error: Exception) -> str:
    """Return the first line of what an error of PyAV or of the system says, without the file's name."""
    if isinstance(error, IndexError):
        return "a track begins in its middle"
    said = (getattr(error, "strerror", None) or str(error)).strip()
    return said.splitlines()[0] if said else type(error).__name__
