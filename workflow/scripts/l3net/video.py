"""Clips decoded once: frame times, sound, and the wanted crops of scaled frames, encoded as JPEG.

Conventions: times in seconds from the clip's start; sound mono int16 at 48 kHz; the result does not depend on the
number of threads (H.264 and FLAC decode exactly, the scaler runs bit-exact, the JPEG encoder has one thread).
"""

import io
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

from l3net.errors import ClipError

SAMPLE_RATE = 48000
_REFUSE_DAMAGE = {"err_detect": "crccheck+bitstream+buffer+explode"}  # else decoders paint over what is damaged
_JITTER = 0.002 * SAMPLE_RATE  # Matroska keeps times in milliseconds
_SCALER = "area+accurate_rnd+full_chroma_int+bitexact"


@dataclass(frozen=True)
class Outline:
    """What a clip's container says without decoding: when its frames are shown, how many samples of sound it has."""

    times: np.ndarray
    n_sound: int
    width: int
    height: int

    def scaled(self, short_side: int) -> tuple[int, int]:
        """Return the width and height at a shorter side of `short_side` pixels."""
        factor = short_side / min(self.width, self.height)
        return max(round(self.width * factor), short_side), max(round(self.height * factor), short_side)


@dataclass(frozen=True)
class Decoded:
    """The wanted crops as JPEG bytes, the times of their frames, and the whole sound."""

    images: list[bytes]
    times: np.ndarray
    pcm: np.ndarray


def outline(path: Path) -> Outline:
    """Return the outline of a clip of the store, from its packets alone.

    Raises
    ------
    ClipError
        A file that is missing, not media, without picture or sound, or not at 48 kHz.
    """
    with _reading(path) as container:
        video, audio = _streams(path, container)
        shown, samples = [], 0.0
        for packet in container.demux(video, audio):
            if packet.stream is video and packet.pts is not None:
                shown.append(float(packet.pts * packet.time_base))
            elif packet.stream is audio and packet.pts is not None:
                samples = max(samples, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        times = np.sort(np.array(shown))
        return Outline(times, round(samples * SAMPLE_RATE), video.width, video.height)


def decode(
    path: Path, wanted: np.ndarray, corners: np.ndarray, *, image_size: int, short_side: int, jpeg_quality: int
) -> Decoded:
    """Decode a clip once: its whole sound, and square crops of its frames.

    Parameters
    ----------
    path : of a clip of the store.
    wanted : for each crop the number of its frame, from 0, in any order [shape=(n,)].
    corners : upper left pixels (y, x) of the crops in the scaled frames [shape=(n, 2)].
    image_size : pixels of a crop's side.
    short_side : pixels of the shorter side of the scaled frames.
    jpeg_quality : 1 to 100.

    Raises
    ------
    ClipError
        A clip that stops decoding, or ends before the last wanted frame.
    """
    crops = _by_frame(wanted, corners)
    last = max(crops, default=-1)
    images, times = [b""] * len(wanted), np.zeros(len(wanted))
    parts, heard, n = [], 0, 0
    with _reading(path) as container:
        video, audio = _streams(path, container)
        scale = _Scaler(video, short_side)
        for packet in container.demux(video, audio):
            for frame in packet.decode():
                if getattr(frame, "is_corrupt", False):
                    raise ClipError(f"{path}: frame {n} is damaged")
                if isinstance(frame, av.AudioFrame):
                    if abs(frame.time * SAMPLE_RATE - heard) > _JITTER:
                        raise ClipError(f"{path}: a gap in the sound at {heard / SAMPLE_RATE:.2f} s")
                    parts.append(_mono(frame))
                    heard += len(parts[-1])
                    continue
                if n in crops:
                    scaled = scale(frame)
                    for k, y, x in crops[n]:
                        images[k] = _jpeg(scaled[y : y + image_size, x : x + image_size], jpeg_quality)
                        times[k] = frame.time
                n += 1
    if n <= last:
        raise ClipError(f"{path}: decodes to {n} frames; expected {last + 1} or more")
    return Decoded(images, times, np.concatenate(parts) if parts else np.zeros(0, np.int16))


def _by_frame(wanted: np.ndarray, corners: np.ndarray) -> dict[int, list[tuple[int, int, int]]]:
    """Return for each frame its crops: number, y and x."""
    crops = defaultdict(list)
    for k, (frame, (y, x)) in enumerate(zip(wanted.tolist(), corners.tolist(), strict=True)):
        crops[frame].append((k, y, x))
    return crops


class _Scaler:
    """Scales frames to a shorter side and full-range RGB, the same bits on every machine."""

    def __init__(self, stream: av.VideoStream, short_side: int) -> None:
        size = Outline(np.zeros(0), 0, stream.width, stream.height).scaled(short_side)
        graph = av.filter.Graph()
        graph.threads = 1
        source = graph.add_buffer(template=stream)
        scale = graph.add("scale", f"{size[0]}:{size[1]}:flags={_SCALER}")
        rgb, sink = graph.add("format", "rgb24"), graph.add("buffersink")
        graph.link_nodes(source, scale, rgb, sink).configure()
        self.graph = graph

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        """Return the scaled frame [shape=(height, width, 3), uint8]."""
        self.graph.push(frame)
        return self.graph.pull().to_ndarray()


def _jpeg(image: np.ndarray, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _mono(frame: av.AudioFrame) -> np.ndarray:
    """Return the mean of a frame's channels as int16."""
    samples = frame.to_ndarray()
    channels = samples if frame.format.is_planar else samples.reshape(-1, len(frame.layout.channels)).T
    if channels.dtype == np.int16 and len(channels) == 1:
        return channels[0].copy()
    full = {"i2": 1.0, "i4": 65536.0, "f4": 1 / 32768, "f8": 1 / 32768}[channels.dtype.str[1:]]
    mean = channels.astype(np.float64).mean(0) / full
    return np.clip(np.rint(mean), -32768, 32767).astype(np.int16)


def _streams(path: Path, container: av.container.InputContainer) -> tuple[av.VideoStream, av.AudioStream]:
    video, audio = next(iter(container.streams.video), None), next(iter(container.streams.audio), None)
    if video is None or audio is None:
        raise ClipError(f"{path}: has no {'picture' if video is None else 'sound'}; expected both")
    if audio.sample_rate != SAMPLE_RATE:
        raise ClipError(f"{path}: sound at {audio.sample_rate} Hz; expected {SAMPLE_RATE}, as fetch_clips stores it")
    for stream in (video, audio):
        stream.thread_type = "NONE"
        stream.codec_context.options = _REFUSE_DAMAGE
    return video, audio


@contextmanager
def _reading(path: Path) -> Iterator[av.container.InputContainer]:
    """Open a clip; what the decoders raise becomes one line."""
    try:
        with av.open(str(path)) as container:
            yield container
    except FileNotFoundError:
        raise ClipError(f"{path}: is gone from the store; fetch it again (-R fetch_clips)") from None
    except (av.FFmpegError, OSError, ValueError) as error:
        raise ClipError(f"{path}: cannot be decoded: {error}") from None
