"""Classifiers behind one face: fitted on a fold's training windows, chosen on its validation windows.

``mlp`` is the paper's: nine settings as one batched program, the best by validation accuracy. ``linear`` (logistic
regression), ``knn``, ``svm`` (radial kernel) and ``forest`` are scikit-learn's, each with a short list of settings.
A clip is classified by the sum of its windows' likelihoods.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class LabelledWindows:
    """Windows [shape=(n_padded, n_dimensions)], their classes [shape=(n_padded,)], how many count (`n`)."""

    x: np.ndarray
    y: np.ndarray
    n: int


class Classifier(Protocol):
    """What every classifier does."""

    def fit(self, train: LabelledWindows, valid: LabelledWindows, seed: int, tell: Callable[[int], None]) -> list[dict]:
        """Fit every setting; return one row of validation scores a setting, the chosen one marked ``chosen``."""

    def likelihoods(self, x: np.ndarray) -> np.ndarray:
        """Return the chosen setting's likelihoods [shape=(n_windows, n_classes)]."""


class MlpClassifier:
    """The paper's multi-layer perceptron over a grid of learning rates and weight decays."""

    def __init__(
        self,
        sizes: list[int],
        *,
        learning_rates: list[float],
        weight_decays: list[float],
        max_epochs: int,
        patience_epochs: int,
        batch_size: int,
        xla: bool,
    ) -> None:
        from l3net.downstream.mlp_grid import (
            MlpGrid,
            mlp_likelihoods,  # TensorFlow: only where it is needed
        )

        self.grid = [(rate, decay) for rate in learning_rates for decay in weight_decays]
        self.max_epochs, self.patience_epochs = max_epochs, patience_epochs
        self.program = MlpGrid(
            sizes, [rate for rate, _ in self.grid], [decay for _, decay in self.grid], batch_size=batch_size, xla=xla
        )
        self._predict = mlp_likelihoods
        self.weights, self.chosen = [], 0

    def fit(self, train: LabelledWindows, valid: LabelledWindows, seed: int, tell: Callable[[int], None]) -> list[dict]:
        """Train the grid as one program; choose by validation accuracy, then by validation loss."""
        trained = self.program.fit(
            (train.x, train.y, train.n),
            (valid.x, valid.y, valid.n),
            max_epochs=self.max_epochs,
            patience_epochs=self.patience_epochs,
            seed=seed,
            tell=tell,
        )
        self.weights = trained.weights
        self.chosen = int(np.lexsort((trained.loss, -trained.accuracy))[0])
        return [
            {
                "learning_rate": rate,
                "weight_decay": decay,
                "best_epoch": int(trained.best_epoch[k]),
                "epochs": int(trained.epochs[k]),
                "valid_loss": float(trained.loss[k]),
                "valid_accuracy": float(trained.accuracy[k]),
                "chosen": k == self.chosen,
            }
            for k, (rate, decay) in enumerate(self.grid)
        ]

    def likelihoods(self, x: np.ndarray) -> np.ndarray:
        """Return likelihoods [shape=(n_windows, n_classes)] of the chosen setting."""
        return self._predict(self.weights, self.chosen, x)


class ScikitLearnClassifier:
    """A classifier of scikit-learn, over the settings of `SETTINGS`."""

    def __init__(self, name: str, n_classes: int) -> None:
        self.name, self.n_classes, self.model = name, n_classes, None

    def fit(self, train: LabelledWindows, valid: LabelledWindows, seed: int, tell: Callable[[int], None]) -> list[dict]:
        """Fit the settings one after another; choose by validation accuracy, the first of equals."""
        rows, best = [], -1.0
        for number, setting in enumerate(SETTINGS[self.name], start=1):
            model = _make(self.name, setting, seed).fit(train.x[: train.n], train.y[: train.n])
            accuracy = float(np.mean(model.predict(valid.x[: valid.n]) == valid.y[: valid.n]))
            text = " ".join(f"{key}={value:g}" for key, value in setting.items())
            rows.append({"setting": text, "valid_accuracy": accuracy, "chosen": False})
            if accuracy > best:
                self.model, best, chosen = model, accuracy, number - 1
            tell(number)
        rows[chosen]["chosen"] = True
        return rows

    def likelihoods(self, x: np.ndarray) -> np.ndarray:
        """Return likelihoods [shape=(n_windows, n_classes)]; 0 for a class that training did not have."""
        if self.name == "svm":
            scores = self.model.decision_function(x)
            scores = np.column_stack([-scores, scores]) if scores.ndim == 1 else scores
            found = np.exp(scores - scores.max(axis=1, keepdims=True))
            found /= found.sum(axis=1, keepdims=True)
        else:
            found = self.model.predict_proba(x)
        whole = np.zeros((len(x), self.n_classes))
        whole[:, self.model.classes_] = found
        return whole


SETTINGS = {
    "linear": [{"C": c} for c in (0.001, 0.01, 0.1, 1.0)],
    "knn": [{"n_neighbors": k} for k in (1, 5, 15)],
    "svm": [{"C": 1.0}],
    "forest": [{"n_estimators": 100}],
}


def _make(name: str, setting: dict, seed: int):
    """Return an unfitted model; scikit-learn's modules are loaded one by one, they are slow to import."""
    state = seed % (1 << 32)
    if name == "linear":
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(**setting, max_iter=1000, random_state=state)
    if name == "knn":
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(**setting)
    if name == "svm":
        from sklearn.svm import SVC

        return SVC(**setting, kernel="rbf", random_state=state)
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(**setting, random_state=state)


def clip_likelihoods(likelihoods: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return each clip's mean likelihoods [shape=(n_clips, n_classes)]; the largest is that of their sum."""
    sums = np.add.reduceat(likelihoods, offsets[:-1], axis=0)
    return sums / np.diff(offsets)[:, None]
