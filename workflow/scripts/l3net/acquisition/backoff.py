"""How often a source may be asked, and the pause that all workers of a job make when it blocks them."""

import logging
import threading
import time
from dataclasses import dataclass

from l3net.audioset import BLOCKED_STATUSES, ClipFailure

_log = logging.getLogger("l3net")
_LONGEST_PAUSE_SECONDS = 3600.0
_UNCERTAIN_IN_A_ROW = 3  # two videos that are gone stand beside each other often, and need no pause


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often a source may be asked; the keys of the configuration's section audioset have the same names.

    Parameters
    ----------
    workers : threads that fetch at the same time.
    attempts : attempts at a clip in one run.
    sleep_interval : seconds that a worker pauses after each clip.
    give_up_after : blocks in a row that end the job.
    back_off_seconds : seconds of the pause after the first block; it doubles with each further block.
    """

    workers: int = 2
    attempts: int = 3
    sleep_interval: float = 0.0
    give_up_after: int = 5
    back_off_seconds: float = 60.0


class GaveUp(Exception):
    """Raised in place of a request once there were too many blocks in a row."""


class Backoff:
    """The pauses that the workers of a job share: one after each block, twice as long after each further block.

    Attributes
    ----------
    gave_up : the status of the last block once there were ``give_up_after`` in a row, before that None.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace, self._lock = pace, threading.Lock()
        self._consecutive, self._blocked_at, self._resume_at = 0, 0.0, 0.0
        self.gave_up: str | None = None

    def wait(self) -> float:
        """Wait until a request may be made; return the time of that moment, for `report`.

        Raises
        ------
        GaveUp
            No request may be made any more.
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
        """Count the answer to a request that was made at `asked_at`; None stands for success."""
        with self._lock:
            if failure is None or failure.status not in BLOCKED_STATUSES:
                self._consecutive = 0
                return
            if asked_at < self._blocked_at:
                return  # this request was already under way at the last block, so both are one block
            self._consecutive += 1
            self._blocked_at = time.monotonic()
            if self._consecutive >= self._pace.give_up_after:
                self.gave_up = failure.status
                return
            if not failure.is_certain and self._consecutive < _UNCERTAIN_IN_A_ROW:
                return
            pause = min(self._pace.back_off_seconds * 2 ** (self._consecutive - 1), _LONGEST_PAUSE_SECONDS)
            self._resume_at = self._blocked_at + pause
        _log.warning("%s: all workers pause for %g s", failure, pause)
