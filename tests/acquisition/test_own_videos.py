"""A folder of one's own videos: every readable name gets an id that stays, and the rest is told with the reason."""

import os
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from l3net.acquisition.own_videos import OwnVideos, list_own_videos
from l3net.acquisition.sources import DirectorySource
from l3net.audioset import Clip, check_ytid
from l3net.audioset.segment_lists import read_segments
from l3net.errors import ClipError
from l3net.media import Encoding
from tests import media_sources

ODD_NAMES = (
    "plain.mp4",
    "birds/with space & more.mp4",
    "birds/plain.mp4",
    "birds/-y -i x.mp4",
    "b:1/a:b.mp4",
    "Vögel 犬 🐕/Über.MP4",
    "two\nlines.mp4",
    "no suffix",
    "strange.suffix (1)",
    "=1+1.mp4",
    "{ytid}<x>%(id)s.mp4",
    os.fsdecode(b"latin-\xe9.mp4"),
    f"{'long' * 61}.mp4",
)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of twelve seconds."""
    return media_sources.video(tmp_path_factory.mktemp("video") / "video.mp4")


def put(video: Path, path: Path, n: int = 0) -> Path:
    """Copy a video, made another file by `n` bytes that no player reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(video, path)
    with open(path, "ab") as file:
        file.write((n + 8).to_bytes(4, "big") + b"free" + bytes(n))
    return path


def listed(folder: Path, my: Path, **options: object) -> OwnVideos:
    return list_own_videos(folder, my / "segments.csv", mids={"bird song": "/m/abc"}, **options)


def ids(made: OwnVideos) -> dict[str, str]:
    return {row.file: row.ytid for row in made.table.itertuples() if row.segments}


def reasons(made: OwnVideos) -> dict[str, str]:
    return {row.file: row.left_out for row in made.table.itertuples() if not row.segments}


def test_any_readable_name_is_found_by_its_id(video: Path, tmp_path: Path) -> None:
    for n, name in enumerate(ODD_NAMES):
        put(video, tmp_path / "in" / name, n)
    made = listed(tmp_path / "in", tmp_path / "my")
    assert reasons(made) == {}
    assert len(set(ids(made).values())) == len(ODD_NAMES)
    assert all(check_ytid(ytid)[0].isalpha() for ytid in ids(made).values())
    source = DirectorySource(made.links, Encoding(short_side=64))
    rows = read_segments(made.segments)
    assert set(rows["ytid"]) == set(ids(made).values())
    for row in rows.iter_rows(named=True):
        if row["start_seconds"]:
            continue
        clip = Clip(row["ytid"], 0.0, 10.0)
        assert source.seconds_declared(clip) == pytest.approx(12, abs=0.1)
    source.fetch(Clip(ids(made)["birds/-y -i x.mp4"], 0.0, 2.0), tmp_path / "clip.mkv")
    assert (tmp_path / "clip.mkv").stat().st_size > 1000


def test_long_videos_are_cut_into_segments(video: Path, tmp_path: Path) -> None:
    put(video, tmp_path / "in" / "a.mp4")
    cuts = {10: [(0, 10), (10, 12)], 5: [(0, 5), (5, 10), (10, 12)], 11: [(0, 11)], 60: [(0, 12)]}
    for every, expected in cuts.items():
        made = listed(tmp_path / "in", tmp_path / "my", every_seconds=every)
        found = read_segments(made.segments).select("start_seconds", "end_seconds").rows()
        assert [start for start, _ in found] == [start for start, _ in expected]
        assert [end for _, end in found] == pytest.approx([end for _, end in expected], abs=0.05)
    for wrong in (0.5, 601, float("nan")):
        with pytest.raises(ClipError, match=r"segments of \S+ s; expected 1.1 to 600"):
            listed(tmp_path / "in", tmp_path / "my", every_seconds=wrong)


def test_labels_come_from_the_first_folder_or_from_none(video: Path, tmp_path: Path) -> None:
    for n, name in enumerate(("a.mp4", "Bird_Song/deep/b.mp4", "Vögel, laut/c.mp4")):
        put(video, tmp_path / "in" / name, n)
    made = listed(tmp_path / "in", tmp_path / "my")
    labels = dict(read_segments(made.segments).select("ytid", "labels").rows())
    by_file = {file: labels[ytid] for file, ytid in ids(made).items()}
    assert by_file == {
        "a.mp4": "/own/",
        "Bird_Song/deep/b.mp4": "/m/abc",
        "Vögel, laut/c.mp4": "/own/V%C3%B6gel%2C%20laut",
    }
    made = listed(tmp_path / "in", tmp_path / "my", with_labels=False)
    assert set(read_segments(made.segments)["labels"]) == {"/own/"}


def test_what_cannot_be_used_is_told_with_the_reason(video: Path, tmp_path: Path) -> None:
    put(video, tmp_path / "in" / "good.mp4")
    run, folder = media_sources.run, tmp_path / "in"
    run("-i", video, "-c", "copy", "-an", to=folder / "no sound.mp4")
    run("-i", video, "-c", "copy", "-vn", to=folder / "no picture.m4a")
    media_sources.video(folder / "silent.mp4", click="0", seconds=3)
    media_sources.video(folder / "short.mp4", seconds=0.8)
    media_sources.video(folder / "narrow.mp4", size="4x64", seconds=3)
    run("-i", video, "-c:v", "mpeg2video", "-c:a", "mp2", "-f", "nut", to=folder / "other.nut")
    (folder / "notes.txt").write_text("these are no moving pictures\n" * 9)
    (folder / "empty.mp4").touch()
    (folder / "cut.mp4").write_bytes(video.read_bytes()[:3000])
    (folder / "gone.mp4").symlink_to(folder / "nowhere.mp4")
    (folder / "link.mp4").symlink_to(folder / "good.mp4")
    shutil.copy(folder / "good.mp4", folder / "z copy.mp4")
    (folder / "circle").symlink_to(folder)
    for hidden in (".hidden.mp4", "._good.mp4", ".DS_Store", "Thumbs.db", "desktop.ini"):
        (folder / hidden).write_bytes(b"x")
    made = listed(folder, tmp_path / "my")
    assert set(ids(made)) == {"good.mp4"}
    expected = {
        "no sound.mp4": "no sound",
        "no picture.m4a": "no picture",
        "silent.mp4": "silent from end to end",
        "short.mp4": r"too short: 0\.8\d* s of picture and sound; expected 1\.1 s or more",
        "narrow.mp4": "the picture has 4 x 64 pixels, too few or too wide",
        "other.nut": "no clips are cut from files of format nut; convert it to MP4",
        "notes.txt": "cannot be read as media|no picture and no sound",
        "empty.mp4": "the file is empty",
        "cut.mp4": "cannot be read as media",
        "gone.mp4": "cannot be read: No such file",
        "link.mp4": "the same file as good.mp4",
        "z copy.mp4": "the same content as good.mp4",
    }
    assert set(reasons(made)) == set(expected)
    for file, why in reasons(made).items():
        assert re.match(expected[file], why), (file, why)
    assert "\n" not in "".join(reasons(made).values())


def test_ids_stay_when_videos_are_added_and_what_is_known_is_not_looked_at(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, looked = tmp_path / "in", []
    for n, name in enumerate(("m.mp4", "z/m.mp4")):
        put(video, folder / name, n)
    before = listed(folder, tmp_path / "my")
    put(video, folder / "a" / "first of all.mp4", 2)
    shutil.copy(folder / "m.mp4", folder / "a copy that sorts first.mp4")
    from l3net.acquisition import own_videos

    survey = own_videos.survey_video
    monkeypatch.setattr(own_videos, "survey_video", lambda path: looked.append(path.name) or survey(path))
    after = listed(folder, tmp_path / "my")
    assert looked == ["first of all.mp4"]
    assert {file: ids(after)[file] for file in ids(before)} == ids(before)
    assert reasons(after) == {"a copy that sorts first.mp4": "the same content as m.mp4"}
    moved = tmp_path / "elsewhere"
    folder.rename(moved)
    again = listed(moved, tmp_path / "my")
    assert ids(again) == ids(after)
    assert {path.resolve().parent.name for path in again.links.iterdir()} == {"elsewhere", "a", "z"}


def test_a_video_that_is_another_one_now_has_another_id_and_one_that_is_gone_no_link(
    video: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    for n, name in enumerate(("a.mp4", "b.mp4", "c.mp4")):
        put(video, folder / name, n)
    before = ids(listed(folder, tmp_path / "my"))
    put(video, folder / "b.mp4", 99)
    (folder / "c.mp4").unlink()
    (tmp_path / "my" / "videos" / "someone else's.mp4").touch()
    made = listed(folder, tmp_path / "my")
    assert ids(made)["a.mp4"] == before["a.mp4"]
    assert ids(made)["b.mp4"] != before["b.mp4"]
    assert made.n_gone == 2
    assert {path.stem for path in made.links.iterdir()} == {*ids(made).values(), "someone else's"}


def test_the_list_may_stand_in_the_folder_of_the_videos(video: Path, tmp_path: Path) -> None:
    put(video, tmp_path / "a.mp4")
    assert list(ids(listed(tmp_path, tmp_path / "my"))) == ["a.mp4"]
    again = listed(tmp_path, tmp_path / "my")
    assert list(ids(again)) == ["a.mp4"]
    assert set(reasons(again)) == {"my/segments.csv", "my/segments.videos.csv"}


def test_a_folder_without_videos_changes_nothing(video: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.txt").write_text("text")
    (tmp_path / "file").touch()
    for name, message in {
        "none": "none holds no file; expected videos with sound",
        "text": "text: of 1 file none is a video that can be used; the first, a.txt: ",
        "file": "file is not a folder; expected one with videos, in sub-folders or not",
        "nowhere": "nowhere is not a folder",
    }.items():
        with pytest.raises(ClipError, match=message) as caught:
            listed(tmp_path / name, tmp_path / "my")
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "my").exists()


def test_file_systems_without_symbolic_links_get_others(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(video, tmp_path / "in" / "a.mp4")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    for _ in range(2):
        made = listed(tmp_path / "in", tmp_path / "my")
        (link,) = made.links.iterdir()
        assert link.samefile(tmp_path / "in" / "a.mp4")
    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(ClipError, match="this file system has no links"):
        listed(tmp_path / "in", tmp_path / "other")


def test_the_record_is_a_table_of_every_file(video: Path, tmp_path: Path) -> None:
    put(video, tmp_path / "in" / "NA" / "NA.mp4")
    made = listed(tmp_path / "in", tmp_path / "my")
    table = pd.read_csv(made.record, keep_default_na=False)
    assert table[["file", "label", "segments"]].to_numpy().tolist() == [["NA/NA.mp4", "NA", 2]]
    made.record.write_text("damaged")
    assert ids(listed(tmp_path / "in", tmp_path / "my")) == ids(made)
