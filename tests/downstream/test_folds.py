"""Folds: which are tested, validation clips without leaks, both protocols."""

import itertools
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from l3net.downstream.folds import check_folds, evaluated_folds, split_fold, training_clips, validation_clips
from l3net.errors import DatasetError
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


def an_index(*clips: str) -> pd.DataFrame:
    """Return an index of clips, each given as ``label fold group``."""
    return pd.DataFrame([clip.split() for clip in clips], columns=["label", "fold", "group"])


GOOD = ("dog 1 a", "dog 1 b", "dog 2 c", "dog 2 d", "cat 1 e", "cat 1 f", "cat 2 g", "cat 2 h")


@pytest.mark.parametrize(
    ("clips", "line"),
    [
        (
            ("owl 1 w", "owl 1 w"),
            r"all 2 clips of class 'owl' are of one group, 'w', .* fold 1 is tested .*; add",
        ),
        (("owl 1 w", "owl 2 w"), r"all 2 clips of class 'owl' are of one group, 'w', "),  # in two folds, left out
        (("owl 2 w", "owl 2 v"), r"class 'owl' has clips of 2 groups, .* when fold 2 is tested .*; put some of its"),
    ],
)
def test_a_class_that_a_fold_cannot_train_on_is_named_with_its_group(clips: tuple[str, ...], line: str) -> None:
    check_folds(an_index(*GOOD), "paper")
    with pytest.raises(DatasetError, match=line):
        check_folds(an_index(*GOOD, *clips), "paper")


def test_a_group_in_two_folds_is_trained_on_by_the_published_code() -> None:
    check_folds(an_index(*GOOD, "owl 1 w", "owl 2 w"), "published_code")
    with pytest.raises(DatasetError, match="'owl'"):
        check_folds(an_index(*GOOD, "owl 1 w"), "published_code")


def test_a_class_in_training_alone_is_never_tested_and_passes() -> None:
    train = [clip.replace(" 1 ", " train ") for clip in GOOD]
    check_folds(an_index(*train, "owl train w"), "paper")
    with pytest.raises(DatasetError, match=r"'owl' .* fold 2 is tested and train are trained on"):
        check_folds(an_index(*train, "owl 2 w"), "paper")


def test_a_fold_without_a_clip_to_validate_on_is_told_where_groups_matter() -> None:
    clips = ("dog 1 a", "dog 2 b", "cat 1 c", "cat 2 d")
    with pytest.raises(DatasetError, match="fold 1 leaves no clip to validate on"):
        check_folds(an_index(*clips), "paper")
    check_folds(an_index(*clips), "published_code")


def test_sets_of_labels_may_be_rare_but_not_all_one() -> None:
    clips = (
        ";dog; 1 a",
        ";dog; 2 b",
        ";dog; 1 e",
        ";dog; 2 f",
        ";cat; 1 c",
        ";cat; 2 d",
        ";cat; 2 g",
        ";cat;dog;owl; 1 h",
    )
    check_folds(an_index(*clips), "paper")
    with pytest.raises(DatasetError, match=r"fold 1 trains on clips of ';dog;' only; expected two classes"):
        check_folds(an_index(*[clip.replace(";cat; 2", ";dog; 2") for clip in clips]), "paper")


@pytest.mark.parametrize(
    ("metadata", "names"), [("UrbanSound8K.csv", "class fsID"), ("esc50.csv", "category src_file")]
)
def test_the_published_folds_pass(metadata: str, names: str, shared_data: Path) -> None:
    table = pd.read_csv(shared_data / "benchmarks" / metadata, dtype=str)
    label, group = names.split()
    check_folds(table.rename(columns={label: "label", group: "group"})[["label", "fold", "group"]], "paper")


@pytest.mark.parametrize("seed", range(30))
def test_what_passes_is_split_and_what_is_refused_is_not(seed: int, tmp_path: Path) -> None:
    """Folds and groups drawn at random: the check before embedding agrees with the classification's own splits."""
    rng = np.random.default_rng(seed)
    path = write_embeddings(tmp_path / "drawn.h5")
    with h5py.File(path, "a") as file:
        n = len(file["clips/fold"])
        file["clips/fold"][:] = rng.integers(1, 4, n).astype(str)
        file["clips/group"][:] = rng.integers(0, 3 + seed, n).astype(str)
    clips = read_dataset_vectors(path)
    index = pd.DataFrame({"label": clips.label, "fold": clips.fold, "group": clips.group})
    try:
        check_folds(index, "paper")
        passes = True
    except DatasetError:
        passes = False
    can_all = True
    for fold in evaluated_folds(clips.fold):
        try:
            split = split_fold(clips, fold, protocol="paper", validation_share=0.2, seed=1)
            trained = set(clips.label[list(set(clips.window_clip[split.train | split.valid]))])
            can_all = can_all and len(trained) > 1 and set(clips.label[clips.fold == fold]) <= trained
        except DatasetError:
            can_all = False
    assert passes is can_all
