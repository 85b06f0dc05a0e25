"""Writing media: how stored clips are encoded, the cut of a clip out of a video, and the demo's synthetic videos."""

import math
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import ffmpeg
import numpy as np

from l3net.containers import broken_at, damaged_parts
from l3net.errors import ClipError
from l3net.media.container import open_container, seconds_of_byte
from l3net.media.ffmpeg import FILE_OPTIONS, ffmpeg_binary, refuse_no_fault_of_input
from l3net.media.rates import FPS, SAMPLE_RATE
from l3net.media.video import damage_between, frame_shown_at

_LONGEST_START_SECONDS = 120.0
_QUICK_SECONDS = 0.12  # frames that follow each other within this are taken as they come
_BEFORE_A_FRAME_SECONDS = 0.001  # times of frames are rounded

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

    def options(self, seconds: float, *, start_seconds: float = 0.0) -> dict[str, object]:
        """Return ffmpeg's output options for a clip of `seconds` that begins at `start_seconds` of ffmpeg's input.

        Both streams start at 0 (sound that begins late is led by silence, a picture by its first frame), so that a
        reader that ignores time stamps is in sync. Sizes are even, pixels square, rotation applied. Titles and other
        texts of the source are left behind. The bytes depend on the source and these options only.
        """
        begin_again = ",{}=PTS-STARTPTS" if start_seconds else ""
        picture = f"fps={FPS}:start_time={start_seconds:g}{begin_again.format('setpts')}"
        first_pts = round(start_seconds * SAMPLE_RATE)
        # What lies before first_pts is counted off at the rate that aresample is given, so it must be the clip's.
        resampled = f"aresample={SAMPLE_RATE}," if start_seconds else ""
        return {
            "t": seconds,
            "vf": f"{picture},{self._scale()},setsar=1,format=yuv420p",
            "af": f"{resampled}aresample={SAMPLE_RATE}:async=1:first_pts={first_pts}{begin_again.format('asetpts')}",
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

    A frame is shown until the next one begins, also where the clip begins or ends between the two.

    Raises
    ------
    ClipError
        ffmpeg failed, and the message is its last line; or the source is damaged where the clip is.
    OSError
        The disk of `target` gives no room, or a signal ended ffmpeg.
    """
    end_seconds, options = start_seconds + seconds, encoding.options(seconds)
    part = {"ss": start_seconds, "t": seconds}
    if (earlier := _earlier_start(source, start_seconds, end_seconds)) is not None:
        part, options = {"ss": earlier}, encoding.options(seconds, start_seconds=start_seconds - earlier)
    opened = ffmpeg.input(f"file:{source}", **part, threads=1, **FILE_OPTIONS)
    streams = [opened["V:0?"], opened["a:0?"]]
    command = ffmpeg.output(*streams, f"file:{target}", **options).global_args(*_QUIETLY).overwrite_output()
    words, limit = command.compile(cmd=ffmpeg_binary()), _LONGEST_START_SECONDS + 20 * seconds
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=limit)
    except subprocess.TimeoutExpired:
        raise ClipError(f"ffmpeg: not done after {limit:.0f} s") from None
    if done.returncode:
        refuse_no_fault_of_input(done.returncode, done.stderr, target)
        said = done.stderr.strip().rpartition("\n")[2].removeprefix("Error opening input files: ")
        raise ClipError(f"ffmpeg: {said[:200] or f'exit code {done.returncode}'}")
    parts = [one for one in damaged_parts(source) if one.begin < end_seconds and one.end > start_seconds]
    if parts:
        raise ClipError(f"the video is damaged: {parts[0].reason}")
    if (broken := broken_at(source)) is not None:
        at, reason = broken
        with open_container(source) as container:
            if seconds_of_byte(container, at) < end_seconds:
                raise ClipError(f"the video is damaged: {reason}")
    # ffmpeg tells of damage, of which it paints over what it can, and also of much that is none.
    if damage := damage_between(source, start_seconds, end_seconds, decoding=bool(done.stderr)):
        raise ClipError(f"the video is {damage}")


def _earlier_start(source: Path, start_seconds: float, end_seconds: float) -> float | None:
    """Return from where the picture must be read so that it has the frame that is shown when the clip begins.

    ffmpeg leaves out the frames that begin before the time it seeks, and those behind the time it reads to. Where
    frames follow each other quickly that is right to the frame, and None is returned.
    """
    try:
        first, last = frame_shown_at(source, start_seconds), frame_shown_at(source, end_seconds)
    except ClipError:
        return None  # no picture, or no media, as ffmpeg will say
    is_left_out = math.isfinite(first.begin) and first.begin < start_seconds - 1e-6
    begins_late = is_left_out and first.end - start_seconds > _QUICK_SECONDS
    ends_early = math.isfinite(last.begin) and math.isfinite(last.end) and end_seconds - last.begin > _QUICK_SECONDS
    if not begins_late and not ends_early:
        return None
    return max(first.begin - _BEFORE_A_FRAME_SECONDS, 0.0) if math.isfinite(first.begin) else start_seconds


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
