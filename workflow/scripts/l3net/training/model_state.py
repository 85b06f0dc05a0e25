"""Checkpoints and live models: from a file to a network that works, and from a training to what a file holds."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from l3net.errors import WeightsError
from l3net.models import build_l3
from l3net.training.checkpoint import Arrays, best_checkpoint, read_checkpoint


def load_l3(path: Path, *, best: bool = True) -> tuple[keras.Model, dict[str, Any]]:
    """Return the network of a checkpoint, in float32, and its metadata (`checkpoint_files.Checkpoint`).

    Parameters
    ----------
    best : the weights of the best epoch so far (the only ones of a ``best.h5``); else those of the last epoch.

    Raises
    ------
    WeightsError
        A file that is no checkpoint, or whose weights do not fit its own description.
    """
    checkpoint = read_checkpoint(path)
    if best and checkpoint.best:
        checkpoint = best_checkpoint(checkpoint)
    plain = {"spec_augment": False, "synchronised_batch_norm": False, "precision": "float32"}
    model = build_l3(**{**checkpoint.metadata["network"], **plain})
    restore_variables(model.variables, checkpoint.weights, path)
    return model, checkpoint.metadata


def capture_variables(variables: Iterable[keras.Variable]) -> Arrays:
    """Return the values of variables by their paths."""
    return {variable.path: np.asarray(variable) for variable in variables}


def restore_variables(variables: Iterable[keras.Variable], arrays: Arrays, source: Path | str) -> None:
    """Give variables the values that `capture` returned.

    Raises
    ------
    WeightsError
        Values of other variables, or of other shapes; `source` is named in the message.
    """
    variables = list(variables)
    names = {variable.path for variable in variables}
    if unlike := sorted(names ^ set(arrays)):
        raise WeightsError(
            f"{source}: does not fit the network, which has {len(names)} variables, the file {len(arrays)}; "
            f"the first that differs is {unlike[0]}; was it made with another configuration?"
        )
    for variable in variables:
        if tuple(variable.shape) != arrays[variable.path].shape:
            found, expected = arrays[variable.path].shape, tuple(variable.shape)
            raise WeightsError(f"{source}: {variable.path} has shape {found}, expected {expected}")
        variable.assign(arrays[variable.path])
