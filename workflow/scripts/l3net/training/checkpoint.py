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

import numpy as np

from l3net.errors import WeightsError
from l3net.files import Fields, ForeignHdf5, OutputFile, atomic, open_foreign_hdf5, parse_json
from l3net.media import SAMPLE_RATE
from l3net.training.metrics import HISTORY, TIMINGS, EpochMetrics

FORMAT_VERSION = 1
_WHOLE_NUMBERS = ("epoch", "samples_seen")
_LARGEST_IMAGE = 4320  # pixels of a side, as of samples.image_size
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
    with atomic.replacing(path) as temporary, OutputFile(temporary) as file:
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
    what = "a checkpoint (remove it to train it again)"
    with open_foreign_hdf5(path, WeightsError, what) as file:
        found = file.attribute("format_version", default="none")
        if not isinstance(found, np.integer) or found != FORMAT_VERSION:
            raise WeightsError(f"{path}: not a checkpoint of version {FORMAT_VERSION} (version found: {found})")
        best_epoch = file.attribute("best_epoch", default=-1)
        checkpoint = Checkpoint(
            metadata=_object(file, "metadata"),
            position=_object(file, "position"),
            best_epoch=int(best_epoch) if isinstance(best_epoch, np.integer) else -1,
            **{group: file.arrays(group) for group in ("weights", "optimizer", "best")},
            **{group: _columns(file, group) for group in ("history", "timings")},
            provenance={
                key: file.text(key) for key in ("config", "versions", "commit") if file.attribute(key) is not None
            },
        )
    _check(checkpoint, path)
    return checkpoint


def _object(file: ForeignHdf5, name: str) -> dict[str, Any]:
    """Return the JSON object in an attribute."""
    where = f"{file.path}: {name}"
    return Fields(parse_json(file.text(name), where, WeightsError, "JSON"), where, WeightsError).values


def _check(checkpoint: Checkpoint, path: Path) -> None:
    """Check the fields that readers of a checkpoint use: their types, and sizes that its own weights bear out."""
    about = Fields(checkpoint.metadata, f"{path}: metadata", WeightsError)
    for name in {"epoch", "samples_seen", "seed", "hop_length", "image_size"} & set(about.values):
        about.whole(name)
    for name in {"subset", "front_end", "front_end_version"} & set(about.values):
        about.text(name, longest=100)
    if "config" in checkpoint.provenance:
        where = f"{path}: config"
        Fields(parse_json(checkpoint.provenance["config"], where, WeightsError, "JSON"), where, WeightsError)
    network = about.fields("network")
    network.text("front_end", longest=100)
    network.whole("image_size", 1, _LARGEST_IMAGE)
    if "hop_length" in network.values:
        network.whole("hop_length", 1, SAMPLE_RATE)
    width = network.number("width", 1 / 64, 64.0) if "width" in network.values else 1.0
    # A width that the weights do not have would build a network of any size before it is found not to fit.
    widest = max((values.shape[-1] for values in checkpoint.weights.values() if values.ndim == 4), default=0)
    if round(512 * width) != widest:
        raise WeightsError(f"{path}: network.width is {width:g}, but its widest convolution has {widest} channels")
    for table, columns in ((checkpoint.history, HISTORY), (checkpoint.timings, TIMINGS)):
        if set(table) != set(columns) or len({len(values) for values in table.values()}) > 1:
            raise WeightsError(f"{path}: its history has other columns than {', '.join(columns)}, or unequal ones")
    if checkpoint.best_epoch and checkpoint.best_epoch not in checkpoint.history["epoch"]:
        raise WeightsError(f"{path}: its best epoch is {checkpoint.best_epoch}, which its history does not have")


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


def _columns(file: ForeignHdf5, group: str) -> dict[str, list]:
    return {name: np.atleast_1d(values).tolist() for name, values in file.arrays(group).items()}


def history_csv(checkpoint: Checkpoint) -> str:
    """Return the epochs of a checkpoint as CSV, a line for each, with the columns `COLUMNS`."""
    table = {**checkpoint.history, **checkpoint.timings}
    rows = zip(*(table[column] for column in COLUMNS), strict=True)
    return "\n".join([",".join(COLUMNS), *(",".join(f"{value:.10g}" for value in row) for row in rows)]) + "\n"
