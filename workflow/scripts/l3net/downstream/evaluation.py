"""Evaluating an embedding on a data set: every fold in turn, kept as it ends, so that a killed job resumes there."""

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from l3net.downstream.classifiers import CLASSIFIERS, Classifier, MlpSettings, Task, clip_likelihoods
from l3net.downstream.folds import FoldSplit, evaluated_folds, split_fold
from l3net.downstream.standardise import LabelledWindows, choose_precision, fill_standardised, fit_standardiser
from l3net.errors import DatasetError
from l3net.files import atomic, read_kept, read_npz, stable_hash
from l3net.runtime import Progress, aligned_zeros, canonical_json
from l3net.vectors import DatasetVectors, label_matrix

_log = logging.getLogger("l3net")


@dataclass(frozen=True)
class EvaluationSettings:
    """How an embedding is evaluated, as in section ``classify`` of the configuration.

    Parameters
    ----------
    dataset : name of the data set; what is drawn depends on it and not on the embedding.
    classifier : a name in `CLASSIFIERS`.
    protocol : ``paper`` or ``published_code``; see `split_fold` and `Task`.
    validation_share : of the training clips.
    repeats : seeds (``classify.seeds``); everything is repeated for each.
    seed : the run's seed.
    memory_megabytes : a fold whose windows need more than half of this is held in float16.
    mlp : settings of the perceptrons.
    """

    dataset: str
    classifier: str
    protocol: str
    validation_share: float
    repeats: list[int]
    seed: int
    memory_megabytes: int
    mlp: MlpSettings


@dataclass(frozen=True)
class FoldOutcome:
    """What came of one fold.

    Parameters
    ----------
    repeat : the seed of the repetition.
    fold : the tested fold.
    clips : np.ndarray int64 [shape=(n_clips,)] ; numbers of the tested clips.
    likelihoods : np.ndarray [shape=(n_clips, n_classes)]
    settings : a row for each setting of the classifier: its validation scores, the chosen one marked.
    """

    repeat: int
    fold: str
    clips: np.ndarray
    likelihoods: np.ndarray
    settings: list[dict[str, Any]]


@dataclass(frozen=True)
class _Buffers:
    """The memory that the windows of all folds share in turn."""

    train: np.ndarray
    valid: np.ndarray


def evaluate_folds(clips: DatasetVectors, settings: EvaluationSettings, state: Path) -> list[FoldOutcome]:
    """Evaluate every fold of every repetition; take those that an earlier run has kept in `state`.

    Raises
    ------
    DatasetError
        A fold that leaves no clip to validate on, that needs more memory than allowed, or whose likelihoods are not
        finite.
    """
    evaluator, outcomes = FoldEvaluator(clips, settings), []
    kept = state / _key(clips, settings)
    folds = list(evaluator.folds())
    with Progress(f"{settings.dataset}, {clips.path.stem}", len(folds), "folds") as bar:
        for repeat, fold in folds:
            path = kept / f"{repeat}-{fold}.npz"
            if (known := read_kept(path, partial(_read_outcome, clips, repeat, fold))) is not None:
                outcomes.append(known)
                _log.info("fold %s, seed %s: kept from an earlier run", fold, repeat)
            else:
                outcomes.append(evaluator.evaluate(repeat, fold))
                _write_outcome(path, outcomes[-1])
                right = evaluator.right(outcomes[-1])
                _log.info("fold %s, seed %s: %d of %d clips right", fold, repeat, right.sum(), right.size)
            bar.advance()
    return outcomes


class FoldEvaluator:
    """Evaluates one fold after another with one classifier and one set of buffers."""

    def __init__(self, clips: DatasetVectors, settings: EvaluationSettings) -> None:
        self.clips, self.settings = clips, settings
        # The number of each clip's class; of sets of labels a row for each clip, 1 where it has the class.
        numbers = None if clips.has_label_sets else np.searchsorted(clips.classes, clips.label).astype(np.int32)
        self.targets = label_matrix(clips.label, clips.classes) if numbers is None else numbers

    def right(self, outcome: FoldOutcome) -> np.ndarray:
        """Return which clips of a fold are classified rightly; of sets of labels, those whose whole set is."""
        wanted = self.targets[outcome.clips]
        if wanted.ndim == 1:
            return outcome.likelihoods.argmax(axis=1) == wanted
        return ((outcome.likelihoods >= 0.5) == (wanted > 0)).all(axis=1)

    def folds(self) -> Iterator[tuple[int, str]]:
        """Yield the repetition and the tested fold of everything that is evaluated."""
        for repeat in self.settings.repeats:
            for fold in evaluated_folds(self.clips.fold):
                yield repeat, fold

    def evaluate(self, repeat: int, fold: str) -> FoldOutcome:
        """Train on a fold, choose by its validation windows, and classify its tested clips."""
        clips, split, buffers = self.clips, self._split(repeat, fold), self._buffers
        standardiser = fit_standardiser(clips, split.train)
        data = []
        for windows, x in ((split.train, buffers.train), (split.valid, buffers.valid)):
            n = fill_standardised(clips, windows, standardiser, x)
            y = np.zeros((len(x), *self.targets.shape[1:]), self.targets.dtype)
            y[:n] = self.targets[clips.window_clip[windows]]
            data.append(LabelledWindows(x, y, n))
        train, valid = data
        if train.n and (train.y[: train.n] == train.y[0]).all():
            numbers = np.flatnonzero(train.y[0]) if train.y.ndim == 2 else [train.y[0]]
            name = ", ".join(str(clips.classes[number]) for number in numbers) or "no label"
            raise DatasetError(
                f"{clips.path}: fold {fold} trains on clips of {name!r} only; expected two classes or more"
            )
        rows = self._classifier.fit(train, valid, self._seed_of(repeat, fold, "training"))
        tested = np.isin(clips.window_clip, split.test_clips)
        likelihoods = [self._classifier.likelihoods(standardiser(block)) for _, block in clips.blocks(tested)]
        lengths = np.diff(clips.offsets)[split.test_clips]
        found = clip_likelihoods(np.concatenate(likelihoods), np.concatenate([[0], np.cumsum(lengths)]))
        if not (finite := np.isfinite(found).all(axis=1)).all():
            # The largest of a row with a NaN is the first class, which would be scored as an answer.
            name = clips.filename[split.test_clips[finite.argmin()]]
            raise DatasetError(
                f"{clips.path}: fold {fold}, seed {repeat}: the likelihoods of {name} are not finite numbers; "
                "the classifier diverged: lower classify.learning_rates"
            )
        counts = {"n_train_windows": train.n, "n_valid_windows": valid.n}
        return FoldOutcome(repeat, fold, split.test_clips, found, [{**row, **counts} for row in rows])

    def _split(self, repeat: int, fold: str) -> FoldSplit:
        return split_fold(
            self.clips,
            fold,
            protocol=self.settings.protocol,
            validation_share=self.settings.validation_share,
            seed=self._seed_of(repeat, fold, "validation"),
        )

    def _seed_of(self, repeat: int, fold: str, purpose: str) -> int:
        """Return a seed that does not depend on the embedding: all are compared on the same validation clips."""
        return stable_hash(f"{self.settings.seed}/{repeat}/{self.settings.dataset}/{fold}/{purpose}")

    @cached_property
    def _classifier(self) -> Classifier:
        clips, settings = self.clips, self.settings
        penalised = settings.protocol == "published_code"
        if clips.has_label_sets and settings.classifier != "mlp":
            named = f"classify.classifier is {settings.classifier}, which cannot tell them"
            raise DatasetError(f"{clips.path}: clips have several labels; {named}; expected mlp")
        how = {"penalised_validation": penalised, "several_labels": clips.has_label_sets}
        task = Task(clips.n_dimensions, len(clips.classes), settings.mlp, **how)
        return CLASSIFIERS[settings.classifier](task)

    @cached_property
    def _buffers(self) -> _Buffers:
        """Make buffers that hold the largest fold."""
        splits = [self._split(repeat, fold) for repeat, fold in self.folds()]
        n_train, n_valid = self._classifier.n_rows(
            max(int(split.train.sum()) for split in splits), max(int(split.valid.sum()) for split in splits)
        )
        n_dimensions = self.clips.n_dimensions
        dtype = choose_precision((n_train + n_valid) * n_dimensions, self.settings.memory_megabytes)
        return _Buffers(aligned_zeros((n_train, n_dimensions), dtype), aligned_zeros((n_valid, n_dimensions), dtype))


def _key(clips: DatasetVectors, settings: EvaluationSettings) -> str:
    """Return a name for the folder of kept folds that changes with the settings and the embeddings file."""
    stat = clips.path.stat()
    facts = {**asdict(settings), "path": clips.path, "size": stat.st_size, "written": stat.st_mtime_ns}
    return f"{stable_hash(canonical_json(facts)):016x}"


def _write_outcome(path: Path, outcome: FoldOutcome) -> None:
    with atomic.replacing(path) as temporary:
        np.savez(temporary, clips=outcome.clips, likelihoods=outcome.likelihoods, settings=json.dumps(outcome.settings))


def _read_outcome(clips: DatasetVectors, repeat: int, fold: str, path: Path) -> FoldOutcome:
    """Read a kept fold; raise a `DatasetError` where it does not hold what this fold comes to."""
    found = read_npz(path, DatasetError, "a kept fold", ("clips", "likelihoods", "settings"))
    kept = FoldOutcome(repeat, fold, found["clips"], found["likelihoods"], json.loads(str(found["settings"])))
    is_of_fold = np.array_equal(np.sort(kept.clips), np.flatnonzero(clips.fold == fold))
    fits = kept.likelihoods.shape == (len(kept.clips), len(clips.classes)) and np.isfinite(kept.likelihoods).all()
    if not (is_of_fold and fits and isinstance(kept.settings, list) and kept.settings):
        raise DatasetError("it holds other clips or classes than the fold")
    return kept
