"""Refusing weights that are not finite numbers: one NaN would spoil every vector without a word."""

from pathlib import Path

import numpy as np

from l3net.errors import WeightsError


def check_finite_weights(source: Path | str, name: str, values: np.ndarray) -> None:
    """Check that the values of a variable are finite numbers.

    Parameters
    ----------
    source : the file that they come from.
    name : the variable.

    Raises
    ------
    WeightsError
        One is NaN or infinite.
    """
    values = np.asarray(values)
    if np.issubdtype(values.dtype, np.inexact) and not (finite := np.isfinite(values)).all():
        n = int((~finite).sum())
        raise WeightsError(f"{source}: {name}: {n} of {values.size} values are not finite numbers; is the file whole?")
