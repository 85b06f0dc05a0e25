"""Tar shards and Parquet files as a source: the clips are those of the videos inside, and nothing is unpacked."""

import io
import json
import tarfile
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from l3net.acquisition.archive_source import ArchiveSource
from l3net.acquisition.archive_videos import videos_in
from l3net.acquisition.sources import open_source
from l3net.audioset.clip import Clip, ClipFailure
from l3net.downloads.ytdlp_options import Access
from l3net.errors import ClipError, ConfigError
from l3net.files.kept import sha256_of
from l3net.media.encoding import Encoding
from l3net.media.probe import measure_clip
from tests import media_sources

SMALL = Encoding(short_side=48, preset="ultrafast")
WHOLE, CUT = "abcdefghijk", "-bcdefghij_"


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A whole video of 6 s, and one of 3 s that was cut out of another at 30 s."""
    folder = tmp_path_factory.mktemp("videos")
    media_sources.video(folder / "whole.mp4", seconds=6, size="64x48")
    media_sources.video(folder / "cut.mp4", seconds=3, size="64x48")
    return {"whole": (folder / "whole.mp4").read_bytes(), "cut": (folder / "cut.mp4").read_bytes()}


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def shards(folder: Path, videos: dict[str, bytes], kind: str) -> Path:
    folder.mkdir()
    if kind == "tar":
        with tarfile.open(folder / "train-000000.tar", "w") as archive:
            add(archive, f"some/{WHOLE}.json", b"{}")
            add(archive, f"some/{WHOLE}.mp4", videos["whole"])
        with tarfile.open(folder / "train-000001.tar", "w") as archive:
            add(archive, f"{CUT}_000030.mp4", videos["cut"])
            add(archive, "broken_____.mp4", b"no video")
    else:
        rows = {"ytid": [WHOLE, f"{CUT}_0030000_0033000"], "video": [videos["whole"], videos["cut"]]}
        if kind == "hugging face":
            rows["video"] = [{"bytes": value, "path": None} for value in rows["video"]]
        parquet.write_table(pyarrow.table(rows), folder / "part.parquet", row_group_size=1)
    return folder


@pytest.mark.parametrize("kind", ["tar", "parquet", "hugging face"])
def test_clips_are_those_of_the_videos_inside(kind: str, videos: dict[str, bytes], tmp_path: Path) -> None:
    folder = shards(tmp_path / "shards", videos, kind)
    before = {path: sha256_of(path) for path in folder.rglob("*")}
    work = tmp_path / "work"
    work.mkdir()
    source = open_source("tar", directory=folder, url_template=None, encoding=SMALL, access=Access())
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / f"{WHOLE}.mp4").write_bytes(videos["whole"])
    of_folder = open_source("directory", directory=plain, url_template=None, encoding=SMALL, access=Access())
    clip = Clip(WHOLE, 2.0, 5.0)
    source.fetch(clip, work / "clip.mkv")
    of_folder.fetch(clip, work / "expected.mkv")
    assert sha256_of(work / "clip.mkv") == sha256_of(work / "expected.mkv")
    assert source.seconds_declared(clip) == pytest.approx(6.0, abs=0.1)
    later = Clip(CUT, 31.0, 33.0)  # 1 to 3 s of what was cut out at 30 s
    source.fetch(later, work / "later.mkv")
    assert measure_clip(work / "later.mkv").n_frames == 60
    assert source.seconds_declared(later) == pytest.approx(33.0, abs=0.1)
    assert sorted(path.name for path in work.iterdir()) == ["clip.mkv", "expected.mkv", "later.mkv"]
    assert {path: sha256_of(path) for path in folder.rglob("*")} == before
    for missing in (Clip("-----------", 0.0, 1.0), Clip(CUT, 29.0, 31.0)):
        with pytest.raises(ClipFailure, match=r"^removed: no video .* that begins before it"):
            source.fetch(missing, work / "none.mkv")
    if kind == "tar":
        with pytest.raises(ClipFailure, match=r"^invalid_media: "):
            source.fetch(Clip("broken_____", 0.0, 1.0), work / "none.mkv")
    assert not (work / "none.mkv").exists()


def test_shards_of_any_case_behind_links_and_no_notes_of_file_managers(
    videos: dict[str, bytes], tmp_path: Path
) -> None:
    there = shards(tmp_path / "there", videos, "tar")
    folder = tmp_path / "shards"
    folder.mkdir()
    (there / "train-000000.tar").rename(there / "TRAIN.TAR")
    (there / "._TRAIN.TAR").write_bytes(b"\0\5\x16\7 what macOS leaves")
    (folder / "linked").symlink_to(there)
    (there / "circle").symlink_to(folder)
    ArchiveSource(folder, SMALL).fetch(Clip(WHOLE, 2.0, 4.0), tmp_path / "clip.mkv")
    assert measure_clip(tmp_path / "clip.mkv").n_frames == 60


@pytest.mark.parametrize("harm", ["zeros", "joined"])
def test_a_shard_that_ends_before_its_file_is_told(videos: dict[str, bytes], tmp_path: Path, harm: str) -> None:
    """Zeros mark the end of a tar: what comes behind them would be missing without a word."""
    shard = shards(tmp_path / harm, videos, "tar") / "train-000000.tar"
    content = shard.read_bytes()
    with tarfile.open(shard) as archive:
        last = max(member.offset for member in archive)
    shard.write_bytes(content[:last] + bytes(len(content) - last) if harm == "zeros" else content + content)
    with pytest.raises(
        ClipError, match=r"train-000000\.tar: \d+ bytes stand behind its last member: a part of it never"
    ):
        ArchiveSource(shard.parent, SMALL).fetch(Clip(WHOLE, 0.0, 1.0), tmp_path / "none.mkv")


def test_what_is_no_shard_is_told(videos: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no \.tar or \.parquet; expected such shards"):
        ArchiveSource(tmp_path, SMALL)
    folder = shards(tmp_path / "cut", videos, "tar")
    shard = folder / "train-000001.tar"
    shard.write_bytes(shard.read_bytes()[: 512 + len(videos["cut"]) // 2])
    with pytest.raises(ClipError, match=r"train-000001\.tar: (is cut off within|cannot be read as a tar)"):
        ArchiveSource(folder, SMALL).fetch(Clip(WHOLE, 0.0, 1.0), tmp_path / "none.mkv")
    shard = folder / "train-000000.tar"
    with tarfile.open(shard) as archive:
        last = max(member.offset for member in archive)
    shard.write_bytes(shard.read_bytes()[:last])  # the last member is gone, and what is left reads without an error
    (folder / "train-000001.tar").unlink()
    with pytest.raises(ClipError, match=r"train-000000\.tar: is cut off behind its last member"):
        ArchiveSource(folder, SMALL).fetch(Clip(WHOLE, 0.0, 1.0), tmp_path / "none.mkv")
    with pytest.raises(ConfigError, match=r"'.*nowhere' is not a folder; expected one with \.tar or \.parquet"):
        ArchiveSource(tmp_path / "nowhere", SMALL)
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.parquet").write_text("text")
    with pytest.raises(ClipError, match=r"a\.parquet: cannot be read as Parquet"):
        ArchiveSource(tmp_path / "text", SMALL).fetch(Clip(WHOLE, 0.0, 1.0), tmp_path / "none.mkv")
    parquet.write_table(pyarrow.table({"name": ["a"], "video": [b""]}), tmp_path / "text" / "a.parquet")
    with pytest.raises(ClipError, match=r"no column of ids among name, video; expected one of ytid, youtube_id"):
        ArchiveSource(tmp_path / "text", SMALL).fetch(Clip(WHOLE, 0.0, 1.0), tmp_path / "none.mkv")


@pytest.mark.parametrize("kind", ["struct", "path", "column"])
def test_rows_name_files_beside_them(kind: str, videos: dict[str, bytes], tmp_path: Path) -> None:
    """Bytes in some rows, paths in others; several rows a group, and each row its own."""
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "whole.mp4").write_bytes(videos["whole"])
    (tmp_path / "cut.mp4").write_bytes(videos["cut"])
    names = [WHOLE, f"{CUT}_000030", "nowhere____", "outside____", "nothing____", "nul________"]
    values = ["below/whole.mp4", "cut.mp4", "none.mp4", "../outside.mp4", None, "cut\0.mp4"]
    (tmp_path.parent / "outside.mp4").write_bytes(videos["cut"])
    if kind == "struct":
        values = [{"bytes": None, "path": value} for value in values]
        values[1] = {"bytes": videos["cut"], "path": "cut.mp4"}
    column = "path" if kind == "column" else "video"
    parquet.write_table(pyarrow.table({"id": names, column: values}), tmp_path / "a.parquet", row_group_size=2)
    source = ArchiveSource(tmp_path, SMALL)
    source.fetch(Clip(WHOLE, 2.0, 6.0), tmp_path / "a.mkv")
    source.fetch(Clip(CUT, 30.0, 33.0), tmp_path / "b.mkv")
    assert [measure_clip(tmp_path / name).n_frames for name in ("a.mkv", "b.mkv")] == [120, 90]
    for ytid, why in (
        ("nowhere____", r"names none\.mp4; expected a file in its folder or below"),
        ("outside____", r"names \.\./outside\.mp4; expected a file in its folder or below"),
        ("nul________", r"names cut\\x00\.mp4; expected a file in its folder or below"),
        ("nothing____", rf"row 0 of group 2 has no video in column {column}"),
    ):
        with pytest.raises(ClipFailure, match=rf"^invalid_media: .*a\.parquet: {why}"):
            source.fetch(Clip(ytid, 0.0, 1.0), tmp_path / "none.mkv")


def test_a_column_that_holds_no_files_is_refused(tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"id": [WHOLE], "video": [[1, 2, 3]]}), tmp_path / "a.parquet")
    with pytest.raises(ClipError, match=r"column video holds list<.*int64>; expected bytes, or paths of files"):
        list(videos_in(tmp_path / "a.parquet"))


def test_a_damaged_page_is_the_fault_of_its_video(videos: dict[str, bytes], tmp_path: Path) -> None:
    shard = tmp_path / "a.parquet"
    rows = {"id": [WHOLE, CUT], "video": [videos["whole"], videos["cut"]]}
    parquet.write_table(pyarrow.table(rows), shard, row_group_size=1, compression="zstd")
    with parquet.ParquetFile(shard) as file:
        column = file.metadata.row_group(0).column(1)
    content = bytearray(shard.read_bytes())
    start = column.dictionary_page_offset
    content[start + 24 : start + column.total_compressed_size] = bytes(column.total_compressed_size - 24)
    shard.write_bytes(content)
    source = ArchiveSource(tmp_path, SMALL)
    with pytest.raises(ClipFailure, match=r"^invalid_media: .*a\.parquet: cannot be read as Parquet: "):
        source.fetch(Clip(WHOLE, 2.0, 4.0), tmp_path / "none.mkv")
    source.fetch(Clip(CUT, 0.0, 2.0), tmp_path / "clip.mkv")


def test_compressed_tars_and_videos_that_stand_twice_are_named(
    videos: dict[str, bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        add(archive, f"{WHOLE}.mp4", b"video")
    with pytest.raises(ConfigError, match=r"holds no \.tar or \.parquet \(a\.tar\.gz is compressed: decompress it\)"):
        ArchiveSource(tmp_path, SMALL)
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        for content in (videos["whole"], b"other"):
            add(archive, f"{WHOLE}.mp4", content)
    ArchiveSource(tmp_path, SMALL).fetch(Clip(WHOLE, 2.0, 4.0), tmp_path / "clip.mkv")
    assert "left out 1 compressed tar, such as a.tar.gz: decompress them" in caplog.text
    assert f"left out 1 video whose id and start another has, such as {WHOLE} in b.tar" in caplog.text
    (tmp_path / "b.tar").write_bytes((tmp_path / "a.tar.gz").read_bytes())
    with pytest.raises(ClipError, match=r"b\.tar: cannot be read as a tar; a compressed one must be unpacked: "):
        ArchiveSource(tmp_path, SMALL).fetch(Clip(WHOLE, 2.0, 4.0), tmp_path / "none.mkv")


NAMES = {
    WHOLE: (WHOLE, 0.0),
    f"{CUT}_000030": (CUT, 30.0),
    f"{CUT}_0030000_0033000": (CUT, 30.0),
    f"{CUT}_30000_33000": (CUT, 30.0),
    f"{CUT}_30_33": (CUT, 30.0),
    f"{CUT}_30.000_33.000": (CUT, 30.0),
    f"{CUT}_0000000_0000900": (CUT, 0.0),
    "00000_0001": None,
}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_videos(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        add(archive, f"./{name}.mp4", b"video")
    parquet.write_table(pyarrow.table({"key": [name], "mp4": [b"video"]}), tmp_path / "a.parquet")
    for archive in ("a.tar", "a.parquet"):
        found = [(video.ytid, video.start_seconds) for video in videos_in(tmp_path / archive)]
        assert found == ([NAMES[name]] if NAMES[name] else [])
    told = "left out 1 video whose name tells no id, such as 00000_0001; expected an id"
    assert (told in caplog.text) == (NAMES[name] is None)


def test_what_stands_beside_a_video_tells_its_id_and_start(tmp_path: Path) -> None:
    """Numbers for names, as video2dataset writes them; one of eleven digits looks like an id."""
    beside = {
        "000000001": {"url": f"https://www.youtube.com/watch?v={WHOLE}&t=3"},
        "00000000002": {"youtube_id": CUT, "start_time": "30.0"},
        "000000003": {"url": f"https://youtu.be/{WHOLE}", "start": 4},
        WHOLE: {"start_seconds": 7},
        "000000005": {"title": "no id"},
    }
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for n, (name, said) in enumerate(beside.items()):
            members = [(f"d/{name}.json", json.dumps(said).encode()), (f"d/{name}.mp4", b"video")]
            for member in members if n % 2 else reversed(members):  # in any order
                add(archive, *member)
        add(archive, "d/000000006.json", b"[1")
        add(archive, "d/000000006.mp4", b"video")
    found = [(video.ytid, video.start_seconds) for video in videos_in(tmp_path / "a.tar")]
    assert found == [(WHOLE, 0.0), (CUT, 30.0), (WHOLE, 4.0), (WHOLE, 7.0)]
    rows = {"video_id": [WHOLE], "start_seconds": [7.0], "video": [b"video"]}
    parquet.write_table(pyarrow.table(rows), tmp_path / "a.parquet")
    assert [(one.ytid, one.start_seconds, one.is_named) for one in videos_in(tmp_path / "a.parquet")] == [
        (WHOLE, 7.0, False)
    ]


def test_a_start_beside_a_whole_video_is_the_clips(videos: dict[str, bytes], tmp_path: Path) -> None:
    rows = {"id": [WHOLE, CUT], "start": [2.0, 30.0], "video": [videos["whole"], videos["cut"]]}
    parquet.write_table(pyarrow.table(rows), tmp_path / "a.parquet")
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / f"{WHOLE}.mp4").write_bytes(videos["whole"])
    source = ArchiveSource(tmp_path, SMALL)
    of_folder = open_source("directory", directory=plain, url_template=None, encoding=SMALL, access=Access())
    for one, name in ((source, "clip.mkv"), (of_folder, "expected.mkv")):
        one.fetch(Clip(WHOLE, 2.0, 5.0), tmp_path / name)
    assert sha256_of(tmp_path / "clip.mkv") == sha256_of(tmp_path / "expected.mkv")
    source.fetch(Clip(CUT, 30.0, 33.0), tmp_path / "cut.mkv")
    assert measure_clip(tmp_path / "cut.mkv").n_frames == 90
    assert source.seconds_declared(Clip(CUT, 30.0, 33.0)) == pytest.approx(33.0, abs=0.1)
