"""The check that every fetched clip passes, whatever its source, before the store takes it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l3net.audioset import Clip, ClipFailure
from l3net.errors import ClipError
from l3net.files import sha256_of
from l3net.media import FPS, SAMPLE_RATE, measure_clip, probe_media

FRAMES_TOLERANCE = 1
SOUND_TOLERANCE_SECONDS = 0.05
SHORTEST_SECONDS = 1.0
SMALLEST_SIDE = 8  # pixels; less is no picture but a place holder
MOST_WIDE = 32  # times the shorter side: the longer one; beyond, a square of the shorter side shows nothing


@dataclass(frozen=True, kw_only=True)
class CheckedClip:
    """A clip that passed the check.

    Parameters
    ----------
    status : ``ok`` or ``short``.
    media : the figures of the file for the manifest: bytes, duration, fps, width, height, sample_rate and sha256.
    longest_seconds : length of the longer of picture and sound.
    """

    status: str
    media: dict[str, Any]
    longest_seconds: float


def check_clip(path: Path, clip: Clip) -> CheckedClip:
    """Check a clip in the store's encoding.

    It is ``ok`` with as many frames as the clip should have, within one, and as much sound, within 0.05 s. It is
    ``short`` with less, but more than 1 s of both.

    Raises
    ------
    ClipFailure
        ``invalid_media``: picture or sound is missing or lasts 1 s or less, the sound is silent from end to end, the
        picture is too small or too wide to be sampled, or the file does not decode.
    """
    try:
        info = probe_media(path)
        if not info.has_video or not info.has_audio:
            missing = " and no ".join(["picture"] * (not info.has_video) + ["sound"] * (not info.has_audio))
            raise ClipFailure("invalid_media", f"no {missing}", again=False)
        n_frames, n_samples, peak = measure_clip(path)
    except ClipError as error:
        reason = str(error).removeprefix(f"{path}: ")  # the path is that of a work folder, soon gone
        raise ClipFailure("invalid_media", f"does not decode: {reason}") from None
    if min(info.width, info.height) < SMALLEST_SIDE or max(info.width, info.height) > MOST_WIDE * min(
        info.width, info.height
    ):
        reason = f"the picture has {info.width} x {info.height} pixels, too few or too wide to be sampled"
        raise ClipFailure("invalid_media", reason, again=False)
    picture_seconds, sound_seconds = n_frames / FPS, n_samples / SAMPLE_RATE
    duration = min(picture_seconds, sound_seconds)
    if duration <= SHORTEST_SECONDS:
        raise ClipFailure("invalid_media", f"only {duration:.2f} s where the clip should be", again=False)
    if peak == 0:
        raise ClipFailure("invalid_media", "silent from end to end", again=False)
    has_all_frames = abs(n_frames - clip.seconds * FPS) <= FRAMES_TOLERANCE
    has_all_sound = abs(sound_seconds - clip.seconds) <= SOUND_TOLERANCE_SECONDS
    media = {
        "bytes": path.stat().st_size,
        "duration": round(duration, 3),
        "fps": info.fps,
        "width": info.width,
        "height": info.height,
        "sample_rate": info.sample_rate,
        "sha256": sha256_of(path),
    }
    status = "ok" if has_all_frames and has_all_sound else "short"
    return CheckedClip(status=status, media=media, longest_seconds=max(picture_seconds, sound_seconds))
