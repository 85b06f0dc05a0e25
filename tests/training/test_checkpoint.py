"""Checkpoints: written and read, the best epoch taken out, loaded as networks, refused when they are damaged."""

from pathlib import Path

import keras
import numpy as np
import pytest

from l3net.errors import WeightsError
from l3net.models.l3 import build_l3
from l3net.training.checkpoint import (
    COLUMNS,
    Checkpoint,
    best_checkpoint,
    history_csv,
    read_checkpoint,
    write_checkpoint,
)
from l3net.training.metrics import HISTORY, TIMINGS
from l3net.training.model_state import capture_variables, load_l3


@pytest.fixture
def network() -> dict[str, object]:
    return {"front_end": "mel128", "image_size": 32, "width": 1 / 16, "hop_length": 1936}


def checkpoint_of(model: keras.Model, network: dict[str, object]) -> Checkpoint:
    weights = capture_variables(model.variables)
    history = {"epoch": [1, 2, 3], "val_accuracy": [0.5, 0.7, 0.7], "samples_seen": [8, 16, 24]}
    history |= {c: [0.1, 0.2, 0.3] for c in HISTORY if c not in history}
    timings = {c: [1.0, 2.0, 3.0] for c in TIMINGS}
    best = {name: values + 1 for name, values in weights.items()}
    metadata = {
        "network": network,
        "subset": "music",
        "front_end": "mel128",
        "front_end_version": "training",
        "seed": 1,
    }
    metadata |= {"hop_length": 1936, "image_size": 32, "epoch": 3, "samples_seen": 24}
    return Checkpoint(
        metadata, weights, best=best, best_epoch=2, history=history, timings=timings, position={"batches": 1}
    )


def test_checkpoint_round_trip(tmp_path: Path, network: dict[str, object]) -> None:
    model = build_l3(**network, seed=1)
    written = checkpoint_of(model, network)
    write_checkpoint(tmp_path / "epoch-003.h5", written)
    loaded, metadata = load_l3(tmp_path / "epoch-003.h5", best=False)
    assert metadata["epoch"] == 3
    for found, expected in zip(loaded.variables, model.variables, strict=True):
        np.testing.assert_array_equal(found, expected)
    loaded, metadata = load_l3(tmp_path / "epoch-003.h5")
    assert (metadata["epoch"], metadata["samples_seen"]) == (2, 16)
    np.testing.assert_array_equal(loaded.variables[0], np.asarray(model.variables[0]) + 1)
    read = read_checkpoint(tmp_path / "epoch-003.h5")
    assert (read.history, read.timings, read.position) == (written.history, written.timings, {"batches": 1})
    lines = history_csv(read).splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert lines[2].split(",")[4:6] == ["0.7", "16"]


def test_damaged_and_foreign_checkpoints_are_told(tmp_path: Path, network: dict[str, object]) -> None:
    path = tmp_path / "epoch-003.h5"
    with pytest.raises(WeightsError, match=r"epoch-003.h5: cannot be read: No such file .*; expected a checkpoint"):
        read_checkpoint(path)
    path.write_bytes(b"no HDF5")
    with pytest.raises(WeightsError, match="remove it to train it again"):
        read_checkpoint(path)
    model = build_l3(**network)
    write_checkpoint(path, checkpoint_of(model, {**network, "width": 1 / 8}))
    with pytest.raises(WeightsError, match=r"network\.width is 0\.125, but its widest convolution has 32 channels"):
        load_l3(path)
    with pytest.raises(WeightsError, match="holds no best weights"):
        best_checkpoint(Checkpoint({}, {}))


@pytest.mark.parametrize("group", ["weights", "best"])
def test_weights_that_are_not_finite_are_refused_with_their_variable(
    tmp_path: Path, network: dict[str, object], group: str
) -> None:
    spoilt = checkpoint_of(build_l3(**network), network)
    getattr(spoilt, group)["fusion_dense_2/bias"] = np.array([np.nan, 0.0], np.float32)
    write_checkpoint(tmp_path / "epoch-003.h5", spoilt)
    with pytest.raises(WeightsError, match=r"epoch-003\.h5: fusion_dense_2/bias: 1 of 2 values are not finite"):
        load_l3(tmp_path / "epoch-003.h5", best=group == "best")
    load_l3(tmp_path / "epoch-003.h5", best=group != "best")
