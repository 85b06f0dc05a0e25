"""Clips: where their files stand."""

from pathlib import Path

from l3net.audioset.clip import clip_path
from l3net.files.kept import stable_hash


def test_clip_path():
    path = clip_path("store", "--PJHxphWEs", 30.0, 40.25)
    folder = f"{stable_hash('--PJHxphWEs') % 256:02x}"
    assert path == Path("store") / folder / "--PJHxphWEs_0030000_0040250.mkv"
