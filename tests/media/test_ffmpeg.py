"""Which ffmpeg is taken: the system's where it encodes H.264, else the one of the environment."""

from pathlib import Path

import imageio_ffmpeg
import pytest

from l3net.errors import ConfigError
from l3net.media.ffmpeg import ffmpeg_binary


@pytest.fixture(autouse=True)
def asked_anew() -> None:
    ffmpeg_binary.cache_clear()
    yield
    ffmpeg_binary.cache_clear()


def put_ffmpeg(folder: Path, monkeypatch: pytest.MonkeyPatch, encoders: str) -> Path:
    """Put an ffmpeg into PATH that lists some encoders, in bytes that are not all UTF-8."""
    path = folder / "ffmpeg"
    path.write_bytes(b'#!/bin/sh\n[ "$2" = -encoders ] && printf "' + encoders.encode() + b' \\351\\n"\n')
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return path


def test_the_systems_is_taken_where_it_has_x264(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put_ffmpeg(tmp_path, monkeypatch, " V....D libx264              H.264")
    assert ffmpeg_binary() == str(path)


def test_the_environments_is_taken_where_it_has_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_ffmpeg(tmp_path, monkeypatch, " V....D libopenh264          H.264")
    assert ffmpeg_binary() == imageio_ffmpeg.get_ffmpeg_exe()


def test_none_at_all_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise RuntimeError("No ffmpeg exe could be found")

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", missing)
    with pytest.raises(ConfigError, match="no ffmpeg: install it, or imageio-ffmpeg"):
        ffmpeg_binary()
