"""The memory that a fold's windows take, and folds kept from an earlier run."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from l3net.downstream.classifiers import MlpSettings, clip_likelihoods
from l3net.downstream.evaluation import EvaluationSettings, FoldEvaluator, choose_precision, evaluate_folds
from l3net.errors import DatasetError
from l3net.vectors import read_dataset_vectors
from tests.tiny_datasets import write_embeddings

MLP = MlpSettings([16], [1e-3], [1e-4], max_epochs=2, patience_epochs=2, batch_size=16, xla=False)
SETTINGS = EvaluationSettings("toy", "knn", "paper", 0.2, [0], 1, 6000, MLP)


def test_half_precision_where_memory_is_short() -> None:
    assert (choose_precision(1_000_000, 9), choose_precision(1_000_000, 7)) == (np.float32, np.float16)
    assert choose_precision(1_000_000, 3) == np.float16  # 2 of 3 MB, less than three quarters
    with pytest.raises(DatasetError, match=r"a fold needs 2 MB .*memory_megabytes \(2\); raise it"):
        choose_precision(1_000_000, 2)


def test_folds_are_kept_for_the_same_settings_and_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips, state = read_dataset_vectors(write_embeddings(tmp_path / "toy.h5")), tmp_path / "state"
    first = evaluate_folds(clips, SETTINGS, state)
    evaluate, made = FoldEvaluator.evaluate, []
    monkeypatch.setattr(FoldEvaluator, "evaluate", lambda *given: made.append(given[1:]) or evaluate(*given))
    again = evaluate_folds(clips, SETTINGS, state)
    assert made == []
    for one, other in zip(first, again, strict=True):
        assert (one.repeat, one.fold, one.settings) == (other.repeat, other.fold, other.settings)
        np.testing.assert_array_equal(one.likelihoods, other.likelihoods)
    evaluate_folds(clips, replace(SETTINGS, validation_share=0.3), state)
    assert made == [(0, "1"), (0, "2"), (0, "3")]
    rewritten = read_dataset_vectors(write_embeddings(tmp_path / "toy.h5", seed=1))
    evaluate_folds(rewritten, SETTINGS, state)
    assert len(made) == 6


def test_one_program_fits_every_fold_and_seed(tmp_path: Path) -> None:
    """It is traced once for all of them, and each comes out as from a program of its own."""
    clips = read_dataset_vectors(write_embeddings(tmp_path / "toy.h5"))
    settings = replace(SETTINGS, classifier="mlp", repeats=[0, 1], mlp=replace(MLP, learning_rates=[1e-3, 1e-2]))
    evaluator = FoldEvaluator(clips, settings)
    together = [evaluator.evaluate(repeat, fold) for repeat, fold in evaluator.folds()]
    assert [(one.repeat, one.fold) for one in together] == [(repeat, fold) for repeat in (0, 1) for fold in "123"]
    assert evaluator._classifier._program._program.run.experimental_get_tracing_count() == 1
    alone = FoldEvaluator(clips, settings).evaluate(1, "2")
    np.testing.assert_array_equal(together[4].likelihoods, alone.likelihoods)
    assert together[4].settings == alone.settings
    assert not np.array_equal(together[1].likelihoods, alone.likelihoods)


def damage(path: Path, how: str) -> None:
    """Damage a kept fold."""
    whole = path.read_bytes()
    found = dict(np.load(path))
    if how == "empty":
        path.write_bytes(b"")
    elif how == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif how == "text":
        path.write_text("no fold")
    elif how == "flipped bit":
        place = whole.index(found["likelihoods"].tobytes()) + 9
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    elif how == "other clips":
        np.savez(path, **{**found, "clips": found["clips"][::-1] + 1})
    elif how == "other classes":
        np.savez(path, **{**found, "likelihoods": found["likelihoods"][:, 1:]})
    elif how == "no settings":
        np.savez(path, **{**found, "settings": "{}"})
    elif how == "no array":
        np.savez(path, clips=found["clips"])


@pytest.mark.parametrize(
    "how", ["empty", "cut", "text", "flipped bit", "other clips", "other classes", "no settings", "no array"]
)
def test_a_kept_fold_that_is_damaged_is_made_anew_and_said(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clips, state = read_dataset_vectors(write_embeddings(tmp_path / "toy.h5")), tmp_path / "state"
    first = evaluate_folds(clips, SETTINGS, state)
    (kept,) = state.glob("*/0-2.npz")
    damage(kept, how)
    evaluate, made = FoldEvaluator.evaluate, []
    monkeypatch.setattr(FoldEvaluator, "evaluate", lambda *given: made.append(given[1:]) or evaluate(*given))
    again = evaluate_folds(clips, SETTINGS, state)
    assert made == [(0, "2")]
    assert f"{kept} is damaged and is passed over" in caplog.text
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.likelihoods, other.likelihoods)
    evaluate_folds(clips, SETTINGS, state)
    assert made == [(0, "2")]


@pytest.mark.parametrize("classifier", ["linear", "knn", "svm", "forest"])
def test_a_handful_of_windows_is_enough(tmp_path: Path, classifier: str) -> None:
    """Eight clips of one window each: fewer to train on than 15 neighbours, and than 5."""
    path = write_embeddings(
        tmp_path / "few.h5", n_classes=2, clips_per_class=6, windows=1, folds=("1", "2"), clips_per_group=1
    )
    found = evaluate_folds(read_dataset_vectors(path), replace(SETTINGS, classifier=classifier), tmp_path / "state")
    assert sum(len(outcome.clips) for outcome in found) == 12
    settings = [row["setting"] for row in found[0].settings]
    if classifier == "knn":
        assert settings == ["n_neighbors=1"]


@pytest.mark.parametrize("classifier", ["linear", "mlp"])
def test_a_fold_that_trains_on_one_class_only_is_told(tmp_path: Path, classifier: str) -> None:
    path = write_embeddings(tmp_path / "one.h5", n_classes=2, clips_per_class=8, folds=("1", "2"))
    with h5py.File(path, "a") as file:
        file["clips/fold"][:] = ["1" if label == "class 0" else "2" for label in file["clips/label"].asstr()]
    clips = read_dataset_vectors(path)
    with pytest.raises(DatasetError, match=r"one\.h5: fold 1 trains on clips of 'class 1' only; expected two classes"):
        evaluate_folds(clips, replace(SETTINGS, classifier=classifier), tmp_path / "state")


def test_what_is_drawn_depends_on_the_data_set_and_not_on_the_embedding(tmp_path: Path) -> None:
    one, other = (read_dataset_vectors(write_embeddings(tmp_path / f"{n}.h5", n_dimensions=n)) for n in (4, 16))
    splits = [FoldEvaluator(clips, SETTINGS)._split(0, "1") for clips in (one, other)]
    np.testing.assert_array_equal(splits[0].valid, splits[1].valid)
    elsewhere = FoldEvaluator(one, replace(SETTINGS, dataset="other"))._split(0, "1")
    assert (elsewhere.valid != splits[0].valid).any()


@pytest.mark.parametrize(("protocol", "penalised"), [("paper", False), ("published_code", True)])
def test_the_published_code_stops_by_a_penalised_validation_loss(
    tmp_path: Path, protocol: str, penalised: bool
) -> None:
    """A decay so strong that the penalty is most of the loss."""
    clips = read_dataset_vectors(write_embeddings(tmp_path / "toy.h5"))
    mlp = replace(MLP, weight_decays=[10.0])
    settings = replace(SETTINGS, classifier="mlp", protocol=protocol, mlp=mlp)
    (row,) = FoldEvaluator(clips, settings).evaluate(0, "1").settings
    assert (row["valid_loss"] > 50) is penalised


def test_likelihoods_that_are_not_finite_are_no_answers_and_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = read_dataset_vectors(write_embeddings(tmp_path / "toy.h5"))
    tested = np.flatnonzero(clips.fold == "1")

    def diverged(likelihoods: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        found = clip_likelihoods(likelihoods, offsets)
        found[2, -1] = np.nan
        return found

    monkeypatch.setattr("l3net.downstream.evaluation.clip_likelihoods", diverged)
    message = (
        rf"toy\.h5: fold 1, seed 0: the likelihoods of {clips.filename[tested[2]]} are not finite numbers; .*lower"
    )
    with pytest.raises(DatasetError, match=message):
        evaluate_folds(clips, SETTINGS, tmp_path / "state")
    assert not [*tmp_path.rglob("*.npz")]
