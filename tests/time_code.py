"""Clips whose picture shows the time and whose sound sings it, so that a test can tell what a sample was made of.

Picture: 12 horizontal bars, white for 1: three bits of the clip's number, nine of the frame's; readable in any crop of
the full height, flipped or not. Sound: a chirp whose frequency is the time, and a high tone whose pitch is the clip's
number. Another picture, the ruler, shows where in the frame a crop lies.
"""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

FPS, SAMPLE_RATE = 30, 48000
HEIGHT, WIDTH, _BARS = 72, 128, 12
_DARK, _STEEP = 50, 2  # grey levels of the ruler at 0, and for each pixel downwards
_BASE_HZ, _HZ_PER_SECOND, _PILOT_HZ, _PILOT_STEP = 1000.0, 900.0, 14000.0, 1000.0


def time_code(number: int, i: int) -> np.ndarray:
    """Return frame `i` of clip `number`: bars for the bits of both [shape=(HEIGHT, WIDTH, 3), uint8]."""
    bits = np.array(list(f"{number:03b}{i:09b}"), int)
    rows = np.repeat(np.where(bits, 235, 20), HEIGHT // _BARS).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(rows[:, None, None], (HEIGHT, WIDTH, 3)))


def ruler(number: int, i: int) -> np.ndarray:
    """Return a frame, always the same: green tells y, red tells x [shape=(HEIGHT, WIDTH, 3), uint8]."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([_DARK + x, _DARK + y * _STEEP, np.full_like(x, 128)], -1).astype(np.uint8)


def write_clip(
    path: Path,
    number: int,
    seconds: float = 4.0,
    loudness: float = 0.4,
    picture: Callable[[int, int], np.ndarray] = time_code,
) -> None:
    """Write clip `number` (0 to 7) as the store keeps clips: Matroska, H.264 at 30 frames a second, FLAC at 48 kHz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as file:
        video = file.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "crf": "18"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio = file.add_stream("flac", rate=SAMPLE_RATE, layout="mono", format="s16")
        for i in range(round(seconds * FPS)):
            frame = av.VideoFrame.from_ndarray(picture(number, i), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, FPS)
            file.mux(video.encode(frame))
        file.mux(video.encode())
        sound = _sound(number, seconds, loudness)
        for start in range(0, sound.size, 4096):
            block = av.AudioFrame.from_ndarray(sound[None, start : start + 4096], format="s16", layout="mono")
            block.sample_rate, block.pts, block.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
            file.mux(audio.encode(block))
        file.mux(audio.encode())


def read_picture(image: np.ndarray) -> tuple[int, float]:
    """Return the clip's number and the time in seconds that a crop of the full height shows."""
    rows = np.asarray(image, float).mean((1, 2)).reshape(_BARS, -1)
    bits = "".join("1" if bar > (rows.max() + rows.min()) / 2 else "0" for bar in rows[:, 1:-1].mean(1))
    return int(bits[:3], 2), int(bits[3:], 2) / FPS


def read_place(image: np.ndarray) -> tuple[float, float]:
    """Return y and x of the upper left pixel of a square crop of the ruler (to about two pixels)."""
    red, green, _ = np.asarray(image, float).mean((0, 1))
    middle = (len(image) - 1) / 2
    return (green - _DARK) / _STEEP - middle, red - _DARK - middle


def read_sound(sound: np.ndarray) -> tuple[int, float]:
    """Return the clip's number and the time of the first sample that a second of sound sings (to about 10 ms)."""
    window = np.hanning(4096)
    power = np.abs(np.fft.rfft(sound[:4096] * window, 1 << 16))
    frequency = np.fft.rfftfreq(1 << 16, 1 / SAMPLE_RATE)
    low, high = frequency < _PILOT_HZ - 500, frequency >= _PILOT_HZ - 500
    sung = frequency[low][power[low].argmax()]
    pilot = frequency[high][power[high].argmax()]
    middle = 2048 / SAMPLE_RATE
    return round((pilot - _PILOT_HZ) / _PILOT_STEP), (sung - _BASE_HZ) / _HZ_PER_SECOND - middle


def _sound(number: int, seconds: float, loudness: float) -> np.ndarray:
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    chirp = np.sin(2 * np.pi * (_BASE_HZ * t + _HZ_PER_SECOND * t**2 / 2))
    pilot = np.sin(2 * np.pi * (_PILOT_HZ + _PILOT_STEP * number) * t)
    return np.round((chirp + pilot) * loudness * 32767 / 2).astype(np.int16)
