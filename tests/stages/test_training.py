"""The stages of training on tiny shards: learning, legs, what is refused, what comes out."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from l3net.errors import ConfigError
from l3net.training import loop
from l3net.training.checkpoint import COLUMNS, read_checkpoint
from l3net.training.loop import Diverged
from l3net.training.optimizer import LearningRate
from l3net.training.step import training_step
from tests import tiny_shards
from tests.stages.loading import stage_function
from tests.tiny_training import arguments, contents


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    tiny_shards.write_split(folder, "train")
    tiny_shards.write_split(folder, "valid", n_clips=16, share=16)
    return folder


@pytest.fixture(scope="module")
def overfitted(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A leg of 20 epochs of the same 64 samples."""
    run = tmp_path_factory.mktemp("overfitted")
    changes = {"batches_per_epoch": 4, "batch_size": 16, "learning_rate": 3e-3, "augment": False}
    stage_function("train_leg")(**arguments(data, run, epoch=20, **changes))
    return run


def test_overfits_64_samples(overfitted: Path) -> None:
    history = read_checkpoint(overfitted / "epoch-020.h5").history
    assert history["samples_seen"][0] == 64
    assert history["accuracy"][-1] == 1.0


def test_stays_at_chance_on_shuffled_labels(tmp_path: Path) -> None:
    tiny_shards.write_split(tmp_path, "train", n_clips=32, share=16, shuffled=True)
    tiny_shards.write_split(tmp_path, "valid", n_clips=32, share=16, shuffled=True)
    changes = {"batches_per_epoch": 16, "batch_size": 32, "validation_batches": 16, "learning_rate": 1e-3}
    stage_function("train_leg")(**arguments(tmp_path, tmp_path / "run", epoch=2, **changes))
    history = read_checkpoint(tmp_path / "run" / "epoch-002.h5").history
    # Four standard deviations of 512 fair coins.
    np.testing.assert_allclose(history["val_accuracy"], 0.5, atol=0.09)


def test_two_legs_end_as_one(data: Path, tmp_path: Path) -> None:
    train_leg = stage_function("train_leg")
    train_leg(**arguments(data, tmp_path / "one", epoch=2))
    train_leg(**arguments(data, tmp_path / "two", epoch=1))
    train_leg(**arguments(data, tmp_path / "two", epoch=2, previous=1))
    one, two = (contents(tmp_path / run / "epoch-002.h5") for run in ("one", "two"))
    assert [name for name in one if one[name].tobytes() != two[name].tobytes()] == []


def test_select_and_evaluate(data: Path, overfitted: Path, tmp_path: Path, root: Path) -> None:
    last = read_checkpoint(overfitted / "epoch-020.h5")
    best, history = tmp_path / "best.h5", tmp_path / "history.csv"
    stage_function("select_checkpoint")(overfitted / "epoch-020.h5", best, history)
    table = pd.read_csv(history)
    assert list(table.columns) == list(COLUMNS)
    # The first of the highest, found anew.
    chosen = read_checkpoint(best)
    assert chosen.metadata["epoch"] == 1 + int(np.argmax(last.history["val_accuracy"]))
    assert chosen.optimizer == {}
    scores, by_class = tmp_path / "avc.csv", tmp_path / "avc_by_class.csv"
    stage_function("evaluate_avc")(
        best,
        [data / "valid.json", data / "train.json"],
        scores,
        by_class,
        subsets=["environmental", "music"],
        ontology=root / "resources" / "ontology.json",
        train_subset="music",
        front_end="mel128",
        seed=0,
        batch_size=32,
        batches=100,
    )
    found, classes = pd.read_csv(scores), pd.read_csv(by_class)
    expected = ["train_subset", "test_subset", "front_end", "epoch", "n", "accuracy", "ci_low", "ci_high"]
    assert list(found.columns)[:8] == list(classes.columns)[:8] == expected
    assert list(found["n"]) == [256, 64]
    assert set(found["unit"]) == set(classes["unit"]) == {"clip"}
    assert ((found["ci_low"] < found["accuracy"]) & (found["accuracy"] <= found["ci_high"])).all()
    for _, row in found.iterrows():
        of_subset = classes[classes["test_subset"] == row["test_subset"]]
        assert of_subset["n"].sum() == row["n"]
        assert (of_subset["n_units"] <= row["n_units"]).all()
        assert (of_subset["n"] * of_subset["accuracy"]).sum() == pytest.approx(row["n"] * row["accuracy"], abs=1e-3)


def test_beyond_the_paper_trains(data: Path, tmp_path: Path) -> None:
    changes = {"objective": "contrastive", "spec_augment": True, "schedule": "cosine", "warmup_steps": 3}
    changes |= {"schedule_epochs": 2, "batch_size": 16, "precision": "mixed_bfloat16"}
    stage_function("train_leg")(**arguments(data, tmp_path, epoch=1, **changes))
    made = read_checkpoint(tmp_path / "epoch-001.h5")
    assert made.metadata["objective"] == "contrastive"
    assert made.history["learning_rate"][0] == pytest.approx(
        float(LearningRate(1e-3, warmup_steps=3, total_steps=12)(6))
    )
    assert np.isfinite(made.history["loss"][0])


def test_a_loss_that_is_no_number_names_its_samples(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = training_step

    def spoilt(*args, **options):
        step, calls = make(*args, **options), []

        def update(batch):
            calls.append(batch)
            loss, right = step(batch)
            return (loss * np.nan if len(calls) == 4 else loss), right

        return update

    monkeypatch.setattr(loop, "training_step", spoilt)
    leg = arguments(data, tmp_path, epoch=1, save_every_seconds=0.0)
    with pytest.raises(Diverged, match=r"the loss is nan in epoch 1.*samples: music/0/\d+, (.*music/0/){6}"):
        stage_function("train_leg")(**leg)
    state = read_checkpoint(tmp_path / "state" / "state.h5")
    assert state.position["batches"] == 3
    assert all(np.isfinite(values).all() for values in state.weights.values())


def test_several_steps_in_a_call_change_no_bit(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six batches an epoch: calls of four and two single ones; stopped within an epoch; gone on with calls of three."""
    train_leg, make, sizes = stage_function("train_leg"), loop.several_steps, []

    def watched(step, n):
        steps = make(step, n)

        def told(batches):
            sizes.append(len(batches))
            if sizes == [4, 2, 4]:
                os.kill(os.getpid(), signal.SIGTERM)
            return steps(batches)

        return told

    train_leg(**arguments(data, tmp_path / "one", epoch=2))
    monkeypatch.setattr(loop, "several_steps", watched)
    with pytest.raises(loop.Interrupted, match="stopped by SIGTERM after epoch 1"):
        train_leg(**arguments(data, tmp_path / "several", epoch=2, steps_per_call=4))
    assert read_checkpoint(tmp_path / "several" / "state" / "state.h5").position["batches"] == 4
    train_leg(**arguments(data, tmp_path / "several", epoch=2, steps_per_call=3))
    assert sizes == [4, 2, 4, 2]
    one, several = (contents(tmp_path / run / "epoch-002.h5") for run in ("one", "several"))
    assert sorted(one) == sorted(several)
    different = {name for name in one if one[name].tobytes() != several[name].tobytes()}
    assert different == {"@config"}, "the key itself"


def test_a_loss_that_is_no_number_within_a_call_names_its_own_samples(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = training_step

    def spoilt(*args, **options):
        step, number = make(*args, **options), tf.Variable(0)

        def update(batch):
            loss, right = step(batch)
            return tf.where(number.assign_add(1) == 3, np.nan, loss), right

        return update

    monkeypatch.setattr(loop, "training_step", spoilt)
    told = []
    for n in (1, 2):
        leg = arguments(data, tmp_path, epoch=1, save_every_seconds=0.0, steps_per_call=n)
        with pytest.raises(Diverged, match="the loss is nan in epoch 1, in or before batch 3;") as error:
            stage_function("train_leg")(**leg | {"state": tmp_path / str(n)})
        told.append(str(error.value).partition("samples: ")[2])
        assert read_checkpoint(tmp_path / str(n) / "state.h5").position["batches"] == 2
    assert told[0] == told[1]
    assert told[0].count("music/0/") == 8


def test_weights_that_an_update_spoilt_never_become_the_state(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = training_step

    def spoilt(model, *args, **options):
        step, calls = make(model, *args, **options), []

        def update(batch):
            calls.append(batch)
            made = step(batch)
            if len(calls) == 4:
                model.get_layer("fusion_dense_2").bias.assign([np.nan, 0.0])
            return made

        return update

    monkeypatch.setattr(loop, "training_step", spoilt)
    leg = arguments(data, tmp_path, epoch=1, save_every_seconds=0.0)
    with pytest.raises(
        Diverged, match=r"fusion_dense_2/bias holds values that are not finite numbers.*batch 4.*music/"
    ):
        stage_function("train_leg")(**leg)
    state = read_checkpoint(tmp_path / "state" / "state.h5")
    assert state.position["batches"] == 3
    assert all(np.isfinite(values).all() for values in state.weights.values())


def test_a_state_of_another_configuration_is_passed_over(data: Path, tmp_path: Path, caplog) -> None:
    damaged = arguments(data, tmp_path, epoch=1)
    damaged["state"].mkdir()
    (damaged["state"] / "state.h5").write_bytes(b"cut short")
    stage_function("train_leg")(**damaged)
    assert "the state of an interrupted run is passed over" in caplog.text
    assert (tmp_path / "epoch-001.h5").exists()


def test_what_is_refused(data: Path, tmp_path: Path) -> None:
    train_leg = stage_function("train_leg")
    for changes, message in (
        ({"precision": "float8"}, r"train.precision is 'float8'; expected one of float32"),
        ({"schedule": "steps"}, r"train.schedule is 'steps'; expected one of constant, cosine"),
        ({"batch_size": 0}, r"train.batch_size is 0; expected a whole number of 1 or more"),
        ({"strategy": "tpu"}, r"train.strategy is 'tpu'; expected one of auto"),
        ({"objective": "triplet"}, r"train.objective is 'triplet'; expected one of correspondence"),
    ):
        with pytest.raises(ConfigError, match=message):
            train_leg(**arguments(data, tmp_path, epoch=1, **changes))
    wrong = arguments(data, tmp_path, epoch=1)
    wrong["settings"] = json.loads(json.dumps(wrong["settings"]).replace("augment", "augmnt", 1))
    with pytest.raises(ConfigError, match=r"unknown key train.augmnt; did you mean train.augment\?"):
        train_leg(**wrong)


def test_tensorboard_and_history_are_written_while_training(overfitted: Path) -> None:
    assert len(pd.read_csv(overfitted / "state" / "history.csv")) == 20
    (written,) = (overfitted / "state" / "tensorboard").iterdir()  # one file for a leg, not one for each epoch
    events = [value.tag for event in tf.compat.v1.train.summary_iterator(str(written)) for value in event.summary.value]
    assert events.count("val_accuracy") == 20
