"""Crops of scaled frames as JPEG, and the whole sound, from one pass over a clip."""

import io
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

from l3net.errors import ClipError
from l3net.media import SAMPLE_RATE, Outline, clip_streams, mono_int16, open_clip

_JITTER = 0.002 * SAMPLE_RATE  # Matroska keeps times in milliseconds
_SCALER = "area+accurate_rnd+full_chroma_int+bitexact"


@dataclass(frozen=True)
class DecodedClip:
    """The wanted crops as JPEG bytes, the times of their frames, and the whole sound."""

    images: list[bytes]
    times: np.ndarray
    pcm: np.ndarray


def decode_crops(
    path: Path, wanted: np.ndarray, corners: np.ndarray, *, image_size: int, short_side: int, jpeg_quality: int
) -> DecodedClip:
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
    with open_clip(path) as container:
        video, audio = clip_streams(path, container)
        scale = _Scaler(video, short_side)
        for packet in container.demux(video, audio):
            for frame in packet.decode():
                if getattr(frame, "is_corrupt", False):
                    raise ClipError(f"{path}: frame {n} is damaged")
                if isinstance(frame, av.AudioFrame):
                    if abs(frame.time * SAMPLE_RATE - heard) > _JITTER:
                        raise ClipError(f"{path}: a gap in the sound at {heard / SAMPLE_RATE:.2f} s")
                    parts.append(mono_int16(frame))
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
    return DecodedClip(images, times, np.concatenate(parts) if parts else np.zeros(0, np.int16))


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
