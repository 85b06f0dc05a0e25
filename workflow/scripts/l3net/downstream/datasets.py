"""Downstream data sets: checking their files against their metadata, and the index that is made of them.

An index is a CSV with a row for each clip: path, filename, label, fold, group. Folds and groups are text. Clips of one
group, cut from one recording or with the same content, must not be on both sides of training and validation.
"""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from l3net.errors import ClipError, DatasetError
from l3net.files import atomic, is_of_a_system, read_csv, read_kept, sha256_of
from l3net.media import check_audio
from l3net.runtime import counted, track_progress

INDEX_COLUMNS = ["path", "filename", "label", "fold", "group"]
_READ_COLUMNS = ["path", "bytes", "modified_ns", "seconds", "sha256"]
_LABELS_OF_ONES_OWN = ": a sub-folder for each class, or labels in metadata.csv"
_FOLDS_OF_ONES_OWN = ", or none at all: folds are drawn where the column is left out"
_NAMED_AT_MOST = 5
_log = logging.getLogger("l3net")


def check_dataset(
    rows: pd.DataFrame,
    sound_suffixes: Iterable[str],
    *,
    files_read: Path | None = None,
    draw_folds: Callable[[pd.DataFrame], list[str]] | None = None,
    lists_all: bool = False,
) -> pd.DataFrame:
    """Check every file of a data set against its metadata; return the rows, sorted, as an index.

    Every file is read to its end, so that no copy that was interrupted is scored.

    Files with the same content get one group, so that protocol ``paper`` never trains on one and validates on the
    other. Where such files, or clips of one group, are in different folds, a warning says that the data set leaks.

    Parameters
    ----------
    rows : what the metadata says, as a reader of `archive_layouts` returns it.
    sound_suffixes : by which files are known that the metadata leaves out.
    files_read : a CSV that keeps which files were read to their end, with their size and time; those that are the
        same are not read again. None reads every file.
    draw_folds : draws the folds of an index where no row has one; None demands that each has.
    lists_all : whether the metadata, where it is whole, lists every sound of the folders.

    Raises
    ------
    DatasetError
        A file named twice, missing, or not readable to its end, or, with `lists_all`, not listed; an empty label or
        fold; a line break in a text; fewer than two labels or folds.
    """
    is_to_draw = draw_folds is not None and (rows["fold"].str.strip() == "").all()
    hints = {} if draw_folds is None else {"label": _LABELS_OF_ONES_OWN, "fold": _FOLDS_OF_ONES_OWN}
    _check_rows(rows, ("label",) if is_to_draw else ("label", "fold"), hints)
    if missing := [path for path in rows["path"] if not Path(path).is_file()]:
        raise DatasetError(f"{_some(missing)}: {len(missing)} of {len(rows)} files named by the metadata are missing")
    _report_extra(rows, set(sound_suffixes), lists_all)
    digests = _read_all(rows["path"].tolist(), files_read)
    index = rows.assign(group=_merge(rows["group"], digests))
    if is_to_draw:
        index["fold"] = draw_folds(index)
    _report_leaks(index, digests)
    return index[INDEX_COLUMNS].sort_values(["fold", "filename"], kind="stable", ignore_index=True)


def write_dataset_index(index: pd.DataFrame, path: Path) -> None:
    """Write an index, whole or not at all."""
    atomic.write_csv(index[INDEX_COLUMNS], path)


def read_dataset_index(path: Path) -> pd.DataFrame:
    """Read an index; every column is text.

    Raises
    ------
    DatasetError
        The file is missing, no CSV, or lacks a column.
    """
    what = f"an index of fetch_dataset, with the columns {', '.join(INDEX_COLUMNS)}"
    index = read_csv(path, DatasetError, what, missing="make it (fetch_dataset)", dtype=str)
    if missing := [name for name in INDEX_COLUMNS if name not in index]:
        raise DatasetError(f"{path}: no column {', '.join(missing)}; expected {', '.join(INDEX_COLUMNS)}")
    return index


def _read_all(paths: list[str], files_read: Path | None) -> list[str]:
    """Read every file to its end, and keep which were; return their SHA-256."""
    known = read_kept(files_read, _files_read, instead="every file is read again") if files_read else None
    found, unreadable = [], []
    for path in track_progress(paths, "checking", unit="files"):
        status = Path(path).stat()
        entry = (known or {}).get(path, {})
        if (entry.get("bytes"), entry.get("modified_ns")) != (status.st_size, status.st_mtime_ns):
            try:
                seconds = check_audio(Path(path))
            except ClipError as error:
                unreadable.append((path, str(error)))
                continue
            entry = {"path": path, "bytes": status.st_size, "modified_ns": status.st_mtime_ns}
            entry |= {"seconds": round(seconds, 6), "sha256": sha256_of(Path(path))}
        found.append(entry)
    if files_read is not None:
        atomic.write_csv(pd.DataFrame(found, columns=_READ_COLUMNS), files_read)
    if unreadable:
        raise DatasetError(
            f"{_some(path for path, _ in unreadable)}: {len(unreadable)} of {len(paths)} files cannot be read to their"
            f" end; copy or unpack the data set again. The first: {unreadable[0][1]}"
        )
    return [entry["sha256"] for entry in found]


def _files_read(path: Path) -> dict[str, dict[str, Any]]:
    """Return what `_read_all` kept, by path."""
    types = {"path": str, "bytes": "int64", "modified_ns": "int64", "seconds": float, "sha256": str}
    table = pd.read_csv(path, dtype=types, keep_default_na=False)
    if list(table.columns) != _READ_COLUMNS or not table["sha256"].str.fullmatch("[0-9a-f]{64}").all():
        raise ValueError(f"expected the columns {', '.join(_READ_COLUMNS)}")
    return {row["path"]: row for row in table.to_dict("records")}


def _check_rows(rows: pd.DataFrame, needed: Iterable[str], hints: dict[str, str]) -> None:
    if twice := sorted(rows.loc[rows["filename"].duplicated(), "filename"].unique()):
        raise DatasetError(f"{_some(twice)}: named more than once by the metadata; expected one row a clip")
    for column in ("filename", "label", "fold", "group"):
        broken = rows.loc[rows[column].str.contains(r"[\r\n]"), "filename"].tolist()
        if broken:
            raise DatasetError(f"{_some(map(repr, broken))}: a line break in {column}; expected text of one line")
    for column in needed:
        empty = rows.loc[rows[column].str.strip() == "", "filename"].tolist()
        if empty:
            raise DatasetError(f"{_some(empty)}: no {column} in the metadata")
        if rows[column].nunique() < 2:
            expected = f"expected two or more{hints.get(column, '')}"
            raise DatasetError(f"the data set has {counted(rows[column].nunique(), column)}; {expected}")


def _report_extra(rows: pd.DataFrame, suffixes: set[str], lists_all: bool) -> None:
    known = {Path(path) for path in rows["path"]}
    for folder in sorted({path.parent for path in known}):
        files = (path for path in folder.iterdir() if not is_of_a_system(path.name))
        extra = sorted(path for path in files if path.suffix.lower() in suffixes and path not in known)
        if extra and lists_all:
            raise DatasetError(
                f"{_some(extra)}: {counted(len(extra), 'file')} that the metadata does not list; it may be cut off:"
                " copy or unpack it again, or remove the files"
            )
        if extra:
            _log.warning("%s: left out %s that the data set does not list", _some(extra), counted(len(extra), "file"))


def _merge(groups: pd.Series, digests: list[str]) -> list[str]:
    """Join the groups that share a file's content; return each file's group."""
    parent = {group: group for group in groups}

    def top(group: str) -> str:
        while parent[group] != group:
            group = parent[group]
        return group

    first = {}
    for group, digest in zip(groups, digests, strict=True):
        parent[top(group)] = top(first.setdefault(digest, group))
    return [top(group) for group in groups]


def _report_leaks(index: pd.DataFrame, digests: list[str]) -> None:
    table = index.assign(digest=digests)
    for _, same in table[table["digest"].duplicated(keep=False)].groupby("digest", sort=False):
        where = "in different folds: a leak" if same["fold"].nunique() > 1 else "in one fold"
        labels = "" if same["label"].nunique() == 1 else ", under different labels"
        names = " = ".join(f"{name} (fold {fold})" for name, fold in zip(same["filename"], same["fold"], strict=True))
        _log.warning("the same content %s%s: %s", where, labels, names)
    folds = table.drop_duplicates("digest").groupby("group")["fold"].nunique()
    if leaking := sorted(folds.index[folds > 1]):
        _log.warning("%s: %s in more than one fold: a leak", _some(leaking), counted(len(leaking), "group"))


def _some(names: Iterable) -> str:
    names = [str(name) for name in names]
    more = f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else ""
    return ", ".join(names[:_NAMED_AT_MOST]) + more
