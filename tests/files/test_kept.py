"""What earlier runs kept: used where it is whole, passed over and said once where it is not."""

import json
import os
from pathlib import Path

import pytest

from l3net.files import read_kept


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
