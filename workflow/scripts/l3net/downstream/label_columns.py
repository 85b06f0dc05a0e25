"""The labels in a CSV of one's own: one a clip, several in one column, or one column for each class."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from l3net.errors import DatasetError
from l3net.files import printable
from l3net.runtime import counted
from l3net.vectors import SEPARATOR, join_labels

_NO_CLASS = {"filename", "fold", "group", "split"}
_log = logging.getLogger("l3net")
_YES, _NO = {"1", "1.0", "true", "yes"}, {"0", "0.0", "false", "no", ""}


def own_columns(table: pd.DataFrame, path: Path) -> tuple[pd.Series, Sequence[str], pd.Series]:
    """Return the labels, folds and groups of a CSV; folds that are not there are empty, groups the files' names.

    Without a column ``fold``, one called ``split`` that says train or test holds them.
    """
    names, folds = table["filename"], table.get("fold", pd.Series("", table.index))
    groups = table["group"].where(table["group"] != "", names) if "group" in table else names
    if "fold" not in table and "split" in table:
        if other := sorted(set(table["split"]) - {"train", "test"}):
            raise DatasetError(
                f"{path}: column split holds {other[0]!r}; expected train or test; give other folds in a column fold"
            )
        folds = table["split"]
    return read_labels(table, path), folds, groups


def read_labels(table: pd.DataFrame, path: Path) -> pd.Series:
    """Return the labels of each clip as text: of ``label``, or a set of labels (`vectors.label_sets`).

    Without a column ``label``, a column ``labels`` holds several, separated by semicolons; without that too, every
    column but filename, fold, group and split is a class, 1 (true, yes) where the clip has it and 0 (false, no) or
    nothing where not.

    Raises
    ------
    DatasetError
        A file without labels, or a value that is neither yes nor no.
    """
    if "label" in table:
        if (sets := table["label"].str.startswith(SEPARATOR)).any():
            name = table.loc[sets, "filename"].iloc[0]
            raise DatasetError(
                f"{path}: the label of {name} begins with a semicolon; name the column labels for several"
            )
        if (several := table["label"].str.contains(SEPARATOR)).any():
            example = table.loc[several, "label"].iloc[0]
            _log.warning(
                "%s: %s with a semicolon, such as %s, counted as one each; name the column labels if "
                "clips have several", path, counted(several.sum(), "label"), printable(example[:80]),
            )  # fmt: skip
        return table["label"]
    if "labels" in table:
        if (commas := table["labels"].str.contains(",")).any() and not table["labels"].str.contains(SEPARATOR).any():
            example = printable(table.loc[commas, "labels"].iloc[0][:80])
            _log.warning("%s: labels such as %s count as one each; several are separated by semicolons", path, example)
        return table["labels"].map(lambda text: join_labels(map(str.strip, filter(str.strip, text.split(SEPARATOR)))))
    classes = [name for name in table.columns if name not in _NO_CLASS]
    if not classes:
        raise DatasetError(f"{path}: no labels; expected a column label, a column labels (a;b), or one for each class")
    answers = table[classes].map(lambda text: text.strip().lower())
    for name in classes:
        if SEPARATOR in name:
            raise DatasetError(f"{path}: the class {name!r} has a semicolon in its name; expected another name")
        if unknown := sorted(set(answers[name]) - _YES - _NO):
            raise DatasetError(
                f"{path}: column {name} holds {unknown[0]!r}; expected 1 or 0, since without a column label or labels "
                "every further column is a class"
            )
    chosen = answers.isin(_YES)
    if never := [name for name in classes if not chosen[name].any()]:
        _log.warning("%s: no clip has the class %s; left out", path, printable(", ".join(never)[:200]))
    return chosen.apply(lambda row: join_labels(row.index[row]), axis=1)
