"""Checks of a data set's files against its metadata, and what is said of leaks."""

import os
from pathlib import Path

import pandas as pd
import pytest

from l3net.downstream.archive_layouts import SOUND_SUFFIXES
from l3net.downstream.datasets import check_dataset
from l3net.errors import DatasetError
from tests.tiny_datasets import write_sound


def rows(folder: Path, *names: str) -> pd.DataFrame:
    paths = [str(write_sound(folder / name, n)) for n, name in enumerate(names)]
    table = {"path": paths, "filename": names, "label": list("ab") * (len(names) // 2)}
    return pd.DataFrame(table | {"fold": [str(n // 2) for n in range(len(names))], "group": names})


def check(table: pd.DataFrame) -> pd.DataFrame:
    return check_dataset(table, SOUND_SUFFIXES)


def test_missing_and_unreadable_files_are_named(tmp_path: Path) -> None:
    table = rows(tmp_path, "a.wav", "b.wav", "c.wav", "d.wav")
    (tmp_path / "c.wav").write_bytes(b"RIFF, but no sound")
    with pytest.raises(
        DatasetError, match=r"c\.wav: 1 of 4 files cannot be read to their end; .*c\.wav: cannot be read as sound"
    ):
        check(table)
    (tmp_path / "b.wav").unlink()
    with pytest.raises(DatasetError, match=r"b\.wav: 1 of 4 files named by the metadata are missing"):
        check(table)


def test_an_interrupted_copy_is_never_taken(tmp_path: Path) -> None:
    table = rows(tmp_path, "a.wav", "b.ogg", "c.flac", "d.wav")
    for name in table["filename"]:
        whole = (tmp_path / name).read_bytes()
        for part in (whole[: len(whole) // 2], whole[: len(whole) - 200]):
            (tmp_path / name).write_bytes(part)
            said = rf"{name}: 1 of 4 files cannot be read to their end; .*(cut|damaged|cannot be read as)"
            with pytest.raises(DatasetError, match=said):
                check_dataset(table, SOUND_SUFFIXES, files_read=tmp_path / "kept" / "files.csv")
        (tmp_path / name).write_bytes(whole)


def test_a_file_is_read_once_and_again_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from l3net.downstream import datasets

    table, kept, read = rows(tmp_path, "a.wav", "b.wav", "c.wav", "d.wav"), tmp_path / "kept" / "files.csv", []
    monkeypatch.setattr(datasets, "check_audio", lambda path: read.append(path.name) or 1.0)
    first = check_dataset(table, SOUND_SUFFIXES, files_read=kept)
    assert read == ["a.wav", "b.wav", "c.wav", "d.wav"]
    pd.testing.assert_frame_equal(check_dataset(table, SOUND_SUFFIXES, files_read=kept), first)
    assert len(read) == 4
    os.utime(tmp_path / "b.wav", ns=(1, 1))
    (tmp_path / "c.wav").write_bytes((tmp_path / "c.wav").read_bytes() + b"\0")
    check_dataset(table, SOUND_SUFFIXES, files_read=kept)
    assert read[4:] == ["b.wav", "c.wav"]
    kept.write_text("path,other\n1,2\n")
    check_dataset(table, SOUND_SUFFIXES, files_read=kept)
    assert len(read) == 10


@pytest.mark.parametrize("how", ["empty", "cut", "no digest", "not UTF-8"])
def test_a_damaged_note_of_what_was_read_is_passed_over_and_said(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from l3net.downstream import datasets

    table, kept, read = rows(tmp_path, "a.wav", "b.wav", "c.wav", "d.wav"), tmp_path / "kept" / "files.csv", []
    first = check_dataset(table, SOUND_SUFFIXES, files_read=kept)
    whole = kept.read_text()
    digest = whole.splitlines()[2].rpartition(",")[2]
    damaged = {"empty": "", "cut": whole[:-40], "no digest": whole.replace(digest, ""), "not UTF-8": "\udcff" + whole}
    kept.write_bytes(damaged[how].encode(errors="surrogateescape"))
    monkeypatch.setattr(datasets, "check_audio", lambda path: read.append(path.name) or 1.0)
    pd.testing.assert_frame_equal(check_dataset(table, SOUND_SUFFIXES, files_read=kept), first)
    assert len(read) == 4
    assert f"{kept} is damaged and is passed over" in caplog.text


@pytest.mark.parametrize("column", ["label", "fold", "group"])
def test_a_line_break_in_a_text_is_refused(tmp_path: Path, column: str) -> None:
    """No CSV would give a lone carriage return back as it was."""
    table = rows(tmp_path, "a.wav", "b.wav", "c.wav", "d.wav")
    table.loc[1, column] = "\rx"
    with pytest.raises(DatasetError, match=rf"'b.wav': a line break in {column}; expected text of one line"):
        check(table)


def test_extra_files_are_named_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    table = rows(tmp_path, "a.wav", "b.wav", "c.wav", "d.wav")
    write_sound(tmp_path / "more.wav", 9)
    (tmp_path / "notes.txt").write_text("not a sound")
    assert len(check(table)) == 4
    assert "more.wav: left out 1 file that the data set does not list" in caplog.text
    assert "notes.txt" not in caplog.text


def test_what_metadata_that_should_list_all_does_not_list_is_refused(tmp_path: Path) -> None:
    """Where its end was lost, the rest would else be scored."""
    table = rows(tmp_path, "a.wav", "b.wav", "c.wav", "d.wav")
    check_dataset(table, SOUND_SUFFIXES, lists_all=True)
    for name in ("more.wav", "._more.wav"):
        write_sound(tmp_path / name, 9)
    with pytest.raises(DatasetError, match=r"/more\.wav: 1 file that the metadata does not list; it may be cut off"):
        check_dataset(table, SOUND_SUFFIXES, lists_all=True)


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
    assert "2: 1 group in more than one fold: a leak" in caplog.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"filename": ["a.wav"] * 4}, r"a\.wav: named more than once"),
        ({"label": ["a", "", "b", "b"]}, r"b\.wav: no label in the metadata"),
        ({"fold": ["1"] * 4}, "the data set has 1 fold; expected two or more"),
    ],
)
def test_metadata_that_cannot_be_used(tmp_path: Path, change: dict, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        check(rows(tmp_path, "a.wav", "b.wav", "c.wav", "d.wav").assign(**change))
