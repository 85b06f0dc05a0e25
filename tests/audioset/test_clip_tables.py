"""The tables of clips: types, ids, and what is no such table."""

import pytest

from l3net.audioset.clip_selection import part_clips
from l3net.audioset.clip_tables import read_clip_list, read_manifest, read_own_splits
from l3net.errors import ClipError


@pytest.mark.parametrize("times", ["5.0,4.0", "5.0,5.0", ",4.0", "0.0,inf", "-1.0,4.0", "0.0,1e300"])
def test_a_clip_without_two_times_is_named(tmp_path, times):
    path = tmp_path / "clips.csv"
    path.write_text(f"ytid,start_seconds,end_seconds,labels\nabcdefghijk,0.0,1.5,/m/1\nabcdefghijk,{times},/m/1\n")
    for read in (lambda: read_clip_list(path), lambda: part_clips([path], 0, 1, "hash")):
        with pytest.raises(ClipError, match=r"clips\.csv, row 2: a clip from .* expected two times, the later one"):
            read()


def test_splits_of_a_table_that_is_none(tmp_path):
    (tmp_path / "a.csv").write_text("name,split\nx,train\n")
    with pytest.raises(ClipError, match=r"a\.csv: no column ytid, start_seconds, end_seconds, labels; expected"):
        read_own_splits([tmp_path / "a.csv"])


def test_clip_lists_and_manifests_that_are_none(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    for reader in (read_clip_list, read_manifest, lambda path: part_clips([path], 0, 1)):
        with pytest.raises(ClipError, match=r"x\.csv: (no column|cannot be read)"):
            reader(tmp_path / "x.csv")
        with pytest.raises(ClipError, match=r"missing\.csv: cannot be read"):
            reader(tmp_path / "missing.csv")
