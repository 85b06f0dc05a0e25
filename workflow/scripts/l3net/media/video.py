"""Clips decoded once: frame times, sound, and the wanted crops of scaled frames, encoded as JPEG.

Conventions: times in seconds from the clip's start; sound mono int16 at 48 kHz; the result does not depend on the
number of threads (H.264 and FLAC decode exactly, the scaler runs bit-exact, the JPEG encoder has one thread).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from l3net.errors import ClipError
from l3net.media.rates import SAMPLE_RATE

_REFUSE_DAMAGE = {"err_detect": "crccheck+bitstream+buffer+explode"}  # else decoders paint over what is damaged


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


def read_outline(path: Path) -> Outline:
    """Return the outline of a clip of the store, from its packets alone.

    Raises
    ------
    ClipError
        A file that is missing, not media, without picture or sound, or not at 48 kHz.
    """
    with open_clip(path) as container:
        video, audio = clip_streams(path, container)
        shown, samples = [], 0.0
        for packet in container.demux(video, audio):
            if packet.stream is video and packet.pts is not None:
                shown.append(float(packet.pts * packet.time_base))
            elif packet.stream is audio and packet.pts is not None:
                samples = max(samples, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        times = np.sort(np.array(shown))
        return Outline(times, round(samples * SAMPLE_RATE), video.width, video.height)


def mono_int16(frame: av.AudioFrame) -> np.ndarray:
    """Return the mean of a frame's channels as int16."""
    samples = frame.to_ndarray()
    channels = samples if frame.format.is_planar else samples.reshape(-1, len(frame.layout.channels)).T
    if channels.dtype == np.int16 and len(channels) == 1:
        return channels[0].copy()
    full = {"i2": 1.0, "i4": 65536.0, "f4": 1 / 32768, "f8": 1 / 32768}[channels.dtype.str[1:]]
    mean = channels.astype(np.float64).mean(0) / full
    return np.clip(np.rint(mean), -32768, 32767).astype(np.int16)


def clip_streams(path: Path, container: av.container.InputContainer) -> tuple[av.VideoStream, av.AudioStream]:
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
def open_clip(path: Path) -> Iterator[av.container.InputContainer]:
    """Open a clip; what the decoders raise becomes one line."""
    try:
        with av.open(str(path)) as container:
            yield container
    except FileNotFoundError:
        raise ClipError(f"{path}: is gone from the store; fetch it again (-R fetch_clips)") from None
    except (av.FFmpegError, OSError, ValueError) as error:
        raise ClipError(f"{path}: cannot be decoded: {error}") from None
