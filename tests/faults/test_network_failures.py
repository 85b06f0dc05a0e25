"""What goes wrong on the way to a video is said in its own words, and a mirror without byte ranges is no obstacle."""

import socket
from pathlib import Path

import pytest

from l3net.acquisition.clip_check import check_clip
from l3net.audioset.clip import Clip, ClipFailure
from l3net.downloads import whole_video
from l3net.downloads.ytdlp import YtdlpSource
from l3net.downloads.ytdlp_options import Access
from l3net.media.encoding import Encoding
from tests import media_sources
from tests.loopback import serving

CLIP = Clip("abcdefghijk", 1.0, 3.0)
SMALL = Encoding(short_side=64, preset="ultrafast")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video whose index stands at its end, as ffmpeg writes it unless told otherwise, behind 8 MB of nothing."""
    made = media_sources.video(tmp_path_factory.mktemp("video") / "v.mp4", seconds=4)
    content, n_bytes = made.read_bytes(), 8 << 20
    index = content.index(b"moov") - 4
    assert index > content.index(b"mdat")
    made.write_bytes(content[:index] + n_bytes.to_bytes(4, "big") + b"free" + bytes(n_bytes - 8) + content[index:])
    return made


def fetch(template: str, target: Path, **access: object) -> YtdlpSource:
    source = YtdlpSource(template, SMALL, Access(**{"allow_private_addresses": True, "timeout_seconds": 1.0, **access}))
    try:
        source.fetch(CLIP, target)
    finally:
        source.close()
    return source


def failure(template: str, folder: Path, **access: object) -> ClipFailure:
    with pytest.raises(ClipFailure) as caught:
        fetch(template, folder / "clip.mkv", **access)
    assert caught.value.status == "network"
    return caught.value


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_an_unknown_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = socket.getaddrinfo

    def unknown(host: str, *more: object, **how: object) -> list:
        if host == "mirror.invalid":
            raise socket.gaierror(-2, "Name or service not known")
        return known(host, *more, **how)

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    for scheme in ("http", "https"):
        said = failure(f"{scheme}://mirror.invalid/{{ytid}}.mp4?key=SECRET", tmp_path).reason
        assert said.startswith("the host mirror.invalid cannot be resolved: no name server knows it")
        assert "SECRET" not in said


def test_a_closed_port(tmp_path: Path) -> None:
    port = free_port()
    for scheme in ("http", "https"):
        said = failure(f"{scheme}://127.0.0.1:{port}/{{ytid}}.mp4", tmp_path).reason
        assert said == f"nothing listens at port {port} of 127.0.0.1 (connection refused)"


def test_a_server_that_says_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        template = f"http://127.0.0.1:{silent.getsockname()[1]}/{{ytid}}.mp4"
        assert "the server sends nothing for 1 s" in failure(template, tmp_path).reason


def test_a_redirect_without_end(tmp_path: Path) -> None:
    with serving() as server:
        server.answers = {f"/{CLIP.ytid}.mp4": "-> /b.mp4", "/b.mp4": f"-> /{CLIP.ytid}.mp4"}
        assert failure(server.url + "/{ytid}.mp4", tmp_path).reason == "the server redirects without end"


def test_only_the_users_own_proxy_is_called_one(tmp_path: Path) -> None:
    port = free_port()
    proxy = f"http://me:SECRET@127.0.0.1:{port}"
    said = failure("http://mirror.invalid/{ytid}.mp4", tmp_path, proxy=proxy).reason
    assert said.startswith(f"your proxy (audioset.proxy, https_proxy): nothing listens at port {port} of 127.0.0.1")
    assert "SECRET" not in said


def test_a_mirror_without_byte_ranges_gives_the_whole_file_which_is_cut_here(video: Path, tmp_path: Path) -> None:
    with serving() as server:
        server.gives_ranges, server.answers[f"/{CLIP.ytid}.mp4"] = False, video
        source = fetch(server.url + "/{ytid}.mp4", tmp_path / "clip.mkv")
        assert source.seconds_declared(CLIP) == pytest.approx(4.0, abs=0.1)
    checked = check_clip(tmp_path / "clip.mkv", CLIP)
    assert (checked.status, [path.name for path in tmp_path.iterdir()]) == ("ok", ["clip.mkv"])
    with serving() as server:
        server.answers[f"/{CLIP.ytid}.mp4"] = video
        fetch(server.url + "/{ytid}.mp4", tmp_path / "ranges.mkv")
    assert (tmp_path / "ranges.mkv").read_bytes() == (tmp_path / "clip.mkv").read_bytes()


def test_a_mirror_without_byte_ranges_and_with_damage(video: Path, tmp_path: Path) -> None:
    with serving() as server:
        server.gives_ranges, server.answers[f"/{CLIP.ytid}.mp4"] = False, tmp_path / "cut.mp4"
        (tmp_path / "cut.mp4").write_bytes(video.read_bytes()[:-2000])
        with pytest.raises(ClipFailure, match=r"invalid_media: .*(Invalid data|the video)"):
            fetch(server.url + "/{ytid}.mp4", tmp_path / "clip.mkv")
    assert [path.name for path in tmp_path.iterdir()] == ["cut.mp4"]


def test_a_whole_file_without_end_ends_at_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless:
        def read(self, size: int) -> bytes:
            return bytes(size)

    with pytest.raises(ClipFailure, match="more than 3 MB come for the whole video"):
        whole_video.copy_bounded(Endless(), tmp_path / "v.whole", 3 << 20)
    assert (tmp_path / "v.whole").stat().st_size <= 3 << 20
