"""The choice of a source, and the folder of videos as one."""

from pathlib import Path

import pytest

from l3net.acquisition.sources import DirectorySource, open_source
from l3net.audioset.clip import Clip, ClipFailure
from l3net.downloads.ytdlp import YtdlpSource
from l3net.downloads.ytdlp_options import YOUTUBE_TEMPLATE, Access
from l3net.errors import ConfigError
from l3net.media.encoding import Encoding
from l3net.media.probe import measure_clip
from tests import media_sources

SMALL = Encoding(short_side=48, preset="ultrafast")


def opened(kind: str, directory: Path | None = None, url_template: str | None = None):
    return open_source(kind, directory=directory, url_template=url_template, encoding=SMALL, access=Access())


@pytest.mark.parametrize(
    ("kind", "template", "expected"),
    [("youtube", None, YOUTUBE_TEMPLATE), ("http", "https://a.example/{ytid}", "https://a.example/{ytid}")],
)
def test_kinds_that_need_the_network(kind: str, template: str | None, expected: str) -> None:
    source = opened(kind, url_template=template)
    source.close()
    assert isinstance(source, YtdlpSource)
    assert source.template == expected


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("ftp", "audioset.source is 'ftp'; expected directory, tar, http or youtube"),
        ("directory", "audioset.directory is null"),
        ("http", "audioset.url_template must be an http"),
    ],
)
def test_what_a_kind_lacks_is_told(kind: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        opened(kind)


def test_a_folder_of_videos(tmp_path: Path) -> None:
    media_sources.video(tmp_path / "abcdefghijk.mp4", seconds=4, size="64x48")
    (tmp_path / "abcdefghijk.srt").write_text("subtitles")
    (tmp_path / "zzzzzzzzzzz.mp4").write_text("no video")
    source = opened("directory", tmp_path)
    assert isinstance(source, DirectorySource)
    clip = Clip("abcdefghijk", 1.0, 3.0)
    source.fetch(clip, tmp_path / "clip.mkv")
    measured = measure_clip(tmp_path / "clip.mkv")
    assert (measured.n_frames, measured.n_samples) == (60, 96000)
    assert source.seconds_declared(clip) == pytest.approx(4.0, abs=0.1)
    with pytest.raises(ClipFailure, match=r"^removed: no video -----------\.\* in audioset.directory"):
        source.fetch(Clip("-----------", 1.0, 3.0), tmp_path / "none.mkv")
    with pytest.raises(ClipFailure, match=r"^invalid_media: ffmpeg: "):
        source.fetch(Clip("zzzzzzzzzzz", 1.0, 3.0), tmp_path / "none.mkv")


def test_folders_and_mirrors_have_digests_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    sources = [opened("directory", tmp_path), opened("directory", tmp_path / "other"), opened("youtube")]
    sources += [opened("http", url_template=f"https://{host}.example/{{ytid}}") for host in "ab"]
    for source in sources:
        source.close()
    assert len({source.digest for source in sources}) == 5


def test_videos_of_every_suffix_are_found_and_an_empty_file_never_beats_a_good_one(tmp_path: Path) -> None:
    names = ["a.WMV", "b.asf", "c.m2ts", "d.VOB", "e.f4v", "f.3g2", "g.mp4", "._g.mp4", "h.jpg", "desktop.ini"]
    for name in names:
        (tmp_path / name).write_bytes(b"media")
    (tmp_path / "g.mkv").write_bytes(b"")
    (tmp_path / "i.mkv").write_bytes(b"media")
    (tmp_path / "i.mp4").write_bytes(b"media")
    (tmp_path / "j.mp4").mkdir()
    found = DirectorySource(tmp_path, SMALL)._videos
    expected = {name[0]: name for name in names[:7]} | {"i": "i.mkv"}
    assert {stem: path.name for stem, path in found.items()} == expected
