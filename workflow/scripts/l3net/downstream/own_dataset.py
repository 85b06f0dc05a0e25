"""A data set of one's own without folds: its classes from its sub-folders, and folds that are drawn and kept.

Folds are drawn for groups of clips, so that no group is in two; each fold gets its share of the clips of every label.
They depend on the seed and on the names of the files. Those that were drawn are kept in a CSV: clips that are added
get folds, and no other clip moves.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from l3net.errors import DatasetError
from l3net.files import atomic, files_below, printable, read_kept, stable_hash
from l3net.media import is_audio
from l3net.runtime import counted
from l3net.vectors import are_label_sets, split_labels

_KEPT_COLUMNS = ["filename", "fold", "folds", "seed"]
_NAMED_AT_MOST = 5
_log = logging.getLogger("l3net")


def class_folders(
    folder: Path, sound_suffixes: Iterable[str]
) -> tuple[list[Path], list[str], list[str], list[str], list[str]]:
    """Return paths, names, labels, folds (empty) and groups of the sounds in a folder with a sub-folder for each class.

    A file of another suffix is a sound if its first samples can be decoded. Each file is a group of its own.

    Raises
    ------
    DatasetError
        No sub-folder holds a sound, or a name is not text.
    """
    failed: dict[str, str] = {}
    found, left_out = [], []
    for path in files_below(folder, failed):
        place = path.relative_to(folder)
        if printable(str(place)) != str(place):
            raise DatasetError(f"{folder}: the name {printable(str(place))} is no text of one line; rename it")
        is_sound = path.suffix.lower() in set(sound_suffixes) or is_audio(path)
        if is_sound and len(place.parts) > 1:
            found.append((path, str(place), place.parts[0]))
        else:
            left_out.append(f"{place} ({'in no sub-folder' if is_sound else 'no sound'})")
    left_out += [f"{place} ({why})" for place, why in failed.items()]
    if not found:
        raise DatasetError(
            f"{folder}: no sub-folder holds a sound; expected a sub-folder for each class, or metadata.csv with the"
            " columns filename and label"
        )
    if left_out:
        _log.warning("%s: left out %s: %s", folder, counted(len(left_out), "file"), _some(left_out))
    paths, names, labels = (list(column) for column in zip(*found, strict=True))
    return paths, names, labels, [""] * len(names), names


def draw_folds(clips: pd.DataFrame, *, n_folds: int, seed: int, kept: Path) -> list[str]:
    """Return the fold of each clip, ``1`` to ``n_folds``, and keep them.

    Parameters
    ----------
    clips : the columns filename, label and group.
    n_folds, seed : how many folds, and what they are drawn from.
    kept : a CSV of the folds that were drawn before, with the same number and seed; it is written anew.

    Raises
    ------
    DatasetError
        There are fewer groups than folds.
    """
    groups = {str(name): members for name, members in clips.groupby("group", sort=False)}
    if len(groups) < n_folds:
        raise DatasetError(
            f"{len(clips)} clips of {len(groups)} recordings are too few for {n_folds} folds; add some, or set the data"
            f" set's key folds to {max(len(groups), 2)} or fewer"
        )
    # Of clips with sets of labels every label is dealt by itself: most sets are rare, whatever their labels are.
    split = split_labels if are_label_sets(clips["label"]) else lambda label: [label]
    each = clips.assign(label=clips["label"].map(split)).explode("label").dropna(subset="label")
    labels_of = {str(name): members.value_counts().to_dict() for name, members in each.groupby("group")["label"]}
    _report_rare(each, n_folds)
    before = _kept_folds(kept, n_folds, seed)
    of_label: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(n_folds, int))
    total, fold_of = np.zeros(n_folds, int), {}

    def put(group: str, fold: int) -> None:
        fold_of[group] = fold
        total[fold] += len(groups[group])
        for label, n in labels_of.get(group, {}).items():
            of_label[label][fold] += n

    waiting = []
    for group, members in groups.items():
        drawn = [before[name] for name in sorted(members["filename"]) if name in before]
        if drawn:
            put(group, drawn[0])
        else:
            waiting.append((-len(members), stable_hash(f"{seed}/{min(members['filename'])}"), group))
    for _, number, group in sorted(waiting):  # the largest first, as they fit in worst
        load = sum((of_label[label] for label in labels_of.get(group, {})), np.zeros(n_folds, int))
        turn = (np.arange(n_folds) - number % n_folds) % n_folds
        put(group, min(range(n_folds), key=lambda fold: (load[fold], total[fold], turn[fold])))
    folds = [str(fold_of[group] + 1) for group in clips["group"]]
    table = pd.DataFrame({"filename": clips["filename"], "fold": folds, "folds": n_folds, "seed": seed})
    atomic.write_csv(table[_KEPT_COLUMNS].sort_values("filename"), kept)
    return folds


def _report_rare(clips: pd.DataFrame, n_folds: int) -> None:
    n_groups = clips.groupby("label")["group"].nunique()
    rare = n_groups[n_groups < n_folds]
    if len(rare):
        counts = [f"{label} ({n})" for label, n in rare.items()]
        _log.warning("%s: fewer recordings than the %d folds; some folds do not test them", _some(counts), n_folds)


def _read_kept(path: Path) -> pd.DataFrame:
    """Return the table of folds that was kept."""
    types = {name: str if name == "filename" else int for name in _KEPT_COLUMNS}
    table = pd.read_csv(path, dtype=types, keep_default_na=False)
    if list(table.columns) != _KEPT_COLUMNS or not table["fold"].between(1, table["folds"]).all():
        raise ValueError(f"expected the columns {', '.join(_KEPT_COLUMNS)}, and folds from 1")
    return table


def _kept_folds(path: Path, n_folds: int, seed: int) -> dict[str, int]:
    """Return fold numbers from 0 by file; none where there are none, or others were asked for."""
    table = read_kept(path, _read_kept, instead="folds are drawn anew")
    if table is None or not ((table["folds"] == n_folds) & (table["seed"] == seed)).all():
        return {}
    return dict(zip(table["filename"], table["fold"] - 1, strict=True))


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else ""
    return ", ".join(names[:_NAMED_AT_MOST]) + more
