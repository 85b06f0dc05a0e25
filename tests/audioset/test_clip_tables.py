"""The tables of clips: types, ids, and what is no such table."""

import pytest

from l3net.audioset.clip_selection import part_clips
from l3net.audioset.clip_tables import read_clip_list, read_manifest
from l3net.errors import ClipError


def test_clip_lists_and_manifests_that_are_none(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    for reader in (read_clip_list, read_manifest, lambda path: part_clips([path], 0, 1)):
        with pytest.raises(ClipError, match=r"x\.csv: (no column|cannot be read)"):
            reader(tmp_path / "x.csv")
        with pytest.raises(ClipError, match=r"missing\.csv: cannot be read"):
            reader(tmp_path / "missing.csv")
