"""The classifiers behind one interface: fitted on a fold's training windows, chosen on its validation windows.

`CLASSIFIERS` has them by the names of config key ``classify.classifier``. To add one, write a class that does what
`Classifier` says, or give `ScikitLearnClassifier` a model and its settings, and add a line to the table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from l3net.downstream.standardise import LabelledWindows
from l3net.errors import DatasetError

_Likelihoods = Callable[[Any, np.ndarray], np.ndarray]  # (model, windows) -> likelihoods


class Classifier(Protocol):
    """What every classifier does."""

    def n_rows(self, n_train: int, n_valid: int) -> tuple[int, int]:
        """Return the rows that the buffers of training and validation windows must have to hold so many windows."""

    def fit(self, train: LabelledWindows, valid: LabelledWindows, seed: int) -> list[dict[str, Any]]:
        """Fit every setting; return a row of validation scores for each, the chosen one marked ``chosen``."""

    def likelihoods(self, x: np.ndarray) -> np.ndarray:
        """Return the chosen setting's likelihoods [shape=(n_windows, n_classes)]."""


@dataclass(frozen=True)
class MlpSettings:
    """The settings of the multi-layer perceptrons, as in section ``classify`` of the configuration.

    Parameters
    ----------
    hidden : units of each hidden layer.
    learning_rates, weight_decays : every combination of the two is trained.
    max_epochs, patience_epochs : epochs at most, and without a lower validation loss.
    batch_size : windows a step.
    xla : compile with XLA.
    """

    hidden: list[int]
    learning_rates: list[float]
    weight_decays: list[float]
    max_epochs: int
    patience_epochs: int
    batch_size: int
    xla: bool


@dataclass(frozen=True)
class Task:
    """What a classifier is made for: the size of the vectors, the number of classes, and the perceptrons' settings.

    With `penalised_validation`, as in the published code, the loss that stops a perceptron has the L2 penalty in it.
    With `several_labels` a clip may have any of the classes: outputs are sigmoids.
    """

    n_dimensions: int
    n_classes: int
    mlp: MlpSettings
    penalised_validation: bool = False
    several_labels: bool = False


class MlpClassifier:
    """The paper's multi-layer perceptron: a grid of learning rates and weight decays, trained as one program."""

    def __init__(self, task: Task) -> None:
        from l3net.downstream import mlp_grid  # it loads TensorFlow, which the other classifiers do not need

        settings = task.mlp
        self._grid = [(rate, decay) for rate in settings.learning_rates for decay in settings.weight_decays]
        self._settings, self._mlp_grid = settings, mlp_grid
        rates, decays = map(list, zip(*self._grid, strict=True))
        how = {"penalised_validation": task.penalised_validation, "several_labels": task.several_labels}
        how |= {"batch_size": settings.batch_size, "xla": settings.xla}
        self._program = mlp_grid.MlpGrid([task.n_dimensions, *settings.hidden, task.n_classes], rates, decays, **how)
        self._several, self._weights, self._chosen = task.several_labels, [], 0

    def n_rows(self, n_train: int, n_valid: int) -> tuple[int, int]:
        """Return whole batches for training and whole blocks for validation."""
        return self._mlp_grid.padded_rows(n_train, n_valid, self._settings.batch_size)

    def fit(self, train: LabelledWindows, valid: LabelledWindows, seed: int) -> list[dict[str, Any]]:
        """Train the grid; choose by validation accuracy, then by validation loss; with several labels by loss."""
        epochs = {"max_epochs": self._settings.max_epochs, "patience_epochs": self._settings.patience_epochs}
        trained = self._program.fit(train, valid, **epochs, seed=seed)
        self._weights = trained.weights
        by = -trained.accuracy if not self._several else trained.loss
        self._chosen = int(np.lexsort((trained.loss, by))[0])
        return [
            {
                "learning_rate": rate,
                "weight_decay": decay,
                "best_epoch": int(trained.best_epoch[k]),
                "epochs": int(trained.epochs[k]),
                "valid_loss": float(trained.loss[k]),
                "valid_accuracy": float(trained.accuracy[k]),
                "chosen": k == self._chosen,
            }
            for k, (rate, decay) in enumerate(self._grid)
        ]

    def likelihoods(self, x: np.ndarray) -> np.ndarray:
        """Return the chosen setting's likelihoods [shape=(n_windows, n_classes)]."""
        return self._mlp_grid.mlp_likelihoods(self._weights, self._chosen, x, several_labels=self._several)


class ScikitLearnClassifier:
    """A model of scikit-learn over a short list of settings.

    Parameters
    ----------
    make : returns an unfitted model from a random state and a setting's keywords.
    grid : the settings.
    predict : returns a fitted model's likelihoods of windows [shape=(n_windows, n_classes_in_training)].
    """

    def __init__(
        self, make: Callable[..., Any], grid: list[dict[str, float]], predict: _Likelihoods, task: Task
    ) -> None:
        self._make, self._grid, self._predict, self._n_classes = make, grid, predict, task.n_classes
        self._model = None

    def n_rows(self, n_train: int, n_valid: int) -> tuple[int, int]:
        """Return a row for each window."""
        return n_train, n_valid

    def fit(self, train: LabelledWindows, valid: LabelledWindows, seed: int) -> list[dict[str, Any]]:
        """Fit the settings, but those of more neighbours than windows; choose the first of the best on validation.

        Training windows that are all of one class raise a DatasetError.
        """
        if len(np.unique(train.y[: train.n])) < 2:
            raise DatasetError(f"the {train.n} training windows of a fold are all of one class; expected two or more")
        rows, best = [], 0
        for k, setting in enumerate(one for one in self._grid if one.get("n_neighbors", 1) <= train.n):
            model = self._make(seed % (1 << 32), **setting).fit(train.x[: train.n], train.y[: train.n])
            accuracy = float(np.mean(model.predict(valid.x[: valid.n]) == valid.y[: valid.n]))
            text = " ".join(f"{key}={value:g}" for key, value in setting.items())
            rows.append({"setting": text, "valid_accuracy": accuracy, "chosen": False})
            if k == 0 or accuracy > rows[best]["valid_accuracy"]:
                self._model, best = model, k
        rows[best]["chosen"] = True
        return rows

    def likelihoods(self, x: np.ndarray) -> np.ndarray:
        """Return likelihoods [shape=(n_windows, n_classes)]; 0 for a class that training did not have."""
        whole = np.zeros((len(x), self._n_classes))
        whole[:, self._model.classes_] = self._predict(self._model, x)
        return whole


def clip_likelihoods(likelihoods: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Average the likelihoods of each clip's windows [shape=(n_clips, n_classes)].

    The class with the largest mean is that with the largest sum, by which the paper classifies a clip.

    Parameters
    ----------
    likelihoods : np.ndarray [shape=(n_windows, n_classes)]
    offsets : np.ndarray [shape=(n_clips + 1,)] ; clip i has the rows ``offsets[i]`` to ``offsets[i + 1]``.
    """
    sums = np.add.reduceat(likelihoods, offsets[:-1], axis=0)
    return sums / np.diff(offsets)[:, None]


# Modules of scikit-learn are imported where they are used, since each is slow to import.
def _logistic_regression(random_state: int, **setting: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(**setting, max_iter=1000, random_state=random_state)


def _nearest_neighbours(random_state: int, **setting: float) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(**setting)


def _support_vectors(random_state: int, **setting: float) -> Any:
    from sklearn.svm import SVC

    return SVC(**setting, kernel="rbf", random_state=random_state)


def _random_forest(random_state: int, **setting: float) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(**setting, random_state=random_state)


def _probabilities(model: Any, x: np.ndarray) -> np.ndarray:
    return model.predict_proba(x)


def _softmax_of_decisions(model: Any, x: np.ndarray) -> np.ndarray:
    scores = model.decision_function(x)
    scores = np.column_stack([-scores, scores]) if scores.ndim == 1 else scores
    found = np.exp(scores - scores.max(axis=1, keepdims=True))
    return found / found.sum(axis=1, keepdims=True)


CLASSIFIERS: dict[str, Callable[[Task], Classifier]] = {
    "mlp": MlpClassifier,
    "linear": partial(
        ScikitLearnClassifier, _logistic_regression, [{"C": c} for c in (0.001, 0.01, 0.1, 1.0)], _probabilities
    ),
    "knn": partial(
        ScikitLearnClassifier, _nearest_neighbours, [{"n_neighbors": k} for k in (1, 5, 15)], _probabilities
    ),
    "svm": partial(ScikitLearnClassifier, _support_vectors, [{"C": 1.0}], _softmax_of_decisions),
    "forest": partial(ScikitLearnClassifier, _random_forest, [{"n_estimators": 100}], _probabilities),
}
