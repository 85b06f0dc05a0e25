"""A clip, the closed list of what can become of it, why it was not obtained, and where its file stands."""

import re
from dataclasses import dataclass
from pathlib import Path

from l3net.errors import ClipError
from l3net.files import stable_hash

USABLE_STATUSES = ("ok", "short")
FINAL_STATUSES = (*USABLE_STATUSES, "private", "removed", "age_restricted", "geo_blocked")
BLOCKED_STATUSES = ("bot_check", "rate_limited")
RETRYABLE_STATUSES = (*BLOCKED_STATUSES, "network", "http_error", "invalid_media", "failed")
STATUSES = FINAL_STATUSES + RETRYABLE_STATUSES


@dataclass(frozen=True, order=True)
class Clip:
    """A clip's key: the id of its video, and the times in the video in seconds."""

    ytid: str
    start_seconds: float
    end_seconds: float

    @property
    def seconds(self) -> float:
        """The length that the clip should have."""
        return self.end_seconds - self.start_seconds


class ClipFailure(Exception):
    """Raised for a clip that was not obtained in this attempt.

    Parameters
    ----------
    status : one of `STATUSES` but not of `USABLE_STATUSES`.
    reason : one line for the manifest, without addresses and secrets.
    again : whether the same job may try again; False where the source itself lacks something. None decides by status.
    is_certain : False where a source only seems to block, which it may also say of a video that is gone.
    """

    def __init__(self, status: str, reason: str, *, again: bool | None = None, is_certain: bool = True) -> None:
        super().__init__(f"{status}: {reason}")
        self.status, self.reason = status, " ".join(reason.split())[:300]
        self.is_certain = is_certain
        self.again = status in RETRYABLE_STATUSES if again is None else again


YTID = re.compile(r"[A-Za-z0-9_-]{11}")


def check_ytid(ytid: str) -> str:
    """Return `ytid` after checking it; ids come from files, and must pass here before they reach paths and addresses.

    Raises
    ------
    ClipError
        It is not 11 of the characters A-Z, a-z, 0-9, ``_`` and ``-``.
    """
    if not YTID.fullmatch(ytid):
        raise ClipError(f"{ytid!r} is not a YouTube id: expected 11 of the characters A-Z a-z 0-9 _ -")
    return ytid


def clip_path(store: Path | str, ytid: str, start_seconds: float, end_seconds: float) -> Path:
    """Return a clip's file in the store, ``{store}/{xx}/{ytid}_{start_ms}_{end_ms}.mkv`` with 256 folders ``xx``."""
    check_ytid(ytid)
    start, end = round(start_seconds * 1000), round(end_seconds * 1000)
    return Path(store) / f"{stable_hash(ytid) % 256:02x}" / f"{ytid}_{start:07d}_{end:07d}.mkv"
