"""Which clips and windows of a data set a fold trains, validates and tests on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from l3net.errors import DatasetError
from l3net.vectors import DatasetVectors, are_label_sets, rarest_labels

if TYPE_CHECKING:
    import pandas as pd

TRAIN_ONLY_FOLD = "train"


@dataclass(frozen=True)
class FoldSplit:
    """What a fold trains, validates and tests on.

    Parameters
    ----------
    train, valid : np.ndarray of bool [shape=(n_windows,)] ; masks of the windows.
    test_clips : np.ndarray int64 [shape=(n_test_clips,)] ; numbers of the tested clips.
    """

    train: np.ndarray
    valid: np.ndarray
    test_clips: np.ndarray


def evaluated_folds(folds: np.ndarray) -> list[str]:
    """List the folds that are tested one after another: all of them but one called ``train`` (DCASE 2013)."""
    return sorted(set(folds) - {TRAIN_ONLY_FOLD}, key=_by_number)


def check_folds(index: "pd.DataFrame", protocol: str) -> None:
    """Refuse a data set of which a fold cannot be evaluated, before anything is embedded.

    Parameters
    ----------
    index : of `check_dataset`; the columns label, fold and group.
    protocol : as of `split_fold`; under ``paper`` clips that share a group with a tested one are not trained on.

    Raises
    ------
    DatasetError
        A fold tests a class that it cannot train on, by name, with its group where it has one only; trains on one
        class only, or on one set of labels; or leaves no clip to validate on.
    """
    labels, folds, groups = (index[name].to_numpy(str) for name in ("label", "fold", "group"))
    has_sets = are_label_sets(index["label"])
    strata = rarest_labels(labels) if has_sets else labels
    for fold in evaluated_folds(folds):
        tested = folds == fold
        training = training_clips(folds, fold, groups if protocol == "paper" else None)
        trained = sorted(set(labels[training]))
        # Of clips with several labels a rare one may be in one fold only: the others of its clips are still learnt.
        missing = [] if has_sets else sorted(set(labels[tested]) - set(trained))
        if missing:
            raise DatasetError(_untrained(str(missing[0]), fold, labels, folds, groups))
        if len(trained) < 2:
            what = f"of {str(trained[0])!r} only" if trained else "of no class"
            raise DatasetError(f"fold {fold} trains on clips {what}; expected two classes or more outside it")
        pairs = zip(strata[training], groups[training], strict=True)
        if protocol == "paper" and len(set(pairs)) == len(set(strata[training])):
            raise DatasetError(
                f"fold {fold} leaves no clip to validate on, since every class has a single group outside it; add "
                "recordings, so that a class has two groups there"
            )


def _untrained(name: str, fold: str, labels: np.ndarray, folds: np.ndarray, groups: np.ndarray) -> str:
    """Say why no clip of a class is left to train on when a fold is tested."""
    of_class = labels == name
    own = sorted(map(str, set(groups[of_class])))
    if len(own) == 1:
        why = f"all {of_class.sum()} clips of class {name!r} are of one group, {own[0]!r}"
        todo = "add recordings of another group to the class, or leave the class out"
    else:
        why = f"class {name!r} has clips of {len(own)} groups"
        todo = "put some of its groups into other folds, or leave the class out"
    others = TRAIN_ONLY_FOLD if TRAIN_ONLY_FOLD in folds else "the others"
    return f"{why}, and none is left to train on when fold {fold} is tested and {others} are trained on; {todo}"


def split_fold(
    clips: DatasetVectors, test_fold: str, *, protocol: str, validation_share: float, seed: int
) -> FoldSplit:
    """Split the windows of a data set for one fold.

    Protocol ``paper`` validates on whole groups of clips, and trains on no clip that shares a group with a tested one.
    Protocol ``published_code`` validates on windows drawn from the training clips, and trains on all those clips.

    Raises
    ------
    DatasetError
        No clip is left to validate on.
    """
    rng = np.random.Generator(np.random.Philox(seed))
    window_clip = clips.window_clip
    if protocol == "published_code":
        training = training_clips(clips.fold, test_fold)
        candidates = np.flatnonzero(training[window_clip])
        valid = np.zeros(window_clip.size, bool)
        valid[rng.choice(candidates, round(validation_share * candidates.size), replace=False)] = True
    else:
        training = training_clips(clips.fold, test_fold, clips.group)
        rows = np.flatnonzero(training)
        strata = rarest_labels(clips.label) if clips.has_label_sets else clips.label
        validating = np.zeros(training.size, bool)
        validating[rows] = validation_clips(strata[rows], clips.group[rows], validation_share, rng)
        valid = validating[window_clip]
    if not valid.any():
        raise DatasetError(
            f"{clips.path}: fold {test_fold} leaves no clip to validate on, since every label has a single group; "
            "give the data set more recordings"
        )
    return FoldSplit(training[window_clip] & ~valid, valid, np.flatnonzero(clips.fold == test_fold))


def training_clips(folds: np.ndarray, test_fold: str, groups: np.ndarray | None = None) -> np.ndarray:
    """Return a mask of the clips to train on: the fold called ``train`` where there is one, else all but the tested.

    With `groups`, clips that share a group with a tested clip are left out: UrbanSound8K's own folds have slices of
    five recordings on both sides.
    """
    folds = np.asarray(folds)
    training = folds == TRAIN_ONLY_FOLD if TRAIN_ONLY_FOLD in folds else folds != test_fold
    if groups is not None:
        training &= ~np.isin(groups, np.asarray(groups)[folds == test_fold])
    return training


def validation_clips(labels: np.ndarray, groups: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return a mask of about `share` of the clips, of every label, in whole groups.

    A label with two or more groups keeps at least one of them on each side.
    """
    labels, groups = np.asarray(labels), np.asarray(groups)
    chosen = np.zeros(labels.size, bool)
    for label in sorted(set(labels)):
        of_label = labels == label
        # A group may hold several labels: what an earlier label has chosen or left stays as it is.
        names = [str(name) for name in np.unique(groups[of_label])]
        target, taken = share * of_label.sum(), (of_label & chosen).sum()
        free = [name for name in names if not chosen[groups == name].any()]
        left = len(free)
        for name in rng.permutation(free):
            size = (of_label & (groups == name)).sum()
            if left > 1 and abs(taken + size - target) < abs(taken - target):
                chosen |= groups == name
                taken, left = taken + size, left - 1
        if taken == 0 and left > 1:
            smallest = min(free, key=lambda name: (of_label & (groups == name)).sum())
            chosen |= groups == smallest
    return chosen


def _by_number(fold: str) -> tuple[int, str]:
    return (int(fold), "") if fold.isdigit() else (1 << 30, fold)
