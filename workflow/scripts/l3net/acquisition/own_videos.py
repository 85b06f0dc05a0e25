"""A folder of one's own videos as the workflow takes it: a list in AudioSet's format, and a link to each by an id.

Beside the list ``segments.csv`` stands ``segments.videos.csv``, which says what became of every file. Videos that are
the same as when it was written are not looked at again.
"""

import logging
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from l3net.acquisition.clip_check import MOST_WIDE, SHORTEST_SECONDS, SMALLEST_SIDE
from l3net.acquisition.own_files import OwnFile, find_files, same_files
from l3net.acquisition.sources import VIDEO_SUFFIXES
from l3net.audioset import own_label
from l3net.errors import ClipError
from l3net.files import atomic, read_kept
from l3net.media import survey_video
from l3net.runtime import Progress, counted

_LEAST_SECONDS = SHORTEST_SECONDS + 0.1  # of a segment: fetch_clips finds a little less than the time stamps say
_TYPES = {"file": "str", "bytes": "int64", "modified_ns": "int64", "ytid": "str", "label": "str", "seconds": "float64"}
_TYPES |= {"segments": "int64", "left_out": "str"}
_MOST_SECONDS = 600.0
_N_THREADS = 4
_log = logging.getLogger("l3net")


@dataclass(frozen=True)
class OwnVideos:
    """What became of the files of a folder.

    Attributes
    ----------
    table : a row for each file: file, bytes, modified_ns, ytid, label, seconds, segments, left_out (the reason).
    segments, links, record : the list, the folder of links, and the CSV of `table`.
    n_gone : videos of the list before that are not there any more.
    """

    table: pd.DataFrame
    segments: Path
    links: Path
    record: Path
    n_gone: int


def list_own_videos(
    folder: Path, segments: Path, *, every_seconds: float = 10.0, with_labels: bool = True, mids: dict[str, str]
) -> OwnVideos:
    """Write the list of a folder's videos, and the links beside it.

    Parameters
    ----------
    folder : where videos are looked for, below it too. Nothing is written there.
    segments : the list to write; its folder gets the folder ``videos`` of links, and the record.
    every_seconds : length of a segment; the rest at a video's end is one too, if it is longer than 1.1 s.
    with_labels : whether the first folder below `folder` that a video is in is its label.
    mids : AudioSet's mid of each label that a folder may be called by, in lower case; _ stands for a space.

    Raises
    ------
    ClipError
        No video can be used, or the folder or the place of the list cannot.
    """
    if not _LEAST_SECONDS <= every_seconds <= _MOST_SECONDS:
        raise ClipError(
            f"segments of {every_seconds:g} s; expected {_LEAST_SECONDS:g} to {_MOST_SECONDS:g}, such as 10"
        )
    links, record = segments.parent / "videos", segments.with_suffix(".videos.csv")
    if links.exists() and not links.is_dir():
        raise ClipError(f"{links} is a file; expected the folder of links beside {segments.name}: name another place")
    known = read_kept(record, _read_record, instead="every video is looked at") or {}
    files, failed = find_files(folder, with_labels=with_labels, without=links)
    # Of equal files the one that was listed before stays.
    listed = {entry["ytid"] for entry in known.values() if entry["segments"]}
    same = same_files(sorted(files, key=lambda file: file.ytid not in listed))
    rows = [*_look_at_all(files, same, known), *({"file": name, "left_out": why} for name, why in failed.items())]
    table = pd.DataFrame(rows, columns=list(_TYPES)).fillna({"bytes": 0, "modified_ns": 0, "seconds": 0.0})
    table["segments"] = [len(_pieces(seconds, every_seconds)) for seconds in table["seconds"]]
    table = table.fillna("").astype(_TYPES).sort_values("file", ignore_index=True)
    if not table["segments"].any():
        raise ClipError(_nothing(folder, table))
    used = {file.ytid: file for file in files}
    taken = table[table["segments"] > 0]
    links.mkdir(parents=True, exist_ok=True)
    for ytid in taken["ytid"]:
        _link(used[ytid].path, links / f"{ytid}{_suffix(used[ytid].path)}")
    atomic.write_text(segments, _list(taken, every_seconds, mids))
    gone = listed - set(taken["ytid"])
    for path in links.iterdir():
        if path.is_symlink() and path.stem in gone:
            path.unlink()
    atomic.write_csv(table, record)
    return OwnVideos(table, segments, links, record, len(gone))


def _look_at_all(files: list[OwnFile], same: dict[str, str], known: dict[tuple, dict]) -> Iterable[dict]:
    """Yield the row of each file; those that are known are not looked at."""
    with ThreadPoolExecutor(_N_THREADS) as pool, Progress("looking at", len(files), "files") as progress:

        def look(file: OwnFile) -> dict:
            before = known.get((file.name, file.n_bytes, file.modified_ns), {})
            seconds, why = before.get("seconds", 0.0), ""
            if file.name in same:
                seconds, why = 0.0, same[file.name]
            elif not seconds:
                seconds, why = _look(file.path)
            row = {"file": file.name, "bytes": file.n_bytes, "modified_ns": file.modified_ns, "ytid": file.ytid}
            return {**row, "label": file.label, "seconds": seconds, "left_out": why}

        try:
            for row in pool.map(look, files):
                progress.advance()
                yield row
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _look(path: Path) -> tuple[float, str]:
    """Return the seconds of a video, or 0 and why it is left out."""
    try:
        if path.stat().st_size == 0:
            return 0.0, "the file is empty"
        survey = survey_video(path)
    except (ClipError, OSError) as error:
        return 0.0, str(error).removeprefix(f"{path}: ")
    shorter, longer = sorted((survey.width, survey.height))
    if survey.seconds < _LEAST_SECONDS:
        return 0.0, f"too short: {survey.seconds:.2f} s of picture and sound; expected {_LEAST_SECONDS:g} s or more"
    if survey.is_silent:
        return 0.0, "silent from end to end"
    if shorter < SMALLEST_SIDE or longer > MOST_WIDE * shorter:
        return 0.0, f"the picture has {survey.width} x {survey.height} pixels, too few or too wide to be sampled"
    return round(survey.seconds, 3), ""


def _pieces(seconds: float, every_seconds: float) -> list[tuple[float, float]]:
    """Return the times of the segments of a video; a rest that is too short is left out."""
    starts = [n * every_seconds for n in range(int(seconds // every_seconds) + 1)]
    pieces = [(start, min(start + every_seconds, seconds)) for start in starts]
    return [(start, end) for start, end in pieces if end - start >= _LEAST_SECONDS]


def _list(taken: pd.DataFrame, every_seconds: float, mids: dict[str, str]) -> str:
    rows = []
    for ytid, label, seconds in taken.sort_values("ytid")[["ytid", "label", "seconds"]].itertuples(index=False):
        mid = mids.get(label.lower().replace("_", " ")) or own_label(label)
        rows += [f'{ytid}, {start:.3f}, {end:.3f}, "{mid}"' for start, end in _pieces(seconds, every_seconds)]
    head = ["# Segments csv of videos of one's own", f"# num_ytids={len(taken)}, num_segs={len(rows)}"]
    return "\n".join([*head, "# YTID, start_seconds, end_seconds, positive_labels", *rows]) + "\n"


def _suffix(path: Path) -> str:
    """Return the suffix of a link: that of the file where videos in a folder are known by it, else one that is."""
    return path.suffix.lower() if path.suffix.lower() in VIDEO_SUFFIXES else ".mkv"


def _link(source: Path, target: Path) -> None:
    """Link `target` to a file, symbolically where the file system can, else by its inode."""
    source = source.resolve()
    if target.is_symlink() and target.readlink() == source:
        return
    if target.exists() and not target.is_symlink() and target.samefile(source):
        return
    target.unlink(missing_ok=True)
    try:
        target.symlink_to(source)
    except OSError as error:
        try:
            os.link(source, target)
        except OSError:
            raise ClipError(
                f"{target}: this file system has no links ({error.strerror}); name a place for the list that has"
            ) from None


def _read_record(path: Path) -> dict[tuple, dict]:
    """Return the rows of the record by name, size and time."""
    table = pd.read_csv(path, dtype=_TYPES, keep_default_na=False)
    if list(table.columns) != list(_TYPES):
        raise ValueError(f"expected the columns {', '.join(_TYPES)}")
    return {(row["file"], row["bytes"], row["modified_ns"]): row for row in table.to_dict("records")}


def _nothing(folder: Path, table: pd.DataFrame) -> str:
    if table.empty:
        return f"{folder} holds no file; expected videos with sound"
    first = table.iloc[0]
    files = counted(len(table), "file")
    return f"{folder}: of {files} none is a video that can be used; the first, {first['file']}: {first['left_out']}"
