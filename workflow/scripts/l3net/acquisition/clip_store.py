"""The store of checked clips: one media file and one record for each clip, kept between runs and shared by jobs.

A clip is fetched into a work folder of the job, ``{store}/.work/{token}/``, and renamed into its place, so that the
store holds whole clips only. Beside it stands its record, ``....json``, which says what became of the clip, also where
it was not obtained. A work folder is locked while its job lives; the next job removes what a killed one left.
"""

import json
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from l3net.acquisition.clip_record import ClipRecord
from l3net.audioset import STATUSES, USABLE_STATUSES, Clip, clip_path
from l3net.errors import ConfigError
from l3net.files import read_kept
from l3net.runtime import canonical_json, lock_file


class ClipStore:
    """A folder of clips.

    Parameters
    ----------
    folder : the store; it is made where it is missing.
    settings : the encoding of its clips. A store holds clips of one encoding.

    Raises
    ------
    ConfigError
        The store holds clips of another encoding.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder, self.settings, self._settings_file = folder, settings, folder / "store.json"
        self._demand_settings()

    def path(self, clip: Clip) -> Path:
        """Return where the clip's media file belongs."""
        return clip_path(self.folder, clip.ytid, clip.start_seconds, clip.end_seconds)

    def record(self, clip: Clip) -> ClipRecord | None:
        """Read the clip's record.

        There is none where it is missing or damaged, or where the media file is missing or of another size.
        """
        path, record = self.path(clip), self.written_record(clip)
        if record is None or not record.usable:
            return record
        return record if path.is_file() and path.stat().st_size == record.media.get("bytes") else None

    def written_record(self, clip: Clip) -> ClipRecord | None:
        """Read the clip's record, whatever the media file is; None where it is missing or damaged."""
        path = self.path(clip).with_suffix(".json")
        return read_kept(path, ClipRecord.read, instead="the clip is looked at or asked for again")

    def keep(self, clip: Clip, record: ClipRecord, work: Path, made: Path | None = None) -> ClipRecord:
        """Move the media file `made` into the store, then write the record; return the record that now stands.

        Both are renamed from the job's folder `work`, so that a kill leaves nothing half-written beside the clips. The
        failure of this job does not replace a clip that another job obtained meanwhile.
        """
        path = self.path(clip)
        path.parent.mkdir(exist_ok=True)
        if not record.usable and (known := self.record(clip)) and known.usable:
            return known
        if made is not None:
            made.replace(path)
        _put(path.with_suffix(".json"), canonical_json(asdict(record)), work)
        return record

    @contextmanager
    def work_folder(self) -> Iterator[Path]:
        """Yield a folder of this job alone inside the store; remove those of jobs that were killed."""
        work = self.folder / ".work"
        work.mkdir(parents=True, exist_ok=True)
        mine = work / secrets.token_hex(8)
        with open(work / "lock", "w") as all_folders:
            _lock(all_folders, wait=True)
            mine.mkdir()
            my_folder = open(mine / "lock", "w")  # noqa: SIM115 - locked until the job ends
            _lock(my_folder, wait=True)
            for other in work.iterdir():
                if other.is_dir() and other != mine:
                    _sweep(other)
            if self._kept_settings() is None:
                _put(self._settings_file, canonical_json(self.settings), mine)
        try:
            self._demand_settings()
            yield mine
        finally:
            shutil.rmtree(mine, ignore_errors=True)
            my_folder.close()

    @contextmanager
    def run(self, job: str, work: Path) -> Iterator[str]:
        """Yield the token of this run of `job`, which is that of the run before where that one was killed."""
        marker = self.folder / ".runs" / job
        token = read_kept(marker, _read_token, instead="attempts of the run that was killed do not count")
        if token is None:
            token = secrets.token_hex(8)
            marker.parent.mkdir(exist_ok=True)
            _put(marker, token, work)
        yield token
        marker.unlink(missing_ok=True)

    def _demand_settings(self) -> None:
        """Refuse a store of clips of another encoding; a new store has none."""
        if (kept := self._kept_settings()) is None:
            return
        if differing := sorted(key for key in {*kept, *self.settings} if kept.get(key) != self.settings.get(key)):
            there = ", ".join(f"{key} {kept.get(key)}" for key in differing)
            asked = ", ".join(f"{key} {self.settings.get(key)}" for key in differing)
            raise ConfigError(f"audioset.store {self.folder} holds clips with {there}, not {asked}: name another store")

    def _kept_settings(self) -> dict[str, Any] | None:
        return read_kept(self._settings_file, _read_settings, instead="its clips are taken for those of this encoding")


def unmark_clips(store: Path, *, status: str = "", reason: str = "", since: str = "") -> int:
    """Remove the records of clips that were not obtained, so that they are asked for again; return how many.

    Parameters
    ----------
    status : the status of the records; none takes every one of clips that were not obtained.
    reason : words that their reason contains, whatever the case and the kind of apostrophes; none takes every reason.
    since : since when they were attempted, such as ``2026-03-01``, ``2026-03-01T22:00`` (UTC) or, of another zone,
        ``2026-03-01T22:00+02:00``.

    Raises
    ------
    ConfigError
        The status is unknown or that of clips that are there, the time is none, the store is no folder, or nothing
        says which clips.
    OSError
        A record cannot be removed.
    """
    wanted = [name for name in STATUSES if name not in USABLE_STATUSES]
    if not (status or reason or since):
        raise ConfigError("which clips? give a status, a reason or a time since when they were attempted")
    if status and status not in wanted:
        raise ConfigError(f"status {status!r}: expected {', '.join(wanted)}")
    wanted, earliest, words = [status] if status else wanted, "", _plain(reason)
    try:
        if since:
            time = datetime.fromisoformat(since)
            time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
            earliest = time.isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        raise ConfigError(f"since {since!r}: expected a date or time such as 2026-03-01 or 2026-03-01T22:00") from None
    if not (store / "store.json").is_file():
        raise ConfigError(f"{store} is no store of clips; expected the folder of audioset.store")
    n_removed = 0
    for path in sorted(store.glob("[0-9a-f][0-9a-f]/*.json")):
        try:
            record = ClipRecord.read(path)
        except (OSError, ValueError, TypeError):
            continue  # a damaged record is fetch_clips' to tell
        if record.status in wanted and words in _plain(record.reason) and record.attempted_at >= earliest:
            path.unlink(missing_ok=True)
            n_removed += 1
    return n_removed


def _plain(text: str) -> str:
    return text.lower().replace("\u2019", "'")


def _read_settings(path: Path) -> dict[str, Any]:
    settings = json.loads(path.read_text(encoding="utf-8"))
    if not (isinstance(settings, dict) and settings):
        raise ValueError("it holds no settings")
    return settings


def _read_token(path: Path) -> str:
    if not re.fullmatch("[0-9a-f]{16}", token := path.read_text(encoding="utf-8")):
        raise ValueError("it holds no token")
    return token


def _put(target: Path, text: str, work: Path) -> None:
    """Write `text` to a file in `work`, which the next job removes if this one is killed, and rename it to `target`."""
    written = work / target.name
    written.write_text(text, encoding="utf-8")
    written.replace(target)


def _lock(file: IO[str], *, wait: bool) -> bool:
    return lock_file(file, wait=wait, without="what killed jobs leave in the store of clips is not removed")


def _sweep(folder: Path) -> None:
    """Remove a work folder unless its job lives.

    It is renamed first, so that an ffmpeg that outlived its job cannot add a file to it meanwhile.
    """
    try:
        with open(folder / "lock", "w") as lock:
            if _lock(lock, wait=False):
                shutil.rmtree(folder.rename(folder.with_suffix(".old")), ignore_errors=True)
    except FileNotFoundError:
        shutil.rmtree(folder, ignore_errors=True)
