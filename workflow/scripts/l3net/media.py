"""Media files: where ffmpeg is, what a file holds, and the cut of a clip out of a video.

Conventions: durations in seconds, sizes in pixels as stored, rates in Hz and frames a second.
"""

import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import ffmpeg
import imageio_ffmpeg

from l3net.errors import ClipError, ConfigError

FPS = 30
SAMPLE_RATE = 48000
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpeg,mpegts,mpegvideo,ogg,asf"
FILE_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": _CONTAINERS}
NETWORK_OPTIONS = {
    "protocol_whitelist": "http,https,tls,tcp,httpproxy,crypto,data",
    "format_whitelist": f"{_CONTAINERS},hls",
}
_PATIENCE_SECONDS = 120.0
_QUIETLY = ("-nostdin", "-hide_banner", "-loglevel", "error")


@cache
def ffmpeg_binary() -> str:
    """Return the path of ffmpeg: the system's where there is one with x264, else the environment's own.

    Raises
    ------
    ConfigError
        When there is neither.
    """
    if found := shutil.which("ffmpeg"):
        listed = subprocess.run([found, "-hide_banner", "-encoders"], capture_output=True, text=True, errors="replace")
        if " libx264 " in listed.stdout:
            return found
    try:
        return imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        raise ConfigError("no ffmpeg: install it, or imageio-ffmpeg, which brings one, into this environment") from None


@dataclass(frozen=True)
class MediaInfo:
    """What a media file holds; the fields of a stream that is not there are None."""

    duration: float | None
    fps: float | None
    width: int | None
    height: int | None
    video_codec: str | None
    sample_rate: int | None
    channels: int | None
    audio_codec: str | None

    @property
    def has_video(self) -> bool:
        """Whether there is a picture."""
        return self.video_codec is not None

    @property
    def has_audio(self) -> bool:
        """Whether there is sound."""
        return self.audio_codec is not None


def probe(path: Path) -> MediaInfo:
    """Return what the header of a media file says, without decoding it.

    Raises
    ------
    ClipError
        A file that is missing or not media.
    """
    try:
        with av.open(str(path)) as container:
            video = next(iter(container.streams.video), None)
            audio = next(iter(container.streams.audio), None)
            rate = video and (video.average_rate or video.guessed_rate)
            return MediaInfo(
                duration=None if container.duration is None else container.duration / av.time_base,
                fps=float(rate) if rate else None,
                width=video and video.width,
                height=video and video.height,
                video_codec=video and video.codec_context.name,
                sample_rate=audio and audio.sample_rate,
                channels=audio and audio.channels,
                audio_codec=audio and audio.codec_context.name,
            )
    except (av.FFmpegError, OSError) as error:
        raise ClipError(f"{path}: cannot be read as media: {error}") from None


@dataclass(frozen=True)
class Encoding:
    """How clips are kept in the store: Matroska, H.264 at 30 frames a second, FLAC at 48 kHz, one channel.

    Parameters
    ----------
    short_side : pixels of the shorter side; larger pictures are scaled down to it, smaller ones left. None keeps all.
    preset : x264's trade of time against size.
    crf : x264's quality, 0 (lossless) to 51.
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
        """Return `options` as ffmpeg's command line has them, for a command that another program makes."""
        return ffmpeg.output(ffmpeg.input("-"), "-", **self.options(seconds)).get_args()[2:-1]

    def _scale(self) -> str:
        factor = "1" if self.short_side is None else f"min(1,{self.short_side}/min(iw*sar,ih))"
        return f"scale=w='2*round(iw*sar*{factor}/2)':h='2*round(ih*{factor}/2)'"


def arguments_of_input(timeout_seconds: float) -> list[str]:
    """Return ffmpeg's input options for an address: containers only, and only what http(s) needs to be reached."""
    options = {**NETWORK_OPTIONS, "rw_timeout": round(timeout_seconds * 1e6), "threads": 1}
    return [word for name, value in options.items() for word in (f"-{name}", str(value))]


def cut(source: Path, target: Path, *, start_seconds: float, seconds: float, encoding: Encoding) -> None:
    """Write the clip of `source` that begins at `start_seconds` to `target`; only files are opened, no addresses.

    Raises
    ------
    ClipError
        What ffmpeg said, in one line, when it failed.
    """
    opened = ffmpeg.input(str(source), ss=start_seconds, t=seconds, threads=1, **FILE_OPTIONS)
    streams = [opened["V:0?"], opened["a:0?"]]
    command = (
        ffmpeg.output(*streams, f"file:{target}", **encoding.options(seconds)).global_args(*_QUIETLY).overwrite_output()
    )
    words, patience = command.compile(cmd=ffmpeg_binary()), _PATIENCE_SECONDS + 20 * seconds
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=patience)
    except subprocess.TimeoutExpired:
        raise ClipError(f"ffmpeg: not done after {patience:.0f} s") from None
    if done.returncode:
        said = done.stderr.strip().rpartition("\n")[2].removeprefix("Error opening input files: ")
        raise ClipError(f"ffmpeg: {said[:200] or f'exit code {done.returncode}'}")
