"""What is said of disks and locks."""

import errno
from pathlib import Path

import pytest

from l3net.machine import file_system


def test_room_is_told_for_a_folder_that_is_not_there_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = file_system.examine_disk("disk", tmp_path / "a" / "b")
    assert found.state == "good"
    assert "GB free" in found.found
    monkeypatch.setattr(file_system.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 5e8}))
    assert file_system.examine_disk("disk", tmp_path).state == "bad"


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_system.os, "access", lambda path, mode: False)
    assert "cannot be written" in file_system.examine_disk("disk", tmp_path).found


def test_locks_that_work_and_a_file_system_without_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert file_system.examine_locks(tmp_path / "results").state == "good"

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(file_system.fcntl, "lockf", refuse)
    found = file_system.examine_locks(tmp_path)
    assert found.state == "note"
    assert "no lock service (No locks available)" in found.found
    assert found.advice.startswith("one run at a time here")
    assert list(tmp_path.iterdir()) == []


def test_the_kind_of_a_file_system_is_that_of_the_nearest_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nserver:/x {tmp_path.resolve()} nfs4 rw 0 0\n")
    (tmp_path / "results").mkdir()
    assert file_system._kind_of(tmp_path / "results", mounts) == "nfs4"
    assert file_system._kind_of(Path("/"), mounts) == "ext4"
    assert file_system._kind_of(Path("/"), tmp_path / "none") == ""


def test_shared_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "train.feed_workers: 0" in file_system.examine_shared_memory(tmp_path / "none").advice
    monkeypatch.setattr(file_system.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 64e6}))
    assert "--shm-size" in file_system.examine_shared_memory(tmp_path).advice
