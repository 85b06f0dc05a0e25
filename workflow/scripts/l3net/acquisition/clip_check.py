"""The check that every fetched clip passes, whatever its source, before the store takes it."""

from pathlib import Path
from typing import Any

from l3net.audioset import Clip, ClipFailure
from l3net.errors import ClipError
from l3net.media import FPS, SAMPLE_RATE, measure_clip, probe_media
from l3net.runtime import sha256_of

FRAMES_TOLERANCE = 1
SOUND_TOLERANCE_SECONDS = 0.05
SHORTEST_SECONDS = 1.0


def check_clip(path: Path, clip: Clip) -> tuple[str, dict[str, Any]]:
    """Return the status of a clip in the store's encoding (ok or short) and its figures for the manifest.

    ok: as many frames as asked for, within one, and as much sound, within 0.05 s. short: less, but over 1 s of both.

    Raises
    ------
    Failure
        ``invalid_media``: no picture, no sound, silence from end to end, 1 s or less, or nothing that decodes.
    """
    try:
        info = probe_media(path)
        if not info.has_video or not info.has_audio:
            missing = " and no ".join(["picture"] * (not info.has_video) + ["sound"] * (not info.has_audio))
            raise ClipFailure("invalid_media", f"no {missing}", again=False)
        n_frames, n_samples, peak = measure_clip(path)
    except ClipError as error:
        reason = str(error).removeprefix(f"{path}: ")  # the name of a work folder tells nobody anything
        raise ClipFailure("invalid_media", f"does not decode: {reason}") from None
    duration = min(n_frames / FPS, n_samples / SAMPLE_RATE)
    if duration <= SHORTEST_SECONDS:
        raise ClipFailure("invalid_media", f"only {duration:.2f} s where the clip should be", again=False)
    if peak == 0:
        raise ClipFailure("invalid_media", "silent from end to end", again=False)
    enough_frames = abs(n_frames - clip.seconds * FPS) <= FRAMES_TOLERANCE
    enough_sound = abs(n_samples / SAMPLE_RATE - clip.seconds) <= SOUND_TOLERANCE_SECONDS
    figures = {
        "bytes": path.stat().st_size,
        "duration": round(duration, 3),
        "longest": max(n_frames / FPS, n_samples / SAMPLE_RATE),
        "fps": info.fps,
        "width": info.width,
        "height": info.height,
        "sample_rate": info.sample_rate,
        "sha256": sha256_of(path),
    }
    return ("ok" if enough_frames and enough_sound else "short"), figures
