"""No disk that takes no more ends a stage with more than one line: every writer of large files, on each such disk."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from l3net.files.hdf5 import OutputFile, append_rows, growing_dataset
from tests.faults import full_disks
from tests.faults.conftest import FULL, Driven
from tests.faults.writers import NAMES, WITH_TENSORFLOW

ROOT = Path(__file__).parents[2]


def outcomes(folder: Path, *options: object, names: tuple[str, ...], **settings: Any) -> list[dict]:
    """Run the writers in a process of their own, which must end by itself and well; return what each came to."""
    command = [sys.executable, "-m", "tests.faults.writers", str(folder), *names, *map(str, options)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **settings)
    assert ended.returncode == 0, ended.stderr  # 139 is what HDF5 made of a full disk at the end
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [one["name"] for one in found] == list(names)
    return found


def check(found: list[dict], folder: Path, said: str, *, prefix: str = "") -> None:
    """Check that each writer ended with one line that names its target, and left nothing."""
    for one in found:
        lines = one["said"].splitlines()
        assert (one["code"], len(lines), one["left"]) == (1, 1, []), one
        # A message of 400 letters loses its middle, and so the beginning of a name that is too long.
        target = f"nnn{one['name']}" if prefix else f": {folder / one['name']}"
        assert f"{target}: {said}" in lines[0] and str(folder) in lines[0]
        assert len(lines[0].partition(": ")[2]) <= 400  # behind the name of the stage


def test_a_full_disk(tmp_path: Path) -> None:
    with full_disks.small_disk(tmp_path / "disk") as disk:
        check(outcomes(disk, names=NAMES), disk, "the disk is full; make room")


def test_a_full_disk_under_what_tensorflow_and_keras_write(tmp_path: Path) -> None:
    with full_disks.small_disk(tmp_path / "disk") as disk:
        check(outcomes(disk, names=WITH_TENSORFLOW), disk, "the disk is full; make room")


def test_a_read_only_disk(tmp_path: Path) -> None:
    with full_disks.small_disk(tmp_path / "disk") as disk:
        full_disks.make_read_only(disk)
        check(outcomes(disk, names=NAMES), disk, "the file system is read-only;")


def test_a_limit_of_file_sizes(tmp_path: Path) -> None:
    folder = tmp_path / "limited"
    check(outcomes(folder, "--file-limit", 1_000_000, names=NAMES), folder, "the file would be larger than the limit")


def test_a_quota(tmp_path: Path) -> None:
    folder = tmp_path / "quota"
    environment = full_disks.quota(folder, 1_000_000, tmp_path / "quota.so")
    check(outcomes(folder, names=NAMES, env=environment), folder, "your quota of the disk is used up;")


def test_too_long_a_name(tmp_path: Path) -> None:
    prefix = "n" * 260
    check(outcomes(tmp_path, "--prefix", prefix, names=NAMES), tmp_path, "the name is too long", prefix=prefix)


def test_with_room_every_writer_writes(tmp_path: Path) -> None:
    found = outcomes(tmp_path, names=NAMES)
    assert [(one["code"], one["said"]) for one in found] == [(0, "")] * len(NAMES)
    assert sorted(found[-1]["left"]) == sorted(str(tmp_path / name) for name in NAMES)


def test_every_command_that_writes(drive: Callable[..., Driven]) -> None:
    """`l3net embed`, `videos`, `real-input`, `clips retry`, `export` and `share`: one line, exit code 1, no part."""
    found = drive("tests.faults.commands", *([] if FULL else ["--few"])).found
    tried = {(row["command"], row["condition"]) for row in found}
    assert {name for name, _ in tried} >= {"embed", "videos", "real-input"}
    if full_disks.can_mount():
        assert len(tried) >= (31 if FULL else 21)
    assert [row for row in found if row["wrong"]] == []


def test_an_error_that_comes_when_the_file_is_closed(tmp_path: Path) -> None:
    with full_disks.small_disk(tmp_path / "disk") as disk:
        file = OutputFile(disk / "a.h5")
        rows = growing_dataset(file, "rows", (100,), "f4", 16)
        append_rows(rows, np.ones((50, 100)))  # which HDF5 holds back
        filler = (disk / "filler").open("wb", buffering=0)
        with pytest.raises(OSError, match="No space left"):
            while True:
                filler.write(bytes(4096))
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                file.close()
        filler.close()


def test_the_error_is_told_soon_and_not_when_all_is_computed(tmp_path: Path) -> None:
    with full_disks.small_disk(tmp_path / "disk") as disk, pytest.raises(OSError, match="No space left"):  # noqa: SIM117
        with OutputFile(disk / "a.h5") as file:
            rows = growing_dataset(file, "rows", (1000,), "f4", 16)
            for n in range(100):
                append_rows(rows, np.ones((50, 1000)))
                assert n < 12  # 2 MB are 10 of these


def test_what_is_written_is_what_hdf5_itself_writes(tmp_path: Path) -> None:
    for name, file in (
        ("ours.h5", OutputFile(tmp_path / "ours.h5")),
        ("h5py.h5", h5py.File(tmp_path / "h5py.h5", "w")),
    ):
        values = np.random.default_rng(1).random((500, 300)).astype("f4")
        with file:
            rows = growing_dataset(file, "group/rows", (300,), "f4", 16)
            for first in range(0, 500, 70):
                append_rows(rows, values[first : first + 70])
            assert np.array_equal(rows[100:120], values[100:120]), name
            file.attrs["n"] = 3
            file["group/names"] = np.array(["a", "é"], h5py.string_dtype())
    with h5py.File(tmp_path / "ours.h5") as ours, h5py.File(tmp_path / "h5py.h5") as theirs:
        assert np.array_equal(ours["group/rows"][:], theirs["group/rows"][:])
        assert ours["group/names"][:].tolist() == theirs["group/names"][:].tolist()
        assert dict(ours.attrs) == dict(theirs.attrs)
