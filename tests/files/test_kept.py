"""What earlier runs kept is used where it is whole; what did not change is read once; hashes."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from l3net.files import kept_while_unchanged, read_kept, sha256_of, stable_hash


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def test_what_is_whole_is_used_and_what_is_missing_is_no_news(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read_kept(tmp_path / "a.json", read) is None
    (tmp_path / "a.json").write_text('{"a": 1}')
    assert read_kept(tmp_path / "a.json", read) == {"a": 1}
    assert not caplog.messages


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_damaged_is_passed_over_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    for _ in range(3):
        assert read_kept(path, read, instead="the clip is asked for again") is None
    (said,) = caplog.messages
    assert said.startswith(f"{path} is damaged and is passed over (")
    assert said.endswith("); the clip is asked for again")
    assert "\n" not in said
    os.utime(path, ns=(0, 10**18))
    assert read_kept(path, read) is None
    assert len(caplog.messages) == 2  # another file may stand there now


def test_a_folder_in_its_place_is_passed_over_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read_kept(tmp_path, read) is None
    assert "IsADirectoryError" in caplog.text


def test_a_file_is_read_once_for_each_of_its_states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Path, str]] = []

    @kept_while_unchanged(most=4)
    def text_of(path: Path, ending: str = "") -> str:
        asked.append((path, ending))
        return path.read_text() + ending

    path = tmp_path / "a"
    path.write_text("one")
    monkeypatch.chdir(tmp_path)
    assert [text_of(path), text_of(str(path)), text_of(Path("a"))] == ["one"] * 3
    assert asked == [(path, "")]
    assert text_of(path, "!") == "one!"
    state = path.stat()
    path.write_text("other")  # another size at the same time
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert text_of(path) == "other"
    path.write_text("again")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))  # another time with the same size
    assert text_of(path) == "again"
    new = tmp_path / "b"
    new.write_text("fresh")
    os.utime(new, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    new.replace(path)  # another file of the same size and time
    assert text_of(path) == "fresh"
    with pytest.raises(FileNotFoundError):
        text_of(tmp_path / "missing")


def test_stable_hash_is_the_head_of_blake2b() -> None:
    digest = hashlib.blake2b(b"--2hxJ7vTaE", digest_size=8).hexdigest()
    assert stable_hash("--2hxJ7vTaE") == int(digest, 16)


def test_sha256_of_reads_the_whole_file(tmp_path: Path) -> None:
    content = b"x" * (3 << 20)
    (tmp_path / "big").write_bytes(content)
    assert sha256_of(tmp_path / "big") == hashlib.sha256(content).hexdigest()
