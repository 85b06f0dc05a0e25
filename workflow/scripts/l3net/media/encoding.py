"""Writing media: how stored clips are encoded, the cut of a clip out of a video, and the demo's synthetic videos."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import ffmpeg
import numpy as np

from l3net.errors import ClipError
from l3net.media.ffmpeg import FILE_OPTIONS, ffmpeg_binary
from l3net.media.rates import FPS, SAMPLE_RATE

_LONGEST_START_SECONDS = 120.0

_AAC_FRAME = 1024  # samples
_VIDEO_OPTIONS = {"preset": "superfast", "crf": "28"}
_QUIETLY = ("-nostdin", "-hide_banner", "-loglevel", "error")


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """The encoding of the store's clips: Matroska, H.264 at 30 frames a second, FLAC at 48 kHz with one channel.

    Parameters
    ----------
    short_side : pixels of the shorter side; larger pictures are scaled down to it, smaller ones keep their size. None
        keeps every size.
    preset : x264's preset, which trades time against size.
    crf : x264's constant rate factor, from 0 (lossless) to 51 (worst).
    """

    short_side: int | None = 256
    preset: str = "veryfast"
    crf: int = 23

    def options(self, seconds: float) -> dict[str, object]:
        """Return ffmpeg's output options for a clip of `seconds`, as ffmpeg-python takes them.

        Both streams start at 0 (sound that begins late is led by silence, a picture by its first frame), so that a
        reader that ignores time stamps is in sync. Sizes are even, pixels square, rotation applied. Titles and other
        texts of the source are left behind. The bytes depend on the source and these options only.
        """
        return {
            "t": seconds,
            "vf": f"fps={FPS}:start_time=0,{self._scale()},setsar=1,format=yuv420p",
            "af": f"aresample={SAMPLE_RATE}:async=1:first_pts=0",
            "ac": 1,
            "ar": SAMPLE_RATE,
            "vcodec": "libx264",
            "preset": self.preset,
            "crf": self.crf,
            "acodec": "flac",
            "sample_fmt": "s16",
            "threads": 1,
            "filter_threads": 1,
            "map_metadata": -1,
            "map_chapters": -1,
            "fflags": "+bitexact",
            "flags:v": "+bitexact",
            "flags:a": "+bitexact",
            "f": "matroska",
        }

    def arguments(self, seconds: float) -> list[str]:
        """Return `options` as words of ffmpeg's command line, for yt-dlp, which starts ffmpeg itself."""
        return ffmpeg.output(ffmpeg.input("-"), "-", **self.options(seconds)).get_args()[2:-1]

    def _scale(self) -> str:
        factor = "1" if self.short_side is None else f"min(1,{self.short_side}/min(iw*sar,ih))"
        return f"scale=w='2*round(iw*sar*{factor}/2)':h='2*round(ih*{factor}/2)'"


def cut_clip(source: Path, target: Path, *, start_seconds: float, seconds: float, encoding: Encoding) -> None:
    """Write the clip of `source` that begins at `start_seconds` to `target`; only files are opened, no addresses.

    Raises
    ------
    ClipError
        ffmpeg failed; the message is its last line.
    """
    opened = ffmpeg.input(f"file:{source}", ss=start_seconds, t=seconds, threads=1, **FILE_OPTIONS)
    streams = [opened["V:0?"], opened["a:0?"]]
    command = (
        ffmpeg.output(*streams, f"file:{target}", **encoding.options(seconds)).global_args(*_QUIETLY).overwrite_output()
    )
    words, limit = command.compile(cmd=ffmpeg_binary()), _LONGEST_START_SECONDS + 20 * seconds
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=limit)
    except subprocess.TimeoutExpired:
        raise ClipError(f"ffmpeg: not done after {limit:.0f} s") from None
    if done.returncode:
        said = done.stderr.strip().rpartition("\n")[2].removeprefix("Error opening input files: ")
        raise ClipError(f"ffmpeg: {said[:200] or f'exit code {done.returncode}'}")


def write_video(
    path: Path, frames: Iterable[np.ndarray], *, frame_rate: Fraction, sound: np.ndarray | None, sample_rate: int
) -> None:
    """Write a picture and its sound as a video site has them, MP4 with H.264 and AAC.

    The bytes depend on the arguments and the codecs' versions only.

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
