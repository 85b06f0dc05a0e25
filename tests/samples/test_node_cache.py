"""Copies of shards on a disk of the node: made once, with the same content; no failure stops a leg."""

import errno
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from l3net.files.kept import sha256_of
from l3net.runtime import locks
from l3net.samples.node_cache import cached_index, shutil


@pytest.fixture
def index(tmp_path: Path) -> Path:
    folder = tmp_path / "shards" / "music"
    folder.mkdir(parents=True)
    for part in range(3):
        (folder / f"part-{part:04d}.h5").write_bytes(bytes([part]) * 1000)
    made = folder / "train.json"
    made.write_text(json.dumps({"shards": [{"path": f"part-{part:04d}.h5"} for part in range(3)]}))
    return made


def test_without_a_folder_nothing_is_copied(index: Path) -> None:
    assert cached_index(index, None) == index


@pytest.mark.parametrize("written", ["$TMPDIR/shards", "%TMPDIR/shards"])
def test_shards_and_index_are_copied_as_they_are(
    written: str, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "node"))
    copied = cached_index(index, written)
    assert copied != index
    assert copied.is_relative_to(tmp_path / "node" / "shards")
    assert sha256_of(copied) == sha256_of(index)
    for part in range(3):
        assert (copied.parent / f"part-{part:04d}.h5").read_bytes() == bytes([part]) * 1000


def test_a_second_leg_copies_nothing(index: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="l3net")
    first = cached_index(index, str(tmp_path / "node"))
    assert cached_index(index, str(tmp_path / "node")) == first
    assert "copied 0 shards" in caplog.messages[-1]


@pytest.mark.parametrize("folder", ["$NO_SUCH_VARIABLE/shards", "/proc/no/such/folder"])
def test_a_folder_that_cannot_be_used_is_said_and_left(
    folder: str, index: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert cached_index(index, folder) == index
    assert "reading the shards where they are" in caplog.text


def test_a_disk_without_room_is_said_and_left(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=3200, total=10_000))
    assert cached_index(index, str(tmp_path / "node")) == index
    assert "reading the shards where they are" in caplog.text


def test_a_copy_of_another_length_is_made_anew(index: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    copied = cached_index(index, str(tmp_path / "node"))
    (copied.parent / "part-0001.h5").write_bytes(b"cut")
    caplog.set_level("INFO", logger="l3net")
    assert cached_index(index, str(tmp_path / "node")) == copied
    assert (copied.parent / "part-0001.h5").read_bytes() == bytes([1]) * 1000
    assert "copied 1 shards" in caplog.messages[-1]


def test_a_disk_without_locks_is_used_and_said_once(
    index: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(locks.fcntl, "flock", no_locks)
    monkeypatch.setattr(locks, "_said", set())
    for _ in range(2):
        copied = cached_index(index, str(tmp_path / "node"))
        assert copied.is_relative_to(tmp_path / "node")
    said = [message for message in caplog.messages if "has no locks" in message]
    assert said == [
        f"{copied.parent}/.lock: this file system has no locks (No locks available): tasks that start together on a "
        "node may each copy the shards"
    ]
