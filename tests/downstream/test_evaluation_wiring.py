"""The wiring of a fold: training, validation and test windows of scales of their own, each where it belongs."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from l3net.downstream import evaluation
from l3net.downstream.classifiers import CLASSIFIERS, MlpSettings
from l3net.downstream.evaluation import EvaluationSettings, FoldEvaluator
from l3net.downstream.folds import split_fold
from l3net.vectors import read_dataset_vectors
from tests.tiny_datasets import write_embeddings


class Recorder:
    """A classifier that keeps what it is given and calls every window by its first value."""

    def __init__(self, task: Any) -> None:
        self.n_classes, self.fitted, self.asked = task.n_classes, [], []

    def n_rows(self, n_train: int, n_valid: int) -> tuple[int, int]:
        return n_train + 5, n_valid + 7

    def fit(self, train: Any, valid: Any, seed: int) -> list[dict]:
        self.fitted.append((train.x[: train.n].copy(), train.y[: train.n].copy(), train.n, len(train.x)))
        self.fitted.append((valid.x[: valid.n].copy(), valid.y[: valid.n].copy(), valid.n, len(valid.x)))
        self.seed = seed
        return [{"chosen": True}]

    def likelihoods(self, x: np.ndarray) -> np.ndarray:
        self.asked.append(x.copy())
        return np.eye(self.n_classes)[np.zeros(len(x), int)]


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> list[Recorder]:
    made: list[Recorder] = []
    monkeypatch.setitem(CLASSIFIERS, "recorder", lambda task: made.append(Recorder(task)) or made[-1])
    return made


MLP = MlpSettings((8,), (1e-3,), (1e-4,), 3, 2, 16, False)
SETTINGS = EvaluationSettings("toy", "recorder", "paper", 0.2, [0], 5, 1000, MLP)


def test_each_window_is_standardised_by_the_training_windows_and_goes_to_its_own_part(
    tmp_path: Path, recorder: list[Recorder]
) -> None:
    path = write_embeddings(tmp_path / "toy.h5")
    seed = FoldEvaluator(read_dataset_vectors(path), SETTINGS)._seed_of(0, "2", "validation")
    split = split_fold(read_dataset_vectors(path), "2", protocol="paper", validation_share=0.2, seed=seed)
    tested = np.isin(read_dataset_vectors(path).window_clip, split.test_clips)
    parts = {"train": split.train, "valid": split.valid, "test": tested}
    assert sum(mask.sum() for mask in parts.values()) == 144
    # Training, validation and test windows of another place and scale each.
    with h5py.File(path, "a") as file:
        windows = file["embedding"][:]
        for mask, scale, place in zip(parts.values(), (1.0, 20.0, 300.0), (0.0, 50.0, -900.0), strict=True):
            windows[mask] = windows[mask] * scale + place
        file["embedding"][:] = windows
    clips = read_dataset_vectors(path)
    outcome = FoldEvaluator(clips, SETTINGS).evaluate(0, "2")
    (asked,) = recorder
    mean, deviation = windows[split.train].mean(0), windows[split.train].std(0)
    labels = np.searchsorted(clips.classes, clips.label)[clips.window_clip]
    for (x, y, n, _), mask in zip(asked.fitted, (split.train, split.valid), strict=True):
        assert n == mask.sum()
        np.testing.assert_allclose(x, (windows[mask] - mean) / deviation, rtol=1e-3, atol=1e-3)
        np.testing.assert_array_equal(y, labels[mask])
    np.testing.assert_allclose(np.concatenate(asked.asked), (windows[tested] - mean) / deviation, rtol=1e-3, atol=1e-3)
    assert [rows - n for _, _, n, rows in asked.fitted] != [7, 5]
    np.testing.assert_array_equal(outcome.clips, split.test_clips)
    (row,) = outcome.settings
    assert (row["n_train_windows"], row["n_valid_windows"]) == (split.train.sum(), split.valid.sum())
    assert split.train.sum() != split.valid.sum()


def test_training_and_validation_clips_are_drawn_by_seeds_of_their_own(tmp_path: Path, recorder: list) -> None:
    clips = read_dataset_vectors(write_embeddings(tmp_path / "toy.h5"))
    evaluator = FoldEvaluator(clips, SETTINGS)
    evaluator.evaluate(0, "1")
    assert recorder[0].seed == evaluator._seed_of(0, "1", "training") != evaluator._seed_of(0, "1", "validation")
    assert evaluation.stable_hash("5/0/toy/1/training") == recorder[0].seed
