"""Lists that name a split themselves, as VGGSound's does: read, kept through the selection, and dealt by it."""

from pathlib import Path

import pytest

from l3net.audioset.clip_selection import clips_with_labels, part_clips
from l3net.audioset.clip_tables import read_own_splits
from l3net.audioset.ontology import Ontology, own_label
from l3net.audioset.segment_lists import read_segments
from l3net.audioset.splits import deal_videos, split_of
from l3net.errors import ClipError
from tests.audioset.lists import listed, row

ROWS = [
    "---g-f_I2yQ,1,people marching,test",
    '--0PQM4-hqg,30,"waterfall, burbling",train',
    "--56QUhyDQM,185.5,playing tennis,train",
    "--5OkAjCI7g,40,people belly laughing,validation",
]


def test_a_list_like_vggsounds(tmp_path: Path) -> None:
    found = read_segments(listed(tmp_path / "vggsound.csv", *ROWS, head=""))
    assert found["ytid"].to_list() == [text[:11] for text in ROWS]
    assert found["start_seconds"].to_list() == [1.0, 30.0, 185.5, 40.0]
    assert (found["end_seconds"] - found["start_seconds"]).to_list() == [10.0] * 4
    assert found["labels"].to_list()[1] == "/own/waterfall%2C%20burbling"
    assert found["split"].to_list() == ["test", "train", "train", "valid"]
    with pytest.raises(ClipError, match=r"line 2: '-------,30,x,train' is not a row like the first; expected id"):
        read_segments(listed(tmp_path / "bad.csv", ROWS[0], "-------,30,x,train", head=""))


def test_what_csv_writers_make_of_such_a_list(tmp_path: Path) -> None:
    """A header, every field in quotes, quotes in a label, and capitals."""
    rows = ["youtube_id,start,label,split", '"---g-f_I2yQ","1","say ""aah""","Train"', "--0PQM4-hqg,30,it's,TEST"]
    found = read_segments(listed(tmp_path / "vggsound.csv", *rows, head=""))
    assert found["ytid"].to_list() == ["---g-f_I2yQ", "--0PQM4-hqg"]
    assert found["labels"].to_list() == [own_label('say "aah"'), own_label("it's")]
    assert found["split"].to_list() == ["train", "test"]
    assert found["line"].to_list() == [2, 3]
    for text, why in (
        ("--0PQM4-hqg,30,dog,dev", r"line 2: the split is 'dev'; expected one of train, training, valid"),
        ("--0PQM4-hqg,30, ,train", r"line 2: '--0PQM4-hqg,30, ,train' is not a row like the first"),
    ):
        with pytest.raises(ClipError, match=why):
            read_segments(listed(tmp_path / "bad.csv", ROWS[0], text, head=""))


def select(tmp_path: Path, rows: list[str], name: str = "clips.csv") -> Path:
    segments = listed(tmp_path / f"segments-{name}", *rows, head="")
    clips_with_labels([segments], Ontology({}, {}), None).write_csv(tmp_path / name)
    return tmp_path / name


def many(n: int, split: str, start: int = 0) -> list[str]:
    return [f"video{number:06d},1,dog,{split}" for number in range(start, start + n)]


def test_clips_go_to_their_own_split(tmp_path: Path) -> None:
    clips = select(tmp_path, many(60, "train") + many(20, "test", 60) + many(20, "val", 80))
    for part in range(10):
        found, n_all = part_clips([clips], part, 10, "column")
        assert n_all == 100
        numbers = {int(clip.ytid[5:]) for clip in found}
        wanted = {"train": range(60), "test": range(60, 80), "valid": range(80, 100)}[split_of(part, 10)]
        assert numbers <= set(wanted)
        assert numbers
    without = select(tmp_path, many(60, "train") + many(20, "test", 60), "two.csv")
    parts = deal_videos([f"video{n:06d}" for n in range(80)], 10, "column", read_own_splits([without]))
    splits = [split_of(parts[f"video{n:06d}"], 10) for n in range(80)]
    assert set(splits[60:]) == {"test"}
    assert set(splits[:60]) == {"train", "valid"}
    assert 1 <= splits[:60].count("valid") <= 15  # train's videos by their hash: a ninth of them


def test_a_video_in_two_splits_is_never_trained_on_and_tested(tmp_path: Path) -> None:
    rows = ["video000000,1,dog,train", "video000000,50,dog,test", "video000001,1,dog,train"]
    assert read_own_splits([select(tmp_path, rows)]) == {"video000000": "test", "video000001": "train"}


def test_lists_without_a_split_are_refused(tmp_path: Path) -> None:
    segments = listed(tmp_path / "audioset.csv", row("abcdefghijk", "/own/dog"))
    clips_with_labels([segments], Ontology({}, {}), None).write_csv(tmp_path / "clips.csv")
    with pytest.raises(ClipError, match=r"clips\.csv: names no split for 1 clips, which audioset\.split column needs"):
        part_clips([tmp_path / "clips.csv"], 0, 10, "column")
