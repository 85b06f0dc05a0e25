"""Every classifier of the table: one interface, the best setting by validation, classes that training did not have."""

from dataclasses import replace

import numpy as np
import pytest

from l3net.downstream.classifiers import CLASSIFIERS, MlpSettings, Task, clip_likelihoods
from l3net.downstream.standardise import LabelledWindows
from l3net.errors import DatasetError

MLP = MlpSettings([8], [1e-2, 3e-2], [1e-5], max_epochs=20, patience_epochs=20, batch_size=16, xla=False)
N_CLASSES, N_DIMENSIONS = 4, 6
CENTRES = 3 * np.random.default_rng(0).standard_normal((N_CLASSES, N_DIMENSIONS))


def draw(n: int, n_rows: int, seed: int, classes: tuple[int, ...] = (0, 1, 2, 3)) -> LabelledWindows:
    """Draw windows of some classes; the padding behind them would spoil whatever reads it."""
    rng = np.random.default_rng(seed)
    y = np.resize(classes, n_rows).astype(np.int32)
    x = (CENTRES[y] + rng.standard_normal((n_rows, N_DIMENSIONS))).astype(np.float32)
    x[n:], y[n:] = 1e3, 3 - y[n:]
    return LabelledWindows(x, y, n)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_learns_and_marks_the_best_setting(name: str) -> None:
    classifier = CLASSIFIERS[name](Task(N_DIMENSIONS, N_CLASSES, MLP))
    n_rows = classifier.n_rows(90, 30)
    rows = classifier.fit(draw(90, n_rows[0], 1), draw(30, n_rows[1], 2), seed=3)
    chosen = [row for row in rows if row["chosen"]]
    assert len(chosen) == 1
    assert chosen[0]["valid_accuracy"] == max(row["valid_accuracy"] for row in rows)
    test = draw(100, 100, 4)
    likelihoods = classifier.likelihoods(test.x)
    assert likelihoods.shape == (100, N_CLASSES)
    np.testing.assert_allclose(likelihoods.sum(axis=1), 1, atol=1e-5)
    assert (likelihoods.argmax(axis=1) == test.y).mean() > 0.9


@pytest.mark.parametrize("name", sorted(set(CLASSIFIERS) - {"mlp"}))
def test_a_class_that_training_did_not_have_gets_nothing(name: str) -> None:
    classifier = CLASSIFIERS[name](Task(N_DIMENSIONS, N_CLASSES, MLP))
    classifier.fit(draw(60, 60, 1, (0, 3)), draw(20, 20, 2, (0, 3)), seed=3)
    likelihoods = classifier.likelihoods(draw(20, 20, 4, (0, 3)).x)
    assert (likelihoods[:, 1:3] == 0).all()
    assert (likelihoods.argmax(axis=1) == np.resize((0, 3), 20)).mean() > 0.9


def test_a_clips_likelihoods_are_the_mean_of_its_windows() -> None:
    windows = np.array([[0.2, 0.8], [0.6, 0.4], [0.1, 0.9]])
    np.testing.assert_allclose(clip_likelihoods(windows, np.array([0, 2, 3])), [[0.4, 0.6], [0.1, 0.9]])


def test_neighbours_of_fewer_windows_than_the_largest_number() -> None:
    classifier = CLASSIFIERS["knn"](Task(N_DIMENSIONS, N_CLASSES, MLP))
    rows = classifier.fit(draw(6, 6, 1), draw(4, 4, 2), seed=0)
    assert [row["setting"] for row in rows] == ["n_neighbors=1", "n_neighbors=5"]
    assert classifier.likelihoods(draw(3, 3, 3).x).shape == (3, N_CLASSES)


@pytest.mark.parametrize("name", sorted(set(CLASSIFIERS) - {"mlp"}))
def test_training_windows_of_one_class_are_one_line(name: str) -> None:
    classifier = CLASSIFIERS[name](Task(N_DIMENSIONS, N_CLASSES, MLP))
    with pytest.raises(DatasetError, match="the 6 training windows of a fold are all of one class"):
        classifier.fit(draw(6, 6, 1, classes=(2,)), draw(4, 4, 2, classes=(2,)), seed=0)


def test_a_perceptron_is_stopped_by_a_loss_without_the_penalty_unless_asked() -> None:
    """A decay so strong that the penalty is most of the loss."""
    strong = replace(MLP, weight_decays=[10.0], max_epochs=1)
    for options, penalised in (({}, False), ({"penalised_validation": True}, True)):
        classifier = CLASSIFIERS["mlp"](Task(N_DIMENSIONS, N_CLASSES, strong, **options))
        n_rows = classifier.n_rows(90, 30)
        (row, _) = classifier.fit(draw(90, n_rows[0], 1), draw(30, n_rows[1], 2), seed=3)
        assert (row["valid_loss"] > 20) is penalised
