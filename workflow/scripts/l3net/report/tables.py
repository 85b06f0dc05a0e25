"""Reading the tables of a run.

Every column is text but those of `NUMBERS`: a class or a data set may be called NA, None or 007, and stays what it is
called. An empty cell is an empty text, or NaN in a column of numbers.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from l3net.errors import DatasetError

if TYPE_CHECKING:
    import pandas as pd

_MEASURES = ["accuracy", "class_mean_accuracy", "ci_low", "ci_high", "fold_mean", "fold_std", "mean", "std", "correct"]
_COMPARED = ["paper", "difference", "median_difference", "first_mean", "second_mean", "statistic", "p", "p_holm"]
_COUNTS = ["n", "n_clips", "n_classes", "n_folds", "n_seeds", "n_pairs", "epoch", "seed", "jobs"]
_HISTORY = ["loss", "val_loss", "val_accuracy", "learning_rate", "images_per_second", "waiting_share"]
_COSTS = ["seconds", "longest_seconds", "cpu_seconds", "max_memory_megabytes"]
NUMBERS = frozenset([*_MEASURES, *_COMPARED, *_COUNTS, *_HISTORY, *_COSTS])


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
        Columns are missing, or one of `NUMBERS` holds something else.
    """
    import pandas as pd

    with open(path, encoding="utf-8", newline="") as file:
        found = pd.read_csv(file, dtype=str, nrows=0).columns
    if missing := [name for name in columns if name not in found]:
        expected = f"a file of {made_by}" if made_by else f"the columns {', '.join(columns)}"
        raise DatasetError(f"{path}: no column {', '.join(missing)}; expected {expected}")
    # Likelihoods have a column for each class, ``p:{class}``.
    numbers = [name for name in found if name in NUMBERS or name.startswith("p:")]
    table = pd.read_csv(
        path,
        dtype={name: str for name in found if name not in numbers},
        keep_default_na=False,
        na_values={name: [""] for name in numbers},
    )
    for name in numbers:
        if not pd.api.types.is_numeric_dtype(table[name]):  # text, or a table without rows
            values = pd.to_numeric(table[name], errors="coerce")
            wrong = table.loc[values.isna() & table[name].notna(), name]
            if len(wrong):
                raise DatasetError(f"{path}: column {name} holds {wrong.iloc[0]!r}; expected numbers")
            table[name] = values
    return table


def read_tables(paths: Iterable[Path]) -> "pd.DataFrame":
    """Read several tables of the same columns as one."""
    import pandas as pd

    return pd.concat([read_table(path) for path in paths])


def best_checkpoints(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rows of every embedding but those of the checkpoints on the way (accuracy by training samples)."""
    return table[~_on_the_way(table)]


def checkpoints_on_the_way(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rows of the embeddings that were taken from each checkpoint of a model."""
    return table[_on_the_way(table)]


def _on_the_way(table):
    # An embedding that is not ours has no checkpoint.
    return ~table["checkpoint"].isin(["best", ""])
