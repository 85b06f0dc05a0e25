"""One step: the optimizer against Keras', the learning rate, the contrastive loss against numpy, checkpoints."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from l3net.errors import WeightsError
from l3net.models.l3 import build_l3
from l3net.training.checkpoint import (
    COLUMNS,
    HISTORY,
    TIMINGS,
    Checkpoint,
    best_checkpoint,
    history_csv,
    read_checkpoint,
    write_checkpoint,
)
from l3net.training.model_state import capture_variables, load_l3
from l3net.training.optimizer import Adam, LearningRate
from l3net.training.step import TEMPERATURE, contrastive_loss


def test_adam_is_keras_adam() -> None:
    def trained(optimizer: keras.optimizers.Optimizer) -> list[np.ndarray]:
        variables = [keras.Variable(np.linspace(-1, 1, 12).reshape(3, 4).astype(np.float32))]
        variables.append(keras.Variable(np.ones(5, np.float32)))
        optimizer.build(variables)

        @tf.function
        def update():
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.sin(variables[0].value)) + tf.reduce_sum(variables[1].value ** 3)
            optimizer.apply_gradients(zip(tape.gradient(loss, [v.value for v in variables]), variables, strict=True))

        for _ in range(30):
            update()
        return [np.asarray(v) for v in [*variables, *optimizer.variables]]

    rate = LearningRate(1e-2, warmup_steps=5)
    for ours, theirs in zip(trained(Adam(rate)), trained(keras.optimizers.Adam(rate)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=5e-6)


def test_learning_rate_rises_and_falls() -> None:
    constant = LearningRate(0.5)
    assert [float(constant(step)) for step in (0, 1000)] == [0.5, 0.5]
    cosine = LearningRate(1.0, warmup_steps=10, total_steps=110)
    at = [float(cosine(step)) for step in (0, 4, 9, 60, 110, 500)]
    np.testing.assert_allclose(at, [0.1, 0.5, 1.0, 0.5, 0.0, 0.0], atol=1e-6)


def test_contrastive_loss_against_numpy() -> None:
    rng = np.random.default_rng(0)
    images, sounds = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in rng.standard_normal((2, 6, 4)))
    label = np.array([1, 0, 1, 1, 0, 1])
    similar = images @ sounds.T / TEMPERATURE
    by_row = np.exp(similar) / np.exp(similar).sum(1, keepdims=True)
    by_column = np.exp(similar) / np.exp(similar).sum(0, keepdims=True)
    expected = np.mean([-(np.log(by_row[i, i]) + np.log(by_column[i, i])) / 2 for i in np.flatnonzero(label)])
    found = contrastive_loss(*(tf.constant(v, tf.float32) for v in (images, sounds)), tf.constant(label))
    assert float(found) == pytest.approx(expected, rel=1e-4)
    nothing = contrastive_loss(*(tf.constant(v, tf.float32) for v in (images, sounds)), tf.zeros(6, tf.int32))
    assert float(nothing) == 0.0


@pytest.fixture
def network() -> dict[str, object]:
    return {"front_end": "mel128", "image_size": 32, "width": 1 / 16, "hop_length": 1936}


def checkpoint_of(model: keras.Model, network: dict[str, object]) -> Checkpoint:
    weights = capture_variables(model.variables)
    history = {"epoch": [1, 2, 3], "val_accuracy": [0.5, 0.7, 0.7], "samples_seen": [8, 16, 24]}
    history |= {c: [0.1, 0.2, 0.3] for c in HISTORY if c not in history}
    timings = {c: [1.0, 2.0, 3.0] for c in TIMINGS}
    best = {name: values + 1 for name, values in weights.items()}
    metadata = {"network": network, "epoch": 3, "samples_seen": 24}
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
    with pytest.raises(WeightsError, match=r"epoch-003.h5: cannot be read as a checkpoint"):
        read_checkpoint(path)
    path.write_bytes(b"no HDF5")
    with pytest.raises(WeightsError, match="remove it to train it again"):
        read_checkpoint(path)
    model = build_l3(**network)
    write_checkpoint(path, checkpoint_of(model, {**network, "width": 1 / 8}))
    with pytest.raises(WeightsError, match=r"has shape \(3, 3, \d, 4\), expected \(3, 3, \d, 8\)"):
        load_l3(path)
    with pytest.raises(WeightsError, match="holds no best weights"):
        best_checkpoint(Checkpoint({}, {}))
