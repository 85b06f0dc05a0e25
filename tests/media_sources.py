"""Small videos for tests, made with ffmpeg's own generators.

Every video shows a white flash and sounds a click at 3, 6, 9, ... seconds; between them it is dark, with a quiet tone.
"""

import subprocess
from pathlib import Path

import av
import numpy as np

from l3net.media.ffmpeg import ffmpeg_binary

PERIOD_SECONDS = 3.0
_FLASH = "drawbox=enable='lt(mod(t+0.001\\,3)\\,0.1)*gte(t\\,1)':c=white:t=fill"
_CLICK = "0.02*sin(2*PI*440*t)+0.7*lt(mod(t\\,3)\\,0.02)*gte(t\\,1)*sin(2*PI*1000*t)"
_H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
_AAC = ["-c:a", "aac"]


def video(
    path: Path, *, seconds: float = 12, size: str = "128x96", fps: str = "30", click: str = _CLICK, more: list[str] = ()
) -> Path:
    """Write a video of flashes and clicks; `more` are output options that come last."""
    picture = f"color=black:s={size}:r={fps}:d={seconds},{_FLASH}"
    sound = f"aevalsrc={click}:s=48000:d={seconds}"
    codecs = [] if path.suffix == ".webm" else [*_H264, *_AAC]
    return run("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, *codecs, *more, to=path)


def run(*arguments: str | Path, to: Path) -> Path:
    """Run ffmpeg with `arguments` and the output `to`."""
    subprocess.run([ffmpeg_binary(), "-nostdin", "-v", "error", "-y", *map(str, arguments), str(to)], check=True)
    return to


def every_kind(folder: Path) -> dict[str, Path]:
    """Make one video of every kind that must become an ok clip, and return them by kind."""
    plain = video(folder / "plain.mp4")
    surround = "aevalsrc=" + "|".join([_CLICK] * 6) + ":c=5.1:s=48000:d=12"
    return {
        "plain": plain,
        "rotated": run("-display_rotation:v:0", "90", "-i", plain, "-c", "copy", to=folder / "rotated.mp4"),
        "odd": video(folder / "odd.mp4", size="127x95", more=["-pix_fmt", "yuv444p"]),
        "variable": video(
            folder / "variable.mp4",
            more=["-vf", "select='not(mod(n\\,3))+between(t\\,4\\,7)'", "-fps_mode", "vfr"],
        ),
        "surround": run("-i", plain, "-f", "lavfi", "-i", surround, "-map", "0:v", "-map", "1:a", "-c:v", "copy", *_AAC,
                        to=folder / "surround.mp4"),
        "film": video(folder / "film.mkv", fps="24000/1001", more=["-ar", "44100", "-c:a", "mp3"]),
        "late_sound": run("-i", plain, "-c", "copy", "-bsf:a", "noise=drop='lt(n,60)'", to=folder / "late.mkv"),
    }  # fmt: skip


def broken_kind(folder: Path, plain: Path) -> dict[str, Path]:
    """Make one video of every kind that must not become an ok clip, and return them by kind."""
    whole = run("-i", plain, "-c", "copy", "-movflags", "+faststart", to=folder / "front.mp4").read_bytes()
    truncated = folder / "truncated.mp4"
    truncated.write_bytes(whole[: len(whole) * 5 // 8])
    headless = folder / "headless.mp4"
    headless.write_bytes(plain.read_bytes()[: plain.stat().st_size * 5 // 8])
    return {
        "silent": video(folder / "silent.mp4", click="0"),
        "audio_only": run("-i", plain, "-vn", "-c", "copy", to=folder / "audio_only.mp4"),
        "video_only": run("-i", plain, "-an", "-c", "copy", to=folder / "video_only.mp4"),
        "three_seconds": run("-i", plain, "-t", "4", "-c", "copy", to=folder / "three_seconds.mp4"),
        "truncated": truncated,
        "headless": headless,
    }


def flashes_and_clicks(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the times, in seconds from the first frame and the first sample, at which flashes and clicks begin.

    Decoded frame by frame without time stamps, as a reader does that counts frames and samples.
    """
    with av.open(str(path)) as container:
        light = np.array([frame.to_ndarray(format="gray").mean() for frame in container.decode(video=0)])
    with av.open(str(path)) as container:
        sound = np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio=0)]) / 32768
    flashes = np.flatnonzero((light[1:] > 128) & (light[:-1] <= 128)) + 1
    loud = np.flatnonzero(np.abs(sound) > 0.3)
    clicks = loud[np.diff(loud, prepend=-48000) > 24000]
    return flashes / 30, clicks / 48000
