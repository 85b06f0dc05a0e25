"""Fetching the clips of one part: a pool of workers over one source, with records that outlive a kill.

A clip that cannot be obtained never fails the job; its record says why. Clips are tried in passes, so that the second
attempt at a clip comes after the first at all others. A block (bot check, rate limit) makes all workers pause
together, and too many blocks in a row end the job.
"""

import logging
import shutil
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from l3net.acquisition.backoff import Backoff, GaveUp, Pace
from l3net.acquisition.clip_check import check_clip
from l3net.acquisition.clip_store import ClipRecord, ClipStore
from l3net.acquisition.sources import Source
from l3net.audioset import FINAL_STATUSES, MANIFEST_COLUMNS, MANIFEST_TYPES, Clip, ClipFailure
from l3net.errors import ClipError
from l3net.runtime import Progress

_log = logging.getLogger("l3net")
_TRUNCATED_SECONDS = 0.5  # a clip that lacks more than this of what its video declares was cut off on the way
_FULL_BYTES = 64 << 20  # a disk with less free space counts as full


class _Attempt(NamedTuple):
    """What an attempt at a clip came to: its status, the figures of the media file if there is one, and the reason."""

    status: str
    media: dict[str, Any]
    reason: str


class PartJob:
    """Fetches the clips of one part.

    Parameters
    ----------
    store : where clips and records go.
    source : where clips come from.
    pace : how often the source may be asked.
    run : the token of this run; attempts that a killed job made under the same token count.
    """

    def __init__(self, store: ClipStore, source: Source, pace: Pace, run: str) -> None:
        self.store, self.source, self.pace, self.run = store, source, pace, run
        self.backoff = Backoff(pace)
        self._tried: Counter[Clip] = Counter()

    def unsettled(self, clips: Iterable[Clip]) -> list[Clip]:
        """Return the clips for which something is left to try."""
        return [clip for clip in clips if not self._is_settled(self.store.record(clip))]

    def fetch(self, clips: Iterable[Clip], work: Path) -> None:
        """Try every clip that is not settled, then those that may be tried again, for ``attempts`` passes.

        Parameters
        ----------
        clips : the part's clips.
        work : a folder of this job alone, on the store's file system.

        Raises
        ------
        ClipError
            The disk is full.
        """
        waiting = self.unsettled(clips)
        with Progress("fetching", len(waiting), "clips") as progress:
            while waiting and not self.backoff.gave_up:
                waiting = self._pass(waiting, work, progress)

    def manifest(self, clips: list[Clip]) -> pd.DataFrame:
        """Return a table of one row for each clip with `audioset.MANIFEST_COLUMNS`, in the order of `clips`."""
        untried = ClipRecord(self.backoff.gave_up or "failed", "not tried: the job gave up before")
        records = [(clip, self.store.record(clip) or untried) for clip in clips]
        rows = [{**asdict(clip), **asdict(record), **record.media} for clip, record in records]
        return pd.DataFrame(rows, columns=MANIFEST_COLUMNS).astype(MANIFEST_TYPES)

    def _pass(self, clips: list[Clip], work: Path, progress: Progress) -> list[Clip]:
        """Try each clip once; count those that are settled as they come, return the others."""
        with ThreadPoolExecutor(self.pace.workers, thread_name_prefix="fetch") as pool:
            waiting = []
            try:
                for clip, is_settled in zip(clips, pool.map(lambda clip: self._try(clip, work), clips), strict=True):
                    if is_settled:
                        progress.advance()
                    else:
                        waiting.append(clip)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return waiting

    def _is_settled(self, record: ClipRecord | None) -> bool:
        if record is None or (record.source != self.source.digest and not record.usable):
            return False
        if record.status in FINAL_STATUSES and (record.status != "removed" or self.source.remembers_removed):
            return True
        return record.run == self.run and (record.status in FINAL_STATUSES or record.run_attempts >= self.pace.attempts)

    def _try(self, clip: Clip, work: Path) -> bool:
        """Make one attempt; return whether the clip is settled."""
        try:
            asked_at = self.backoff.wait()
        except GaveUp:
            return False
        known = self.store.record(clip)
        if self._is_settled(known):  # another job was faster
            return True
        target, failure = work / self.store.path(clip).name, None
        try:
            attempt = self._found_in_store(clip, known) or self._fetch_and_check(clip, target)
        except ClipFailure as caught:
            failure, attempt = caught, _Attempt(caught.status, {}, caught.reason)
            self._demand_space(work)
        if not _was_said_before(failure, known):
            self.backoff.report(failure, asked_at)
        record = self._record(known, attempt, is_last=failure is not None and not failure.again)
        kept = self.store.keep(clip, record, work, target if target.exists() and record.usable else None)
        target.unlink(missing_ok=True)
        time.sleep(self.pace.sleep_interval)
        self._tried[clip] += 1  # beside the record's count, which a job of another run on the same clip starts over
        return self._is_settled(kept) or self._tried[clip] >= self.pace.attempts

    def _found_in_store(self, clip: Clip, known: ClipRecord | None) -> _Attempt | None:
        """Check a clip that a job put in the store before it was killed, without its record."""
        path = self.store.path(clip)
        is_other = known is None and self.store.written_record(clip) is not None  # which tells of another size
        if is_other or not path.exists():
            return None
        try:
            checked = check_clip(path, clip)
        except ClipFailure:
            return None
        return _Attempt("ok", checked.media, "") if checked.status == "ok" else None

    def _fetch_and_check(self, clip: Clip, target: Path) -> _Attempt:
        """Fetch a clip to `target` and check it; one that is shorter than its video explains was cut off on the way."""
        self.source.fetch(clip, target)
        checked = check_clip(target, clip)
        if checked.status == "ok":
            return _Attempt("ok", checked.media, "")
        declared = self.source.seconds_declared(clip)
        expected = clip.seconds if declared is None else min(declared, clip.end_seconds) - clip.start_seconds
        if declared is not None and checked.longest_seconds < expected - _TRUNCATED_SECONDS:
            reason = f"truncated: {checked.longest_seconds:.2f} s came of {expected:.2f} s"
            raise ClipFailure("invalid_media", reason)
        there = f"{checked.media['duration']:.2f} s of {clip.seconds:g} s are there"
        return _Attempt(checked.status, checked.media, there)

    def _demand_space(self, work: Path) -> None:
        """Stop where the disk is full, which would otherwise look like damaged media of every further clip."""
        if shutil.disk_usage(work).free < _FULL_BYTES:
            raise ClipError(f"{self.store.folder}: the disk is full; make room or move audioset.store, then run again")

    def _record(self, known: ClipRecord | None, attempt: _Attempt, *, is_last: bool) -> ClipRecord:
        n_in_run = 1 + (known.run_attempts if known and known.run == self.run else 0)
        return ClipRecord(
            status=attempt.status,
            reason=attempt.reason,
            attempts=1 + (known.attempts if known else 0),
            attempted_at=datetime.now(UTC).isoformat(timespec="seconds"),
            source=self.source.digest,
            run=self.run,
            run_attempts=max(n_in_run, self.pace.attempts) if is_last else n_in_run,
            media=attempt.media,
        )


def _was_said_before(failure: ClipFailure | None, known: ClipRecord | None) -> bool:
    """Return whether an uncertain block was met at the same clip before: then the video is likelier gone than blocked.

    Otherwise a few videos that are gone, one behind the other, would end every run at the same place.
    """
    return failure is not None and not failure.is_certain and known is not None and known.reason == failure.reason
