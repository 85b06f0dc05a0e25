"""Walking over a user's folder: links followed once, circles ended, what systems leave left out."""

import os
from pathlib import Path

import pytest

from l3net.files.folders import files_below, is_of_a_system


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def found(folder: Path, failed: dict[str, str] | None = None, without: Path | None = None) -> list[str]:
    failed = {} if failed is None else failed
    return [str(path.relative_to(folder)) for path in files_below(folder, failed, without=without)]


def test_files_of_users_are_found_and_those_of_systems_left_out(tmp_path: Path) -> None:
    put(tmp_path, "a.wav", "b/c.WAV", "b/d/e.ogg", "b/._c.WAV", ".DS_Store", "Thumbs.db", "b/desktop.ini")
    put(tmp_path, "__MACOSX/a.wav", "@eaDir/a.wav", ".hidden/a.wav", "$RECYCLE.BIN/a.wav")
    assert found(tmp_path) == ["a.wav", "b/c.WAV", "b/d/e.ogg"]
    assert is_of_a_system("._a.wav")
    assert not is_of_a_system("desktop.ini.wav")


def test_links_are_followed_once_and_circles_end(tmp_path: Path) -> None:
    top, elsewhere = tmp_path / "top", tmp_path / "elsewhere"
    put(top, "z/real.wav")
    put(elsewhere, "far.wav")
    (top / "a").symlink_to(top / "z")  # comes first by name; the folder itself is preferred
    (top / "far").symlink_to(elsewhere)
    (elsewhere / "up").symlink_to(top)
    (top / "z" / "round").symlink_to(top / "z")
    (top / "self").symlink_to(top / "self")
    (top / "gone").symlink_to(tmp_path / "nothing")
    (top / "one.wav").symlink_to(elsewhere / "far.wav")
    assert sorted(found(top)) == ["far/far.wav", "gone", "one.wav", "self", "z/real.wav"]
    assert sorted(found(top, without=elsewhere)) == ["gone", "one.wav", "self", "z/real.wav"]


def test_folders_that_cannot_be_read_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a/a.wav", "b/b.wav")
    listed = Path.iterdir

    def refuse(path: Path):
        if path.name == "a":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    failed: dict[str, str] = {}
    assert found(tmp_path, failed=failed) == ["b/b.wav"]
    assert failed == {"a": "the folder cannot be read: Permission denied"}
    with pytest.raises(PermissionError):
        found(tmp_path / "a")


def test_a_pipe_is_passed_over(tmp_path: Path) -> None:
    """Who opened it would wait for somebody who writes."""
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "a.wav").touch()
    (tmp_path / "link.wav").symlink_to(tmp_path / "pipe.wav")
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nothing")
    assert files_below(tmp_path, {}) == [tmp_path / "a.wav", tmp_path / "gone.wav"]
