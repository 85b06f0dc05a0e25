"""Writing the demo's synthetic videos as a video site would have them: MP4 with H.264 and AAC."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

_AAC_FRAME = 1024  # samples
_VIDEO_OPTIONS = {"preset": "superfast", "crf": "28"}


def write_video(
    path: Path, frames: Iterable[np.ndarray], *, frame_rate: Fraction, sound: np.ndarray | None, sample_rate: int
) -> None:
    """Write a picture and its sound as one MP4 file, whose bytes depend on the arguments and the codecs' versions only.

    Parameters
    ----------
    frames : RGB images with even sides [shape=(height, width, 3), uint8].
    frame_rate : frames a second.
    sound : one or two channels in [-1, 1) [shape=(channels, n), float32]; None writes no audio stream.
    sample_rate : Hz of `sound`.
    """
    frames = iter(frames)
    first = next(frames)
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as file:
        video = file.add_stream("libx264", rate=frame_rate, options=_VIDEO_OPTIONS)
        video.height, video.width = first.shape[:2]
        video.pix_fmt, video.codec_context.thread_count = "yuv420p", 1
        audio = None if sound is None else _audio_stream(file, sound, sample_rate)
        for frame in (first, *frames):
            file.mux(video.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(video.encode())
        if audio is not None:
            _write_sound(file, audio, sound, sample_rate)


def _audio_stream(file, sound, sample_rate):
    layout = "mono" if len(sound) == 1 else "stereo"
    stream = file.add_stream("aac", rate=sample_rate, layout=layout, options={"aac_coder": "fast"})
    stream.bit_rate = 56_000 * len(sound)
    return stream


def _write_sound(file, stream, sound, sample_rate):
    for start in range(0, sound.shape[1], _AAC_FRAME):
        piece = np.ascontiguousarray(sound[:, start : start + _AAC_FRAME], np.float32)
        frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=stream.layout.name)
        frame.sample_rate, frame.pts = sample_rate, start
        file.mux(stream.encode(frame))
    file.mux(stream.encode())
