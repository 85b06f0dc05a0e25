"""Ids, titles, redirects and media that mean harm: refused or harmless."""

from pathlib import Path

import pytest
from yt_dlp.extractor.common import InfoExtractor

from l3net.acquisition.clip_check import check_clip
from l3net.audioset.clip import Clip, ClipFailure, clip_path
from l3net.audioset.clip_selection import part_clips
from l3net.audioset.clip_tables import read_clip_list
from l3net.downloads import guard_proxy
from l3net.downloads.ytdlp import YtdlpSource
from l3net.downloads.ytdlp_options import YOUTUBE_TEMPLATE, Access
from l3net.errors import ClipError
from l3net.media.encoding import Encoding
from tests import media_sources
from tests.loopback import Server, serving

CLIP = Clip("abcdefghijk", 1.0, 3.0)
SMALL = Encoding(short_side=64, preset="ultrafast")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return media_sources.video(tmp_path_factory.mktemp("video") / "v.mp4", seconds=4)


def fetch(server: Server, target: Path, *, allow: bool = True, extractors=None, cookies: str | None = None) -> None:
    access = Access(allow_private_addresses=allow, timeout_seconds=5.0, cookies=cookies)
    source = YtdlpSource(YOUTUBE_TEMPLATE if extractors else server.url + "/{ytid}.mp4", SMALL, access, extractors)
    try:
        source.fetch(CLIP, target)
    finally:
        source.close()


@pytest.mark.parametrize("ytid", ["--exec=true", "../../../x", "-", "", "abc/efghijk", "abcdefghij\n", "abcdefghijkl"])
def test_ids_that_are_none_reach_no_path_and_no_address(ytid, tmp_path):
    with pytest.raises(ClipError, match="is not a YouTube id"):
        clip_path(tmp_path, ytid, 0.0, 10.0)
    with pytest.raises(ClipError, match="is not a YouTube id"):
        YtdlpSource("http://127.0.0.1:9/{ytid}", SMALL, Access()).fetch(Clip(ytid, 0.0, 1.0), tmp_path / "x")
    listed = tmp_path / "clips.csv"
    listed.write_text(f'ytid,start_seconds,end_seconds,labels\n"{ytid}",0.0,10.0,/m/04rlf\n')
    with pytest.raises(ClipError, match=r"clips.csv, row 1: .* is not a YouTube id"):
        read_clip_list(listed)
    with pytest.raises(ClipError, match=r"clips.csv, row 1: .* is not a YouTube id"):
        part_clips([listed], 0, 1)


def test_id_that_looks_like_an_option_is_fetched_as_an_id(video, tmp_path):
    with serving() as server:
        server.answers["/--exec=true.mp4"] = 404
        server.answers["/--exectrueX.mp4"] = video
        source = YtdlpSource(server.url + "/{ytid}.mp4", SMALL, Access(allow_private_addresses=True))
        source.fetch(Clip("--exectrueX", 1.0, 3.0), tmp_path / "clip.mkv")
        source.close()
    assert check_clip(tmp_path / "clip.mkv", CLIP).status == "ok"


def test_hostile_title_and_separate_streams(video, tmp_path):
    """The picture and the sound come from two addresses, as YouTube gives them; the title touches nothing."""

    class HostileIE(InfoExtractor):
        _VALID_URL = r"https://www\.youtube\.com/watch\?v=(?P<id>[A-Za-z0-9_-]{11})$"

        def _real_extract(self, url: str) -> dict:
            picture = {"format_id": "p", "url": f"{server.url}/p.mp4", "vcodec": "avc1", "acodec": "none", "ext": "mp4"}
            sound = {"format_id": "s", "url": f"{server.url}/s.m4a", "vcodec": "none", "acodec": "mp4a", "ext": "m4a"}
            title = "../../../tmp/x; $(touch hurt) --exec `touch hurt` %(id)s\n\x00"
            return {"id": self._match_id(url), "title": title, "uploader": title, "formats": [sound, picture]}

    target = tmp_path / "100%(title)s" / "clip.mkv"
    target.parent.mkdir()
    with serving() as server:
        server.answers["/p.mp4"] = media_sources.run("-i", video, "-an", "-c", "copy", to=tmp_path / "p.mp4")
        server.answers["/s.m4a"] = media_sources.run("-i", video, "-vn", "-c", "copy", to=tmp_path / "s.m4a")
        fetch(server, target, extractors=[HostileIE])
    assert check_clip(target, CLIP).status == "ok"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["100%(title)s", "clip.mkv", "p.mp4", "s.m4a"]
    assert b"hurt" not in target.read_bytes()


def test_private_addresses_are_refused_by_default(video, tmp_path):
    with serving() as server:
        server.answers[f"/{CLIP.ytid}.mp4"] = video
        with pytest.raises(ClipFailure, match="failed: refused: leads to a private address") as caught:
            fetch(server, tmp_path / "clip.mkv", allow=False)
        assert not server.requests
    assert not caught.value.again


@pytest.mark.parametrize("only_ranges", [False, True], ids=["page", "media"])
def test_redirects_to_private_addresses_are_refused(only_ranges, video, tmp_path, monkeypatch):
    """127.0.0.1 stands for the public internet here, 127.0.0.2 for a private network."""
    monkeypatch.setattr(guard_proxy, "is_private", lambda address: address != "127.0.0.1")
    with serving() as public, serving("127.0.0.2") as private:
        private.answers["/secret.mp4"] = video
        away = f"-> {private.url}/secret.mp4"
        public.answers[f"/{CLIP.ytid}.mp4"] = lambda n, is_range: away if is_range or not only_ranges else video
        with pytest.raises(ClipFailure, match="refused: leads to a private address"):
            fetch(public, tmp_path / "clip.mkv", allow=False)
        assert not private.requests


def test_refusal_holds_against_no_proxy_of_the_environment(video, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    test_redirects_to_private_addresses_are_refused(True, video, tmp_path, monkeypatch)


@pytest.mark.parametrize("only_ranges", [False, True], ids=["page", "media"])
def test_redirects_to_files_are_refused(only_ranges, video, tmp_path):
    with serving() as server:
        away = f"-> file://{video}"
        server.answers[f"/{CLIP.ytid}.mp4"] = lambda n, is_range: away if is_range or not only_ranges else video
        with pytest.raises(ClipFailure) as caught:
            fetch(server, tmp_path / "clip.mkv")
    assert caught.value.status in {"network", "failed", "http_error", "invalid_media"}
    assert not (tmp_path / "clip.mkv").exists() or (tmp_path / "clip.mkv").stat().st_size == 0


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile://{video}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile 'file:{video}'\n",
    ],
    ids=["hls", "concat"],
)
def test_playlists_cannot_read_files_of_this_machine(text, video, tmp_path):
    """Given as the media itself, so that ffmpeg meets it."""

    class PlaylistIE(InfoExtractor):
        _VALID_URL = r"https://www\.youtube\.com/watch\?v=(?P<id>[A-Za-z0-9_-]{11})$"

        def _real_extract(self, url: str) -> dict:
            return {"id": self._match_id(url), "title": "x", "url": f"{server.url}/list.mp4", "ext": "mp4"}

    with serving() as server:
        server.answers["/list.mp4"] = text.replace("{video}", str(video)).encode()
        with pytest.raises(ClipFailure, match="invalid_media"):
            fetch(server, tmp_path / "clip.mkv", extractors=[PlaylistIE])


def test_cookies_reach_the_server_and_the_file_stays_as_it_was(video, tmp_path):
    jar = tmp_path / "cookies.txt"
    jar.write_text("# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t2147483647\tlogin\tSECRET\n")
    before = jar.read_bytes()
    with serving() as server:
        server.answers[f"/{CLIP.ytid}.mp4"] = video
        fetch(server, tmp_path / "clip.mkv", cookies=str(jar))
        assert server.headers[0]["Cookie"] == "login=SECRET"
    assert jar.read_bytes() == before
