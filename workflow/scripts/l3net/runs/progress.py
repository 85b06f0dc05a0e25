"""What a run has made so far, counted from the files in ``results/{run}``."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from l3net.runs.plan import RunPlan


@dataclass(frozen=True)
class ModelProgress:
    """How far a model's training is.

    Attributes
    ----------
    epoch : the last epoch that is done; 0 where none is.
    accuracy, best : its validation accuracy and the best so far, as shares; None without an epoch.
    best_epoch : the epoch of the best.
    seconds : seconds of the last epoch.
    """

    epoch: int = 0
    accuracy: float | None = None
    best: float | None = None
    best_epoch: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Progress:
    """What a run has made: parts and what became of their clips, shards, epochs, scores."""

    parts: int
    clips: dict[str, int]
    shards: dict[str, int]
    models: dict[str, ModelProgress]
    scores: dict[str, int]
    accuracies: dict[str, dict[str, float]]


def read_progress(plan: RunPlan, results: Path) -> Progress:
    """Count what stands in the folder of a run's results."""
    manifests = sorted(results.glob("manifests/part-*.csv"))
    return Progress(
        parts=len(manifests),
        clips=dict(_count_clips(manifests).most_common()),
        shards={subset: len(list(results.glob(f"shards/{subset}/part-*.h5"))) for subset in plan.subsets},
        models={model: _read_model(results / "models" / model) for model in plan.models},
        scores={name: len(_score_files(results, name)) for name in plan.datasets},
        accuracies={name: _read_accuracies(results, name) for name in plan.datasets},
    )


def _count_clips(manifests: list[Path]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for path in manifests:
        counts.update(status for (status,) in _columns(path, "status"))
    return counts


def _read_model(folder: Path) -> ModelProgress:
    """Read the table of epochs that a leg keeps; a finished model has its own."""
    tables = [_rows(path) for path in (folder / "state" / "history.csv", folder / "history.csv") if path.exists()]
    if not (rows := max(tables, key=len, default=[])):
        return ModelProgress()
    try:
        accuracies = [float(row["val_accuracy"]) for row in rows]
        best = max(range(len(rows)), key=lambda n: accuracies[n])
        epochs = [int(float(row["epoch"])) for row in rows]
        return ModelProgress(epochs[-1], accuracies[-1], accuracies[best], epochs[best], float(rows[-1]["seconds"]))
    except (KeyError, ValueError, TypeError):
        return ModelProgress()


def _score_files(results: Path, dataset: str) -> list[Path]:
    return sorted(path for path in results.glob(f"scores/{dataset}/*.csv") if not path.stem.endswith(".settings"))


def _read_accuracies(results: Path, dataset: str) -> dict[str, float]:
    """Return the accuracy of each embedding that is scored: the mean over folds and seeds, as the tables show it."""
    found = {}
    for path in _score_files(results, dataset):
        by_fold: dict[tuple[str, str], list[int]] = {}
        for fold, seed, correct in _columns(path, "fold", "seed", "correct"):
            by_fold.setdefault((fold, seed), []).append(correct == "1")
        if by_fold:
            found[path.stem] = sum(sum(right) / len(right) for right in by_fold.values()) / len(by_fold)
    return found


def _columns(path: Path, *names: str) -> Iterator[tuple[str, ...]]:
    """Yield the values of some columns of a table; one that is just being replaced or has others counts as empty."""
    try:
        rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8")))
        header = next(rows, [])
        if set(names) <= set(header):
            places = [header.index(name) for name in names]
            yield from (tuple(row[place] for place in places) for row in rows if len(row) == len(header))
    except (OSError, UnicodeDecodeError, csv.Error):
        return


def _rows(path: Path) -> list[dict[str, str]]:
    """Read a table as text; one that is just being replaced counts as empty."""
    try:
        return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    except (OSError, UnicodeDecodeError, csv.Error):
        return []
