"""The fetching of one part's clips: a pool of workers over one source, with records that outlive a kill.

A clip that cannot be had never fails the job: its record says why. Clips are tried in passes, so that a second try
comes after all others. Blocks (bot check, rate limit) make all workers pause together, and end the job when they do
not stop.
"""

import logging
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from l3net.clip_check import check
from l3net.clip_store import Record, Store
from l3net.clips import BLOCKS, FINAL, Clip, Failure
from l3net.progress import Progress

_log = logging.getLogger("l3net")
_LONGEST_PAUSE_SECONDS = 3600.0
_TRUNCATED_SECONDS = 0.5


class Source(Protocol):
    """What the job asks of a source of clips."""

    name: str
    remembers_removed: bool

    def fetch(self, clip: Clip, target: Path) -> None:
        """Write the clip to `target` in the store's encoding, or raise `Failure`."""

    def seconds_declared(self, clip: Clip) -> float | None:
        """Return how long the whole video says it is, of a clip that was fetched just now."""


@dataclass(frozen=True)
class Pace:
    """How hard a source may be asked; see the keys of the same names in the configuration."""

    workers: int = 2
    attempts: int = 3
    sleep_interval: float = 0.0
    give_up_after: int = 5
    back_off_seconds: float = 60.0


class GaveUp(Exception):
    """Too many blocks one after the other; ``args[0]`` is the status of the last."""


class Blocks:
    """The back-off that all workers of a job share."""

    def __init__(self, pace: Pace) -> None:
        self._pace, self._lock = pace, threading.Lock()
        self._consecutive, self._resume_at, self._blocked_at = 0, 0.0, 0.0
        self.gave_up: str | None = None

    def wait(self) -> float:
        """Return once requests may be made, with the time of it; raise `GaveUp` when no more may be made."""
        while True:
            with self._lock:
                if self.gave_up:
                    raise GaveUp(self.gave_up)
                left = self._resume_at - time.monotonic()
            if left <= 0:
                return time.monotonic()
            time.sleep(min(left, 1.0))

    def report(self, failure: Failure | None, asked_at: float) -> None:
        """Take note of an answer to a request made at `asked_at`."""
        with self._lock:
            if failure is None or failure.status not in BLOCKS:
                self._consecutive = 0
                return
            if asked_at < self._blocked_at:
                return  # asked before the last block was known: the same one
            self._consecutive += 1
            self._blocked_at = time.monotonic()
            if self._consecutive >= self._pace.give_up_after:
                self.gave_up = failure.status
                return
            pause = min(self._pace.back_off_seconds * 2 ** (self._consecutive - 1), _LONGEST_PAUSE_SECONDS)
            self._resume_at = self._blocked_at + pause
            _log.warning("%s: all workers pause for %.0f s", failure, pause)


class Job:
    """Fetches the clips of one part.

    Parameters
    ----------
    store : where clips and records go.
    source : where clips come from.
    source_digest : tells sources apart in the records, e.g. two mirrors.
    pace : how hard the source may be asked.
    """

    def __init__(self, store: Store, source: Source, source_digest: str, pace: Pace) -> None:
        self.store, self.source, self.source_digest, self.pace = store, source, source_digest, pace
        self.blocks = Blocks(pace)

    def is_settled(self, record: Record | None, run: str) -> bool:
        """Return whether nothing is left to try for a clip with this record in the run `run`."""
        if record is None:
            return False
        if record.usable:
            return True
        if record.source != self.source_digest:
            return False
        if record.status in FINAL:
            return record.status != "removed" or self.source.remembers_removed or record.run == run
        return record.run == run and record.run_attempts >= self.pace.attempts

    def fetch(self, clips: Iterable[Clip], work: Path, run: str) -> None:
        """Try every clip, then those that failed and may be tried again, and so on for ``attempts`` passes."""
        waiting = [clip for clip in clips if not self.is_settled(self.store.record(clip), run)]
        with Progress("fetching", len(waiting), "clips") as progress:
            for _ in range(self.pace.attempts):
                with ThreadPoolExecutor(self.pace.workers, thread_name_prefix="fetch") as pool:
                    again = pool.map(lambda clip: self._try(clip, work, run), waiting)
                    left = []
                    for clip, tries_left in zip(waiting, again, strict=True):
                        if tries_left:
                            left.append(clip)
                        else:
                            progress.advance()
                waiting = left
                if self.blocks.gave_up or not waiting:
                    return

    def _try(self, clip: Clip, work: Path, run: str) -> bool:
        """Make one attempt; return whether the clip should be tried once more."""
        try:
            asked_at = self.blocks.wait()
        except GaveUp:
            return True
        known = self.store.record(clip)
        if self.is_settled(known, run):
            return False
        target = work / self.store.path(clip).name
        failure, figures, status, reason = None, {}, "", ""
        try:
            status, figures, reason = self._make(clip, target)
        except Failure as caught:
            failure, status, reason = caught, caught.status, caught.reason
        self.blocks.report(failure, asked_at)
        record = self._record(known, run, status, reason, figures, failure)
        self.store.keep(clip, record, None if failure else target)
        target.unlink(missing_ok=True)
        time.sleep(self.pace.sleep_interval)
        return not self.is_settled(record, run)

    def _make(self, clip: Clip, target: Path) -> tuple[str, dict[str, Any], str]:
        """Fetch and check; a clip that is shorter than the video's own length explains was cut off on the way."""
        self.source.fetch(clip, target)
        status, figures = check(target, clip)
        if status == "ok":
            return status, figures, ""
        declared = self.source.seconds_declared(clip)
        if declared is not None:
            expected = min(declared, clip.end_seconds) - clip.start_seconds
            if figures["longest"] < expected - _TRUNCATED_SECONDS:
                text = f"truncated: {figures['longest']:.2f} s of {expected:.2f} s"
                raise Failure("invalid_media", text)
        return status, figures, f"{figures['duration']:.2f} s of {clip.seconds:g} s"

    def _record(
        self,
        known: Record | None,
        run: str,
        status: str,
        reason: str,
        figures: dict[str, Any],
        failure: Failure | None,
    ) -> Record:
        in_run = (known.run_attempts if known and known.run == run else 0) + 1
        if failure and not failure.again:
            in_run = max(in_run, self.pace.attempts)
        return Record(
            status=status,
            reason=reason,
            attempts=(known.attempts if known else 0) + 1,
            attempted_at=datetime.now(UTC).isoformat(timespec="seconds"),
            source=self.source_digest,
            run=run,
            run_attempts=in_run,
            media=figures,
        )
