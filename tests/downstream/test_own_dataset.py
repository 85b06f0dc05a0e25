"""A data set of one's own: classes from sub-folders; folds that are stratified, by group, from the seed, and kept."""

import logging
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from l3net.downstream.archive_layouts import SOUND_SUFFIXES, read_folder
from l3net.downstream.datasets import read_dataset_index
from l3net.downstream.own_dataset import class_folders, draw_folds
from l3net.errors import DatasetError
from l3net.vectors import join_labels
from tests import media_sources
from tests.stages.loading import stage_function


def put(path: Path, n: int) -> Path:
    """Write a tenth of a second of a sound that no other number has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.5 * np.random.default_rng(n).standard_normal(800).clip(-1, 1), 8000, subtype="PCM_16")
    return path


def recordings(folder: Path, counts: dict[str, int]) -> Path:
    n = 0
    for label, count in counts.items():
        for k in range(count):
            put(folder / label / f"{k:02d}{('.wav', '.flac', '.WAV')[k % 3]}", n := n + 1)
    return folder


def fetched(folder: Path, index: Path, **settings: object) -> pd.DataFrame:
    stage_function("fetch_dataset")("mine", {"layout": "folder", "source": str(folder), "seed": 3, **settings}, index)
    return read_dataset_index(index)


def clips(labels: list[str], groups: list[str] | None = None) -> pd.DataFrame:
    names = [f"{n:03d}.wav" for n in range(len(labels))]
    return pd.DataFrame({"filename": names, "label": labels, "group": groups or names})


def test_a_sub_folder_for_each_class_is_a_data_set(tmp_path: Path) -> None:
    folder = recordings(tmp_path / "in", {"dog bark": 7, "Vögel 犬": 10, "NA": 5})
    index = fetched(folder, tmp_path / "mine.csv")
    assert index.groupby("label").size().to_dict() == {"NA": 5, "Vögel 犬": 10, "dog bark": 7}
    assert set(index["filename"]) == {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert all(Path(path).is_file() for path in index["path"])
    counts = index.groupby(["label", "fold"]).size().unstack(fill_value=0)
    assert list(counts) == ["1", "2", "3", "4", "5"]
    assert (counts.max(axis=1) - counts.min(axis=1)).max() <= 1


def test_every_label_of_sets_has_its_share_of_the_folds(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Though hardly a set comes twice."""
    names, rng = [f"class{n}" for n in range(8)], np.random.default_rng(0)
    sets = [[name for name in names if rng.random() < 0.3] for _ in range(100)]
    table = clips([join_labels(labels) for labels in sets])
    folds = np.array(draw_folds(table, n_folds=5, seed=1, kept=tmp_path / "kept.csv"))
    assert not caplog.records
    for name in names:
        has = np.array([name in labels for labels in sets])
        counts = [int((has & (folds == fold)).sum()) for fold in "12345"]
        assert max(counts) - min(counts) <= 3
    assert max(np.unique(folds, return_counts=True)[1]) <= 24
    draw_folds(clips([";rare;"] + [";a;b;", ";a;", ";"] * 5), n_folds=5, seed=1, kept=tmp_path / "other.csv")
    assert "rare (1): fewer recordings than the 5 folds" in caplog.text


def test_folds_do_not_move_when_the_stage_runs_again_or_clips_are_added(tmp_path: Path) -> None:
    folder = recordings(tmp_path / "in", {"a": 9, "b": 6})
    before = fetched(folder, tmp_path / "mine.csv").set_index("filename")["fold"]
    assert fetched(folder, tmp_path / "mine.csv").set_index("filename")["fold"].equals(before)
    assert fetched(folder, tmp_path / "elsewhere.csv").set_index("filename")["fold"].equals(before)
    for n in range(8):
        put(folder / "b" / f"!{n}.wav", 100 + n)
    after = fetched(folder, tmp_path / "mine.csv").set_index("filename")["fold"]
    assert after[before.index].equals(before)
    assert len(after) == len(before) + 8
    (tmp_path / "mine.folds.csv").write_text("damaged")
    assert set(fetched(folder, tmp_path / "mine.csv")["fold"]) == set("12345")


def test_another_seed_or_number_draws_other_folds(tmp_path: Path) -> None:
    folder = recordings(tmp_path / "in", {"a": 12, "b": 12})
    index = tmp_path / "mine.csv"
    first = fetched(folder, index)["fold"].tolist()
    assert fetched(folder, index, seed=4).sort_values("filename")["fold"].tolist() != sorted(first)
    assert set(fetched(folder, index, folds=3)["fold"]) == set("123")


def test_what_is_no_sound_is_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = recordings(tmp_path / "in", {"a": 2, "b": 2})
    put(folder / "loose.wav", 50)
    (folder / "a" / "notes.txt").write_text("no sound")
    (folder / "a" / ".DS_Store").write_text("")
    put(folder / "a" / "deep" / "00.wav", 51)
    put(tmp_path / "x.wav", 52).rename(folder / "b" / "no suffix")
    media_sources.run("-i", put(tmp_path / "y.wav", 53), "-c:a", "libopus", to=folder / "b" / "y.opus")
    (folder / "b" / "circle").symlink_to(folder)
    with caplog.at_level(logging.WARNING, logger="l3net"):
        _, names, labels, folds, groups = class_folders(folder, SOUND_SUFFIXES)
    assert set(names) == {"a/00.wav", "a/01.flac", "a/deep/00.wav", "b/00.wav", "b/01.flac", "b/no suffix", "b/y.opus"}
    assert labels == [name[0] for name in names]
    assert set(folds) == {""}
    assert groups == names
    (said,) = caplog.messages
    assert said.endswith("left out 2 files: a/notes.txt (no sound), loose.wav (in no sub-folder)")


def test_folds_hold_whole_groups_and_share_every_label(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    groups = [f"g{n}" for n in rng.integers(0, 60, 400)]
    label_of = {group: "abc"[n % 3] for n, group in enumerate(sorted(set(groups)))}
    table = clips([label_of[group] for group in groups], groups)
    folds = draw_folds(table, n_folds=5, seed=1, kept=tmp_path / "f.csv")
    assert table.assign(fold=folds).groupby("group")["fold"].nunique().max() == 1
    counts = table.assign(fold=folds).groupby(["label", "fold"]).size().unstack(fill_value=0)
    assert (counts.max(axis=1) <= 1.35 * counts.min(axis=1)).all()


def test_files_of_equal_content_get_one_fold(tmp_path: Path) -> None:
    folder = recordings(tmp_path / "in", {"a": 10, "b": 10})
    for n in range(6):
        (folder / "a" / f"copy {n}.wav").write_bytes((folder / "a" / "00.wav").read_bytes())
    index = fetched(folder, tmp_path / "mine.csv")
    same = index[index["filename"].str.contains("copy|a/00.wav")]
    assert same["fold"].nunique() == 1


def test_a_rare_class_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="l3net"):
        draw_folds(clips(["a"] * 9 + ["b"] * 2), n_folds=5, seed=1, kept=tmp_path / "f.csv")
    assert caplog.messages == ["b (2): fewer recordings than the 5 folds; some folds do not test them"]


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"a": 9}, "data set mine: the data set has 1 label; expected two or more: a sub-folder for each class, or"),
        ({"a": 2, "b": 2}, r"data set mine: 4 clips of 4 recordings are too few for 5 folds; .* folds to 4 or fewer"),
        ({}, r"no sub-folder holds a sound; expected a sub-folder for each class, or metadata.csv with the columns"),
    ],
)
def test_what_cannot_be_a_data_set_is_one_line(tmp_path: Path, counts: dict[str, int], message: str) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(DatasetError, match=message) as caught:
        fetched(recordings(tmp_path / "in", counts), tmp_path / "mine.csv")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "mine.csv").exists()
    assert not (tmp_path / "mine.folds.csv").exists()


def test_one_fold_and_a_missing_folder_are_told_what_to_do(tmp_path: Path) -> None:
    folder = recordings(tmp_path / "in", {"a": 2, "b": 2})
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    rows = [f"{name},{name[0]},1\n" for name in names]
    (folder / "metadata.csv").write_text("filename,label,fold\n" + "".join(rows))
    with pytest.raises(DatasetError, match="has 1 fold; expected two or more, or none at all: folds are drawn where"):
        fetched(folder, tmp_path / "mine.csv")
    with pytest.raises(DatasetError, match=r"set datasets\.mine\.source to the folder of your own recordings$"):
        fetched(tmp_path / "absent", tmp_path / "mine.csv")


def test_a_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    recordings(tmp_path / "in", {"a": 2, "b": 2})
    put(tmp_path / "x.wav", 9).rename(tmp_path / "in" / "a" / os.fsdecode(b"latin-\xe9.wav"))
    with pytest.raises(DatasetError, match=r"the name a/latin-\\xe9\.wav is no text of one line; rename it"):
        fetched(tmp_path / "in", tmp_path / "mine.csv")


def test_columns_fold_and_group_of_a_csv_are_optional(tmp_path: Path) -> None:
    folder = recordings(tmp_path / "in", {"a": 5, "b": 5})
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    table = pd.DataFrame({"filename": names, "label": [name[0] for name in names]})
    table.to_csv(folder / "metadata.csv", index=False)
    rows = read_folder(folder, {})
    assert rows["group"].tolist() == names
    assert set(rows["fold"]) == {""}
    index = fetched(folder, tmp_path / "mine.csv")
    assert set(index["fold"]) == set("12345")
    grouped = table.assign(group=["x", "x", *[""] * 8])
    grouped.to_csv(folder / "metadata.csv", index=False)
    assert read_folder(folder, {})["group"].tolist() == ["x", "x", *names[2:]]
    index = fetched(folder, tmp_path / "other.csv").set_index("filename")
    assert index.loc[names[0], "fold"] == index.loc[names[1], "fold"]
    own = ["1", "1", "2", "2", "2"] * 2
    grouped.assign(fold=own).to_csv(folder / "metadata.csv", index=False)
    assert fetched(folder, tmp_path / "third.csv").set_index("filename")["fold"][names].tolist() == own
    grouped.assign(fold=["1"] * 9 + [""]).to_csv(folder / "metadata.csv", index=False)
    with pytest.raises(DatasetError, match=r"no fold in the metadata"):
        fetched(folder, tmp_path / "fourth.csv")
