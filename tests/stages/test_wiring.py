"""The wiring of training: which data, which weights and which epoch go where, each with a difference planted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from l3net import training
from l3net.embeddings.embedding_keras import load_network
from l3net.embeddings.keras_metadata import read_keras_metadata
from l3net.training import loop
from l3net.training.checkpoint import read_checkpoint
from l3net.training.metrics import Validation
from l3net.training.model_state import capture_variables
from tests import tiny_shards
from tests.stages.loading import stage_function
from tests.tiny_training import SETTINGS, arguments


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    tiny_shards.write_split(folder, "train")
    tiny_shards.write_split(folder, "valid", n_clips=16, share=16)
    return folder


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict], list[tuple]]:
    """A leg of four epochs whose validations say 0.5, 0.9, 0.9, 0.7; the weights at each, and what was read when."""
    run, weights, read = tmp_path_factory.mktemp("run"), [], []
    validate = loop._Training._validate

    class RecordingFeed(loop.Feed):
        def __init__(self, index: Path, **options: Any) -> None:
            self.told = index.name, options["batches"], options["seed"]
            super().__init__(index, **options)

        def epoch(self, epoch: int, start_batch: int = 0) -> Any:
            name, batches, seed = self.told
            read.append((name, epoch, batches, seed))
            return super().epoch(epoch, start_batch)

    def tell(self: loop._Training) -> Validation:
        validate(self)
        weights.append({name: values.copy() for name, values in capture_variables(self.model.variables).items()})
        return Validation(1.0 + len(weights), (0.5, 0.9, 0.9, 0.7)[len(weights) - 1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "Feed", RecordingFeed)
        patch.setattr(loop._Training, "_validate", tell)
        stage_function("train_leg")(**arguments(data, run, epoch=4, batches_per_epoch=3, validation_batches=2))
    stage_function("select_checkpoint")(run / "epoch-004.h5", run / "best.h5", run / "history.csv")
    return run, weights, read


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def test_it_trains_on_the_training_shards_and_validates_on_the_others(trained: tuple) -> None:
    _, _, read = trained
    assert read == [row for epoch in range(4) for row in (("train.json", epoch, 3, 3), ("valid.json", 0, 2, 3))]


def test_the_best_epoch_is_the_first_of_the_highest_and_the_weights_are_those_of_then(trained: tuple) -> None:
    run, weights, _ = trained
    assert not same(weights[1], weights[2])
    last, best = read_checkpoint(run / "epoch-004.h5"), read_checkpoint(run / "best.h5")
    assert (last.metadata["epoch"], last.best_epoch) == (4, 2)
    assert same(last.weights, weights[3])
    assert same(last.best, weights[1])
    assert (best.metadata["epoch"], best.metadata["samples_seen"]) == (2, 2 * 3 * SETTINGS["batch_size"])
    assert same(best.weights, weights[1])
    assert not best.best
    assert last.history["val_loss"] == [2.0, 3.0, 4.0, 5.0]
    assert last.history["val_accuracy"] == best.history["val_accuracy"] == [0.5, 0.9, 0.9, 0.7]
    assert last.history["loss"] != last.history["val_loss"]


@pytest.mark.parametrize(("source", "number"), [("best.h5", 1), ("epoch-004.h5", 3)])
def test_an_embedding_has_the_weights_of_its_own_epoch(
    trained: tuple, tmp_path: Path, source: str, number: int
) -> None:
    """The curve's embeddings are of checkpoints, the models' of best.h5."""
    run, weights, _ = trained
    stage_function("extract_embedding")(run / source, tmp_path / "embedding.keras", pooling=512, subset="music")
    found = capture_variables(load_network(tmp_path / "embedding.keras")[0].variables)
    assert same(found, {name: weights[number][name] for name in found})
    assert not same(found, {name: weights[4 - number][name] for name in found} if number == 3 else weights[3])
    about = read_keras_metadata(tmp_path / "embedding.keras")
    assert (about["epoch"], about["validation_accuracy"]) == (number + 1, (0.9, 0.7)[number == 3])


def test_validation_data_unlike_training_data_show_in_the_history(data: Path, tmp_path: Path) -> None:
    """Their labels are turned round: who learns the training samples is wrong about all others."""
    import h5py

    tiny_shards.write_split(tmp_path, "train")
    tiny_shards.write_split(tmp_path, "valid")
    with h5py.File(tmp_path / "valid.h5", "r+") as file:
        rows = file["samples"][:]
        rows["label"] = 1 - rows["label"]
        file["samples"][:] = rows
    tiny_shards.index_again(tmp_path / "valid.json")
    changes = {"batches_per_epoch": 8, "batch_size": 16, "validation_batches": 4, "learning_rate": 3e-3}
    stage_function("train_leg")(**arguments(tmp_path, tmp_path / "run", epoch=6, augment=False, **changes))
    history = read_checkpoint(tmp_path / "run" / "epoch-006.h5").history
    assert history["accuracy"][-1] > 0.85
    assert history["val_accuracy"][-1] < 0.4
    assert history["val_loss"][-1] > 2 * history["loss"][-1]


@pytest.mark.parametrize("name", ["spec_augment", "synchronised_batch_norm"])
def test_a_leg_gives_its_network_each_setting_under_its_own_name(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    legs: list[training.Leg] = []
    monkeypatch.setattr("l3net.training.run_leg", legs.append)
    changes = {name: True, "weight_decay": 3e-5, "objective": "contrastive", "precision": "mixed_bfloat16"}
    stage_function("train_leg")(**arguments(data, tmp_path, epoch=1, **changes))
    (leg,) = legs
    expected = {"spec_augment": False, "synchronised_batch_norm": False, **changes}
    assert {key: leg.network[key] for key in expected} == expected
    assert (leg.train.name, leg.valid.name, leg.epoch, leg.seed) == ("train.json", "valid.json", 1, 3)


@pytest.mark.parametrize("xla", [False, True])
def test_a_leg_fuses_batch_norms_unless_xla_does(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, xla: bool
) -> None:
    """Seen in the network handed to the step; under XLA no leg can run here, since this process is deterministic."""
    found: list[str] = []

    def look(model: Any, *_: Any, **__: Any) -> None:
        found.extend(type(layer).__name__ for layer in model.layers if "_norm_" in layer.name)
        raise KeyError("seen")

    monkeypatch.setattr(loop, "training_step", look)
    with pytest.raises(KeyError, match="seen"):
        stage_function("train_leg")(**arguments(data, tmp_path, epoch=1, xla=xla))
    assert found == ["BatchNormalization" if xla else "FusedBatchNormalization"] * 18


def test_files_have_the_batch_norms_of_keras(trained: tuple) -> None:
    kept, _ = training.load_l3(trained[0] / "epoch-004.h5")
    assert [type(one).__name__ for one in kept.layers if "_norm_" in one.name] == ["BatchNormalization"] * 18
