"""Data sets: folds, validation clips without leaks, checks of files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from l3net.downstream.archive_layouts import LAYOUTS, SOUND_SUFFIXES
from l3net.downstream.datasets import check_dataset, folds_to_test, training_clips, validation_clips
from l3net.errors import DatasetError
from tests.stages.downstream_fixtures import write_sound

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
    assert folds_to_test(folds) == [str(n) for n in range(1, 11)]
    for fold in folds_to_test(folds):
        training = np.flatnonzero(training_clips(folds, fold, groups))
        chosen = validation(labels[training], groups[training])
        train, valid, test = training[~chosen], training[chosen], np.flatnonzero(folds == fold)
        left_out = set(range(8732)) - {*train, *valid, *test}
        assert set(groups[list(left_out)]) <= FOLDS_SHARE & set(groups[test])
        for one, other in ((train, valid), (train, test), (valid, test)):
            assert not set(groups[one]) & set(groups[other])
        assert set(labels[valid]) == set(labels)
        assert 0.07 < chosen.mean() < 0.13


def test_a_fold_called_train_is_never_tested() -> None:
    folds = np.array(["train", "train", "test", "test"])
    assert folds_to_test(folds) == ["test"]
    assert training_clips(folds, "test").tolist() == [True, True, False, False]


def rows(folder: Path, *names: str) -> pd.DataFrame:
    paths = [str(write_sound(folder / name, n)) for n, name in enumerate(names)]
    table = {"path": paths, "filename": names, "label": list("ab") * (len(names) // 2)}
    return pd.DataFrame(table | {"fold": [str(n // 2) for n in range(len(names))], "group": names})


def check(table: pd.DataFrame) -> pd.DataFrame:
    return check_dataset(table, SOUND_SUFFIXES)


def test_missing_and_unreadable_files_are_named(tmp_path: Path) -> None:
    table = rows(tmp_path, "a.wav", "b.wav", "c.wav", "d.wav")
    (tmp_path / "c.wav").write_bytes(b"RIFF, but no sound")
    with pytest.raises(DatasetError, match=r"c\.wav: 1 of 4 files hold no sound"):
        check(table)
    (tmp_path / "b.wav").unlink()
    with pytest.raises(DatasetError, match=r"b\.wav: 1 of 4 files named by the metadata are missing"):
        check(table)


def test_extra_files_are_named_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    table = rows(tmp_path, "a.wav", "b.wav", "c.wav", "d.wav")
    write_sound(tmp_path / "more.wav", 9)
    (tmp_path / "notes.txt").write_text("not a sound")
    assert len(check(table)) == 4
    assert "more.wav: 1 files that the data set does not list" in caplog.text
    assert "notes.txt" not in caplog.text


def test_a_duplicate_across_folds_is_reported_and_shares_its_group(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = rows(tmp_path, "a.wav", "b.wav", "c.wav", "d.wav")
    (tmp_path / "d.wav").write_bytes((tmp_path / "a.wav").read_bytes())
    index = check(table).set_index("filename")
    assert (
        "the same content in different folds: a leak, under different labels: a.wav (fold 0) = d.wav (fold 1)"
        in caplog.text
    )
    assert index.loc["a.wav", "group"] == index.loc["d.wav", "group"] != index.loc["b.wav", "group"]


def test_a_group_across_folds_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    check(rows(tmp_path, "a.wav", "b.wav", "c.wav", "d.wav").assign(group=["1", "2", "2", "3"]))
    assert "2: 1 groups are in more than one fold: a leak" in caplog.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"filename": ["a.wav"] * 4}, r"a\.wav: named more than once"),
        ({"label": ["a", "", "b", "b"]}, r"b\.wav: no label in the metadata"),
        ({"fold": ["1"] * 4}, r"the data set has 1 fold\(s\); expected two or more"),
    ],
)
def test_metadata_that_cannot_be_used(tmp_path: Path, change: dict, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        check(rows(tmp_path, "a.wav", "b.wav", "c.wav", "d.wav").assign(**change))


def test_official_metadata_has_the_published_size(shared_data: Path, tmp_path: Path) -> None:
    for layout, name, n_clips, n_folds, n_labels in (
        ("us8k", "UrbanSound8K.csv", 8732, 10, 10),
        ("esc50", "esc50.csv", 2000, 5, 50),
        ("esc10", "esc50.csv", 400, 5, 10),
    ):
        official = LAYOUTS[layout]
        target = tmp_path / layout / official.metadata
        target.parent.mkdir(parents=True)
        target.write_bytes((shared_data / "benchmarks" / name).read_bytes())
        table = official.read(tmp_path / layout, {})
        assert (len(table), table["fold"].nunique(), table["label"].nunique()) == (n_clips, n_folds, n_labels)
