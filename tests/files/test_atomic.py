"""Files that are written whole or not at all."""

import errno
import math
from pathlib import Path

import pandas as pd
import pytest

from l3net.files import atomic


def test_replacing_leaves_the_old_file_when_writing_fails(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    target.write_text("old")
    with pytest.raises(RuntimeError, match="half way"), atomic.replacing(target) as temporary:
        temporary.write_text("ne")
        raise RuntimeError("half way")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_replacing_keeps_the_suffix_and_renames(tmp_path: Path) -> None:
    with atomic.replacing(tmp_path / "deep" / "a.h5") as temporary:
        assert temporary.suffix == ".h5"
        assert temporary.parent == tmp_path / "deep"
        temporary.write_text("new")
    assert (tmp_path / "deep" / "a.h5").read_text() == "new"


def test_replacing_folder_takes_the_place_of_the_old_folder(tmp_path: Path) -> None:
    target = tmp_path / "clips"
    target.mkdir()
    (target / "old").touch()
    with pytest.raises(RuntimeError, match="half way"), atomic.replacing_folder(target) as temporary:
        (temporary / "half").touch()
        raise RuntimeError("half way")
    assert [path.name for path in target.iterdir()] == ["old"]
    with atomic.replacing_folder(target) as temporary:
        (temporary / "new").touch()
    assert [path.name for path in target.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [target]


def test_write_csv_writes_the_columns_without_the_index(tmp_path: Path) -> None:
    table = pd.DataFrame({"name": ["NA", "a,b"], "share": [1 / 3, math.nan]}, index=[7, 8])
    atomic.write_csv(table, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == b'name,share\nNA,0.3333333333333333\n"a,b",\n'
    atomic.write_csv(table, tmp_path / "a.csv", float_format="%.2f")
    assert (tmp_path / "a.csv").read_bytes() == b'name,share\nNA,0.33\n"a,b",\n'
    assert list(tmp_path.iterdir()) == [tmp_path / "a.csv"]


def test_write_text_writes_utf8(tmp_path: Path) -> None:
    atomic.write_text(tmp_path / "a.txt", "é\n")
    assert (tmp_path / "a.txt").read_bytes() == b"\xc3\xa9\n"


def test_a_copy_that_finds_no_room_names_the_target(tmp_path: Path) -> None:
    """The error of a copy names its source first."""
    with pytest.raises(OSError, match=r"target'$"), atomic.working_folder(tmp_path / "target") as folder:
        raise OSError(errno.ENOSPC, "No space left on device", "source.keras", None, str(folder / "copy.keras"))
