"""Crops of a clip's scaled frames as JPEG, and its whole sound, from one pass over the clip.

The result does not depend on the number of threads: H.264 and FLAC decode exactly, the scaler runs bit-exact, and the
JPEG encoder has one thread.
"""

import io
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from PIL import Image

from l3net.errors import ClipError
from l3net.media import SAMPLE_RATE, Outline, clip_streams, mono_int16, open_clip

_TIME_TOLERANCE = 0.002 * SAMPLE_RATE  # samples; Matroska keeps times in milliseconds
_SCALER = "area+accurate_rnd+full_chroma_int+bitexact"


@dataclass(frozen=True)
class DecodedClip:
    """What one pass over a clip gives.

    Attributes
    ----------
    images : the crops as JPEG bytes.
    times : seconds from the clip's start at which each crop's frame is shown [shape=(n,)].
    pcm : the whole sound, mono [shape=(n_samples,), int16].
    """

    images: list[bytes]
    times: np.ndarray
    pcm: np.ndarray


class _Crop(NamedTuple):
    """The number of a crop among those asked for, and its upper left pixel in the scaled frame."""

    number: int
    y: int
    x: int


def decode_crops(
    path: Path, frames: np.ndarray, corners: np.ndarray, *, image_size: int, short_side: int, jpeg_quality: int
) -> DecodedClip:
    """Decode a clip once: its whole sound, and square crops of its frames.

    Parameters
    ----------
    path : a clip of the store.
    frames : the number of each crop's frame, counted from 0, in any order [shape=(n,)].
    corners : upper left pixels (y, x) of the crops in the scaled frames [shape=(n, 2)].
    image_size : pixels of a crop's side.
    short_side : pixels of the shorter side of the scaled frames.
    jpeg_quality : quality of the JPEG encoder, 1 to 100.

    Raises
    ------
    ClipError
        The clip stops decoding, or ends before the last frame that is asked for.
    """
    crops = _crops_by_frame(frames, corners)
    last_frame = max(crops, default=-1)
    images, times = [b""] * len(frames), np.zeros(len(frames))
    sound, n_heard, n_seen = [], 0, 0
    with open_clip(path) as container:
        video, audio = clip_streams(path, container)
        scaler = FrameScaler(video, short_side)
        for packet in container.demux(video, audio):
            for frame in packet.decode():
                if getattr(frame, "is_corrupt", False):
                    raise ClipError(f"{path}: frame {n_seen} is damaged")
                if isinstance(frame, av.AudioFrame):
                    if abs(frame.time * SAMPLE_RATE - n_heard) > _TIME_TOLERANCE:
                        raise ClipError(f"{path}: the sound has a gap at {n_heard / SAMPLE_RATE:.2f} s")
                    sound.append(mono_int16(frame))
                    n_heard += len(sound[-1])
                    continue
                if n_seen in crops:
                    scaled = scaler.scale(frame)
                    for crop in crops[n_seen]:
                        pixels = scaled[crop.y : crop.y + image_size, crop.x : crop.x + image_size]
                        images[crop.number], times[crop.number] = encode_jpeg(pixels, jpeg_quality), frame.time
                n_seen += 1
    if n_seen <= last_frame:
        raise ClipError(f"{path}: decodes to {n_seen} frames; expected {last_frame + 1} or more")
    return DecodedClip(images, times, np.concatenate(sound) if sound else np.zeros(0, np.int16))


def encode_jpeg(pixels: np.ndarray, quality: int) -> bytes:
    """Encode an image [shape=(height, width, 3), uint8] as JPEG; `quality` is libjpeg's scale, 1 to 100."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


class FrameScaler:
    """Scales the frames of a stream to a shorter side and full-range RGB, with the same bits on every machine.

    Parameters
    ----------
    stream : the stream whose frames are scaled, or one of its frames.
    short_side : pixels of the shorter side of the scaled frames.
    """

    def __init__(self, stream: av.VideoStream | av.VideoFrame, short_side: int) -> None:
        width, height = Outline(np.zeros(0), 0, stream.width, stream.height).scaled(short_side)
        self._graph = av.filter.Graph()
        self._graph.threads = 1
        source = self._graph.add_buffer(template=stream)
        scale = self._graph.add("scale", f"{width}:{height}:flags={_SCALER}")
        rgb, sink = self._graph.add("format", "rgb24"), self._graph.add("buffersink")
        self._graph.link_nodes(source, scale, rgb, sink).configure()

    def scale(self, frame: av.VideoFrame) -> np.ndarray:
        """Return the scaled frame [shape=(height, width, 3), uint8]."""
        self._graph.push(frame)
        return self._graph.pull().to_ndarray()


def _crops_by_frame(frames: np.ndarray, corners: np.ndarray) -> dict[int, list[_Crop]]:
    crops = defaultdict(list)
    for number, (frame, (y, x)) in enumerate(zip(frames.tolist(), corners.tolist(), strict=True)):
        crops[frame].append(_Crop(number, y, x))
    return crops
