"""The comparison of two runs of the same configuration, to the last digit."""

from pathlib import Path

import pandas as pd

TIMES = {"runtimes.csv"}  # the one table that may differ


def assert_same_tables(here: Path, there: Path) -> None:
    """Fail unless the attrition and every table of two result folders are equal, digit for digit."""
    names = sorted(
        path.relative_to(here)
        for path in [*here.glob("attrition*.csv"), *here.glob("tables/*.csv")]
        if path.name not in TIMES
    )
    assert {"attrition.csv", "avc.csv", "downstream.csv", "summary.csv"} <= {name.name for name in names}
    for name in names:
        one, other = pd.read_csv(here / name, dtype=str), pd.read_csv(there / name, dtype=str)
        assert len(one) > 0, name
        pd.testing.assert_frame_equal(one, other, obj=str(name))
