"""The memory that a fold's windows take, and folds kept from an earlier run."""

from dataclasses import replace
from pathlib import Path

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
