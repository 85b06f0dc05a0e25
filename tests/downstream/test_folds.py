"""Folds: which are tested, validation clips without leaks, both protocols."""

import itertools
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from l3net.downstream.folds import evaluated_folds, split_fold, training_clips, validation_clips
from l3net.vectors import read_dataset_vectors
from tests.tiny_datasets import write_embeddings

# Freesound recordings of which UrbanSound8K has slices in two folds.
FOLDS_SHARE = {"106905", "132016", "176638", "180937", "77751"}


def validation(labels, groups, share=0.1, seed=0):
    return validation_clips(np.array(labels), np.array(groups), share, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(20))
def test_validation_takes_whole_groups_of_every_label(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.repeat(list("abcde"), 40)
    groups = np.concatenate([np.sort(rng.integers(0, 15, 40)) + 100 * k for k in range(5)]).astype(str)
    chosen = validation(labels, groups, seed=seed)
    assert not set(groups[chosen]) & set(groups[~chosen])
    assert set(labels[chosen]) == set(labels[~chosen]) == set("abcde")
    assert 0.05 <= chosen.mean() <= 0.2


def test_validation_of_groups_that_hold_several_labels_leaks_none() -> None:
    labels = np.array(list("aabbccaabbcc"))
    groups = np.array(["1", "2", "1", "3", "2", "4", "5", "6", "5", "7", "6", "8"])
    chosen = validation(labels, groups, share=0.3)
    assert chosen.any()
    assert not set(groups[chosen]) & set(groups[~chosen])


def test_validation_never_takes_a_labels_only_group() -> None:
    chosen = validation(["a"] * 5 + ["b"] * 5, ["1"] * 5 + ["2", "2", "3", "3", "3"])
    assert not chosen[:5].any()
    assert 0 < chosen[5:].sum() < 5


def test_urbansound8k_leaks_nothing_across_any_boundary(shared_data: Path) -> None:
    """The official metadata, whose own folds share five recordings: those are left out of training."""
    table = pd.read_csv(shared_data / "benchmarks" / "UrbanSound8K.csv", dtype=str)
    labels, groups, folds = (table[name].to_numpy() for name in ("class", "fsID", "fold"))
    assert evaluated_folds(folds) == [str(n) for n in range(1, 11)]
    for fold in evaluated_folds(folds):
        training = np.flatnonzero(training_clips(folds, fold, groups))
        chosen = validation(labels[training], groups[training])
        train, valid, test = training[~chosen], training[chosen], np.flatnonzero(folds == fold)
        left_out = set(range(8732)) - {*train, *valid, *test}
        assert set(groups[list(left_out)]) <= FOLDS_SHARE & set(groups[test])
        for one, other in ((train, valid), (train, test), (valid, test)):
            assert not set(groups[one]) & set(groups[other])
        assert set(labels[valid]) == set(labels)
        assert 0.07 < chosen.mean() < 0.13


@pytest.mark.parametrize(
    ("metadata", "recording", "expected"),
    [
        ("UrbanSound8K.csv", "fsID", [31, 15, 0, 8, 0, 0, 15, 4, 79, 0]),
        ("esc50.csv", "src_file", [0, 2, 2, 3, 2]),  # 131943 and 134049 in folds 2 and 3, 209698 and 234879 in 4 and 5
    ],
)
def test_clips_left_out_of_training_for_a_recording_that_is_tested(
    metadata: str, recording: str, expected: list[int], shared_data: Path
) -> None:
    """For each fold, counted from the official metadata (docs/downstream.md has the numbers)."""
    table = pd.read_csv(shared_data / "benchmarks" / metadata, dtype=str, keep_default_na=False)
    folds, groups = table["fold"].to_numpy(), table[recording].to_numpy()
    left_out = [
        int((training_clips(folds, fold) & ~training_clips(folds, fold, groups)).sum())
        for fold in evaluated_folds(folds)
    ]
    assert left_out == expected
    by_hand = []
    for fold in evaluated_folds(folds):
        tested = set(table.loc[table["fold"] == fold, recording])
        by_hand.append(sum(r in tested for r in table.loc[table["fold"] != fold, recording]))
    assert left_out == by_hand


def test_a_fold_called_train_is_never_tested() -> None:
    folds = np.array(["train", "train", "test", "test"])
    assert evaluated_folds(folds) == ["test"]
    assert training_clips(folds, "test").tolist() == [True, True, False, False]


@pytest.fixture(scope="module")
def embeddings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_embeddings(tmp_path_factory.mktemp("embeddings") / "easy.h5")


def test_no_clip_and_no_group_is_on_two_sides(embeddings: Path) -> None:
    clips = read_dataset_vectors(embeddings)
    for fold in ("1", "2", "3"):
        split = split_fold(clips, fold, protocol="paper", validation_share=0.2, seed=1)
        sides = [set(clips.window_clip[split.train]), set(clips.window_clip[split.valid]), set(split.test_clips)]
        assert sum(map(len, sides)) == 48
        for one, other in itertools.combinations(sides, 2):
            assert not one & other
            assert not set(clips.group[list(one)]) & set(clips.group[list(other)])


def test_published_code_validates_on_windows_of_training_clips(embeddings: Path) -> None:
    clips = read_dataset_vectors(embeddings)
    split = split_fold(clips, "1", protocol="published_code", validation_share=0.2, seed=1)
    assert set(clips.window_clip[split.train]) & set(clips.window_clip[split.valid])
    assert split.valid.sum() == round(0.2 * 32 * 3)


def test_a_clip_of_the_tested_fold_is_no_training_clip_under_another_name(tmp_path: Path) -> None:
    """A group that the data set's own folds tear apart is left out of training (paper), not so in published_code."""
    path = write_embeddings(tmp_path / "torn.h5")
    with h5py.File(path, "a") as file:
        groups = file["clips/group"].asstr()[:]
        groups[2:4] = groups[0]  # of another fold
        file["clips/group"][:] = groups
    clips = read_dataset_vectors(path)
    assert clips.fold[2] != clips.fold[0]
    for protocol, expected in (("paper", False), ("published_code", True)):
        split = split_fold(clips, clips.fold[0], protocol=protocol, validation_share=0.2, seed=1)
        assert (2 in clips.window_clip[split.train | split.valid]) is expected


@pytest.mark.parametrize("protocol", ["paper", "published_code"])
def test_where_a_fold_is_called_train_no_other_is_trained_on(tmp_path: Path, protocol: str) -> None:
    path = write_embeddings(tmp_path / "three.h5")
    with h5py.File(path, "a") as file:
        folds = file["clips/fold"].asstr()[:]
        file["clips/fold"][:] = np.where(folds == "2", "train", folds)
    clips = read_dataset_vectors(path)
    split = split_fold(clips, "1", protocol=protocol, validation_share=0.2, seed=1)
    assert set(clips.fold[clips.window_clip[split.train | split.valid]]) == {"train"}
