"""Checkpoints as files: one HDF5 file holds all that a training needs to go on, and all that it has found out.

Layout (version 1)::

    /                     attributes: format_version, metadata (JSON), position (JSON), best_epoch,
                          and the provenance: config, versions, commit
    /weights/{path}       one data set for each variable of the model, named by the variable's path
    /optimizer/{path}     the same for the optimizer; absent in the best checkpoint
    /best/{path}          the weights at the epoch of the highest validation accuracy so far
    /history/{column}     one value for each epoch; a function of the data, the configuration and the seed alone
    /timings/{column}     one value for each epoch; how long it took

TensorFlow is not needed to read, copy or write one (`model_state` has what is).
"""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from l3net.errors import WeightsError
from l3net.files import atomic
from l3net.training.metrics import HISTORY, TIMINGS, EpochMetrics

FORMAT_VERSION = 1
_WHOLE_NUMBERS = ("epoch", "samples_seen")
Arrays = dict[str, np.ndarray]
COLUMNS = tuple(column.name for column in fields(EpochMetrics))


@dataclass
class Checkpoint:
    """What a checkpoint holds.

    Attributes
    ----------
    metadata : what the network is and what it was trained on: ``network`` (arguments of `models.build_l3`),
        ``front_end``, ``front_end_version``, ``hop_length``, ``image_size``, ``subset``, ``seed``, ``epoch``,
        ``samples_seen``, ``precision``, ``objective``.
    weights, optimizer : values of the variables by their paths.
    best : the weights at the epoch of the highest validation accuracy so far.
    best_epoch : that epoch; 0 before the first validation.
    history, timings : columns of one value for each epoch (`metrics.HISTORY`, `metrics.TIMINGS`).
    position : what was counted in the present epoch (`metrics.EpochCounts`); empty between epochs.
    provenance : the three strings of `runtime.describe`.
    """

    metadata: dict[str, Any]
    weights: Arrays
    optimizer: Arrays = field(default_factory=dict)
    best: Arrays = field(default_factory=dict)
    best_epoch: int = 0
    history: dict[str, list] = field(default_factory=lambda: {column: [] for column in HISTORY})
    timings: dict[str, list] = field(default_factory=lambda: {column: [] for column in TIMINGS})
    position: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, str] = field(default_factory=dict)

    def add_epoch(self, metrics: EpochMetrics) -> None:
        """Append the numbers of an epoch that has ended."""
        for table in (self.history, self.timings):
            for column, values in table.items():
                values.append(getattr(metrics, column))
        self.metadata = {**self.metadata, "epoch": metrics.epoch, "samples_seen": metrics.samples_seen}


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all."""
    with atomic.replacing(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["metadata"] = json.dumps(checkpoint.metadata, sort_keys=True)
        file.attrs["position"] = json.dumps(checkpoint.position, sort_keys=True)
        file.attrs["best_epoch"] = checkpoint.best_epoch
        file.attrs.update(checkpoint.provenance)
        for group in ("weights", "optimizer", "best", "history", "timings"):
            for name, values in getattr(checkpoint, group).items():
                dtype = np.int64 if name in _WHOLE_NUMBERS else None
                file.create_dataset(f"{group}/{name}", data=np.asarray(values, dtype))


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    WeightsError
        The file is missing, damaged, no checkpoint, or has another format version.
    """
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format_version") != FORMAT_VERSION:
                found = file.attrs.get("format_version", "none")
                raise WeightsError(f"{path}: not a checkpoint of version {FORMAT_VERSION} (version found: {found})")
            return Checkpoint(
                metadata=json.loads(file.attrs["metadata"]),
                position=json.loads(file.attrs["position"]),
                best_epoch=int(file.attrs["best_epoch"]),
                **{group: _arrays(file, group) for group in ("weights", "optimizer", "best")},
                **{group: _columns(file, group) for group in ("history", "timings")},
                provenance={key: file.attrs[key] for key in ("config", "versions", "commit") if key in file.attrs},
            )
    except (OSError, KeyError) as error:
        raise WeightsError(f"{path}: cannot be read as a checkpoint ({error}); remove it to train it again") from None


def best_checkpoint(checkpoint: Checkpoint) -> Checkpoint:
    """Return the checkpoint of the best epoch: its weights, no optimizer, the whole history.

    Raises
    ------
    WeightsError
        The training was never validated.
    """
    if not checkpoint.best_epoch:
        raise WeightsError("the checkpoint holds no best weights; train with train.validation_batches of 1 or more")
    epoch = checkpoint.best_epoch
    seen = checkpoint.history["samples_seen"][checkpoint.history["epoch"].index(epoch)]
    metadata = {**checkpoint.metadata, "epoch": epoch, "samples_seen": seen}
    return Checkpoint(
        metadata,
        checkpoint.best,
        best_epoch=epoch,
        history=checkpoint.history,
        timings=checkpoint.timings,
        provenance=checkpoint.provenance,
    )


def _arrays(file: h5py.File, group: str) -> Arrays:
    found: Arrays = {}

    def keep(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    if group in file:
        file[group].visititems(keep)
    return found


def _columns(file: h5py.File, group: str) -> dict[str, list]:
    return {name: values.tolist() for name, values in _arrays(file, group).items()}


def history_csv(checkpoint: Checkpoint) -> str:
    """Return the epochs of a checkpoint as CSV, a line for each, with the columns `COLUMNS`."""
    table = {**checkpoint.history, **checkpoint.timings}
    rows = zip(*(table[column] for column in COLUMNS), strict=True)
    return "\n".join([",".join(COLUMNS), *(",".join(f"{value:.10g}" for value in row) for row in rows)]) + "\n"
