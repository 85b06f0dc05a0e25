"""How hard a source may be asked, and the pause that all workers of a job make when it says no."""

import logging
import threading
import time
from dataclasses import dataclass

from l3net.audioset import BLOCKED_STATUSES, ClipFailure

_log = logging.getLogger("l3net")
_LONGEST_PAUSE_SECONDS = 3600.0


@dataclass(frozen=True)
class Pace:
    """How hard a source may be asked; see the keys of the same names in the configuration (section audioset)."""

    workers: int = 2
    attempts: int = 3
    sleep_interval: float = 0.0
    give_up_after: int = 5
    back_off_seconds: float = 60.0


class GaveUp(Exception):
    """Too many blocks one after the other."""


class Backoff:
    """The back-off that the workers of a job share: a pause after each block, twice as long after each further one.

    ``gave_up`` is the status of the last block once there were ``give_up_after`` of them with nothing between.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace, self._lock = pace, threading.Lock()
        self._consecutive, self._blocked_at, self._resume_at = 0, 0.0, 0.0
        self.gave_up: str | None = None

    def wait(self) -> float:
        """Return the time once a request may be made.

        Raises
        ------
        GaveUp
            When none may be made any more.
        """
        while True:
            with self._lock:
                if self.gave_up:
                    raise GaveUp
                left = self._resume_at - time.monotonic()
            if left <= 0:
                return time.monotonic()
            time.sleep(min(left, 1.0))

    def report(self, failure: ClipFailure | None, asked_at: float) -> None:
        """Take note of the answer to a request that was made at `asked_at`."""
        with self._lock:
            if failure is None or failure.status not in BLOCKED_STATUSES:
                self._consecutive = 0
                return
            if asked_at < self._blocked_at:
                return  # it was under way when the last block came: one and the same
            self._consecutive += 1
            self._blocked_at = time.monotonic()
            if self._consecutive >= self._pace.give_up_after:
                self.gave_up = failure.status
                return
            pause = min(self._pace.back_off_seconds * 2 ** (self._consecutive - 1), _LONGEST_PAUSE_SECONDS)
            self._resume_at = self._blocked_at + pause
        _log.warning("%s: all workers pause for %g s", failure, pause)
