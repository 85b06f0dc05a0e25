"""Writing and reading the tables of a run.

Every column is text but those of `NUMBERS`: a class or a data set may be called NA, None or 007, and stays what it is
called. An empty cell is an empty text, or NaN in a column of numbers. A number that is not finite is refused, and so is
an accuracy or a likelihood that is missing: a mean would leave it out, and a comparison lose its pair, without a word.

A spreadsheet takes a cell that begins with =, +, - or @ (also behind a tab or a line break) for a formula and computes
it. Labels and file names come from other people's data sets, so such a text is written with an apostrophe before it,
which makes it text in a spreadsheet; the reader takes the apostrophe away. Numbers stay as they are.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from l3net.errors import DatasetError
from l3net.files import atomic, read_csv

if TYPE_CHECKING:
    import pandas as pd

_MEASURES = ["accuracy", "class_mean_accuracy", "ci_low", "ci_high", "fold_mean", "fold_std", "mean", "std", "correct"]
_COMPARED = ["paper", "untrained", "chance", "difference", "median_difference", "first_mean", "second_mean"]
_COMPARED += ["statistic", "p", "p_holm", "p_normal"]
_OF_SETS = ["mean_average_precision", "average_precision", "roc_auc", "prevalence"]
_OF_SETS += ["map_ci_low", "map_ci_high", "map_fold_mean", "map_fold_std"]
_COUNTS = ["n", "n_clips", "n_classes", "n_folds", "n_seeds", "n_pairs", "n_units", "n_embeddings"]
_COUNTS += ["epoch", "seed", "jobs"]
_HISTORY = ["loss", "val_loss", "val_accuracy", "learning_rate", "images_per_second", "waiting_share"]
_COSTS = ["seconds", "longest_seconds", "cpu_seconds", "max_memory_megabytes"]
NUMBERS = frozenset([*_MEASURES, *_OF_SETS, *_COMPARED, *_COUNTS, *_HISTORY, *_COSTS])
_NEVER_EMPTY = {"accuracy", "class_mean_accuracy", "correct", "fold_mean", "mean", "val_accuracy"}
# Of a training that goes on after a loss that is no number (train.stop_on_nan: false).
_MAY_DIVERGE = {"loss", "val_loss"}
_INFINITE = (float("inf"), float("-inf"))
# A text that has apostrophes before such a beginning gets one more, so that reading gives back what was written.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")


def write_table(table: "pd.DataFrame", path: Path, *, float_format: str | None = None) -> None:
    """Write a table without its index as CSV, whole or not at all; no text in it is a formula to a spreadsheet.

    Parameters
    ----------
    float_format : how floating-point numbers are written, such as ``"%.6g"``; None writes all their digits.
    """
    import pandas as pd

    texts = [name for name in table if not pd.api.types.is_numeric_dtype(table[name])]
    guarded = table.assign(**{name: table[name].map(_guarded) for name in texts}).rename(columns=_guarded)
    atomic.write_csv(guarded, path, float_format=float_format)


def write_rows(rows: Sequence[dict[str, Any]], path: Path, *, float_format: str | None = None) -> None:
    """Write rows, each a dictionary by column, as `write_table` writes a table of them, without loading pandas for it.

    Parameters
    ----------
    float_format : as of `write_table`.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with atomic.replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([_guarded(name) for name in columns])
        writer.writerows([_written(row.get(name), float_format) for name in columns] for row in rows)


def read_table(path: Path, columns: Iterable[str] = (), made_by: str = "") -> "pd.DataFrame":
    """Read a CSV of a run.

    Parameters
    ----------
    path : the CSV.
    columns : those that must be there.
    made_by : the rule that writes such a file; an error names it.

    Raises
    ------
    DatasetError
        Columns are missing, or one of `NUMBERS` holds something else, or a number that is not finite; the message names
        the row.
    """
    what = f"a table of {made_by}" if made_by else "a table of scores"
    found = read_csv(path, DatasetError, what, dtype=str, nrows=0).columns
    if missing := [name for name in columns if name not in found]:
        expected = f"a file of {made_by}" if made_by else f"the columns {', '.join(columns)}"
        raise DatasetError(f"{path}: no column {', '.join(missing)}; expected {expected}")
    # Likelihoods have a column for each class, ``p:{class}``.
    numbers = [name for name in found if name in NUMBERS or name.startswith("p:")]
    table = read_csv(
        path,
        DatasetError,
        what,
        dtype={name: str for name in found if name not in numbers},
        na_values={name: [""] for name in numbers},
    )
    for name in numbers:
        table[name] = _finite(table[name], path, made_by)
    texts = [name for name in table if name not in numbers]
    table[texts] = table[texts].map(lambda text: text[1:] if text.startswith("'") and _FORMULA.match(text) else text)
    return table


def read_tables(paths: Iterable[Path], columns: Sequence[str] = (), made_by: str = "") -> "pd.DataFrame":
    """Read several tables of the same columns as one; `columns` and `made_by` are those of `read_table`."""
    import pandas as pd

    return pd.concat([read_table(path, columns, made_by) for path in paths])


# What stands in the place of an accuracy where clips have several labels.
_PRECISION = {"accuracy": ("mean_average_precision", "average_precision"), "ci_low": ("map_ci_low",)}
_PRECISION |= {"ci_high": ("map_ci_high",), "mean": ("map_fold_mean",), "std": ("map_fold_std",)}
_PRECISION |= {"fold_mean": ("map_fold_mean",), "fold_std": ("map_fold_std",)}


def by_main_measure(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table of accuracies in which rows of clips with several labels have average precisions in their place.

    Few clips are right in their whole set of labels, so it is by average precision that embeddings are compared.
    """
    if "prevalence" not in table:
        return table
    several, replaced = table["prevalence"].notna(), {}
    for column, names in _PRECISION.items():
        if column in table and (name := next((name for name in names if name in table), None)) is not None:
            replaced[column] = table[column].mask(several, table[name])
    return table.assign(**replaced)


def best_checkpoints(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rows of every embedding but those of the checkpoints on the way (accuracy by training samples)."""
    return table[~_on_the_way(table)]


def checkpoints_on_the_way(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rows of the embeddings that were taken from each checkpoint of a model."""
    return table[_on_the_way(table)]


def _finite(column: "pd.Series", path: Path, made_by: str) -> "pd.Series":
    """Return a column of numbers as such; refuse one that is not finite, or missing where it must be there."""
    import pandas as pd

    name, values = str(column.name), column
    if not pd.api.types.is_numeric_dtype(column):  # text, or a table without rows
        values = pd.to_numeric(column.astype(str), errors="coerce")  # Python's whole numbers have no bound
        if name in _MAY_DIVERGE:
            column = column.mask(column.str.lower() == "nan")
    must_be_there = name in _NEVER_EMPTY or name.startswith("p:")
    wrong = (values.isna() & (column.notna() | must_be_there)) | (values.isin(_INFINITE) & (name not in _MAY_DIVERGE))
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        found = "is empty" if pd.isna(column.iloc[row]) else f"holds {str(column.iloc[row])[:40]!r}"
        again = f"; make the file again ({made_by})" if made_by else ""
        raise DatasetError(f"{path}: row {row + 1}: column {name} {found}; expected finite numbers{again}")
    return values


def _guarded(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _written(value: object, float_format: str | None) -> object:
    """Return a cell as it is to be written; what is missing, or no number, is an empty one."""
    if value is None or value != value:
        return ""
    if isinstance(value, float | np.floating):
        return float_format % value if float_format else float(value)
    return _guarded(value)


def _on_the_way(table):
    # An embedding that is not ours has no checkpoint.
    return ~table["checkpoint"].isin(["best", ""])
