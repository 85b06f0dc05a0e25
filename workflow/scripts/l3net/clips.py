"""A clip to be had, the closed list of what can become of it, and the reason when it could not be had."""

from dataclasses import dataclass

USABLE = ("ok", "short")
FINAL = (*USABLE, "private", "removed", "age_restricted", "geo_blocked")
BLOCKS = ("bot_check", "rate_limited")
RETRYABLE = (*BLOCKS, "network", "http_error", "invalid_media", "failed")
STATUSES = FINAL + RETRYABLE


@dataclass(frozen=True, order=True)
class Clip:
    """A clip's key: the video's id and the times of the extract in it."""

    ytid: str
    start_seconds: float
    end_seconds: float

    @property
    def seconds(self) -> float:
        """The length that is wanted."""
        return self.end_seconds - self.start_seconds


class Failure(Exception):
    """A clip that was not had this time.

    Parameters
    ----------
    status : one of `STATUSES`, none of `USABLE`.
    reason : one line for the manifest; no addresses, no secrets.
    again : whether the same job may try again; not for what the source itself lacks.
    """

    def __init__(self, status: str, reason: str, *, again: bool | None = None) -> None:
        super().__init__(f"{status}: {reason}")
        self.status, self.reason = status, " ".join(reason.split())[:300]
        self.again = status in RETRYABLE if again is None else again
