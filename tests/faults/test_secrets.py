"""A planted token, cookie and password of a proxy are used, and found nowhere: files, logs, records, process list."""

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest

from l3net.acquisition.clip_check import check_clip
from l3net.audioset.clip import Clip
from l3net.audioset.clip_tables import read_manifest
from l3net.configuration import read_configuration
from l3net.downloads import guard_handler, hidden_requests
from l3net.downloads.hidden_requests import HiddenRequests, is_own_connection, with_whole_location
from l3net.downloads.ytdlp import YtdlpSource
from l3net.downloads.ytdlp_options import Access
from l3net.errors import ConfigError
from l3net.media.encoding import Encoding
from tests import media_sources
from tests.loopback import Answer, serving
from tests.workflow.conftest import Workspace

CLIP = Clip("abcdefghijk", 1.0, 3.0)
TOKEN, COOKIE, PASSWORD = "tok3nSECRET", "cook1eSECRET", "passw0rdSECRET"
PASSWORD_BASIC = "bWU6cGFzc3cwcmRTRUNSRVQ"  # me:passw0rdSECRET in base 64
PLANTED = [text.encode() for text in (TOKEN, COOKIE, PASSWORD, PASSWORD_BASIC, "SECRET")]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return media_sources.video(tmp_path_factory.mktemp("video") / "v.mp4", seconds=4)


class CommandLines:
    """Collects the command lines of all processes while a server is being asked, so that who asks is among them."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()

    def before(self, answer: Answer) -> Answer:
        """Return an answer of a server that looks at all processes first."""

        def look(n: int, is_range: bool) -> Answer:
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    self.seen.add((process / "cmdline").read_bytes())
            return answer

        return look

    def check(self) -> None:
        """Check that ffmpeg was seen, and nothing planted."""
        assert [line for line in self.seen if b".hidden.invalid/media.mp4" in line], "ffmpeg was not seen"
        assert not [line for line in self.seen if b"SECRET" in line and b"pytest" not in line]


def cookie_jar(path: Path, domain: str) -> Path:
    path.write_text(f"# Netscape HTTP Cookie File\n{domain}\tFALSE\t/\tFALSE\t2147483647\tlogin\t{COOKIE}\n")
    return path


def test_neither_cookie_nor_token_stands_in_a_command_line(video: Path, tmp_path: Path) -> None:
    jar = cookie_jar(tmp_path / "cookies.txt", "127.0.0.1")
    lines = CommandLines()
    with serving() as server:
        server.answers[f"/{CLIP.ytid}.mp4"] = lines.before(video)
        access = Access(allow_private_addresses=True, timeout_seconds=10.0, cookies=str(jar))
        source = YtdlpSource(f"{server.url}/{{ytid}}.mp4?key={TOKEN}", Encoding(short_side=64), access)
        source.fetch(CLIP, tmp_path / "clip.mkv")
        source.close()
    assert check_clip(tmp_path / "clip.mkv", CLIP).status == "ok"
    assert all(headers["Cookie"] == f"login={COOKIE}" for headers in server.headers)
    assert all(TOKEN in address for address in server.addresses) and len(server.addresses) >= 2
    lines.check()


def test_cookies_go_to_their_own_host_only(video: Path, tmp_path: Path) -> None:
    jar = cookie_jar(tmp_path / "cookies.txt", "127.0.0.1")
    with serving() as server, serving("127.0.0.2") as other:
        server.answers[f"/{CLIP.ytid}.mp4"] = lambda n, is_range: f"-> {other.url}/v.mp4" if is_range else video
        other.answers["/v.mp4"] = video
        access = Access(allow_private_addresses=True, timeout_seconds=10.0, cookies=str(jar))
        source = YtdlpSource(server.url + "/{ytid}.mp4", Encoding(short_side=64), access)
        source.fetch(CLIP, tmp_path / "clip.mkv")
        source.close()
    assert other.requests["/v.mp4"] and not any("Cookie" in headers for headers in other.headers)


def test_a_relative_redirect_leads_where_the_server_means(video: Path, tmp_path: Path) -> None:
    with serving() as server:
        server.answers[f"/a/{CLIP.ytid}.mp4"] = lambda n, is_range: "-> ../b/v.mp4" if is_range else video
        server.answers["/b/v.mp4"] = video
        source = YtdlpSource(
            server.url + "/a/{ytid}.mp4", Encoding(short_side=64), Access(allow_private_addresses=True)
        )
        source.fetch(CLIP, tmp_path / "clip.mkv")
        source.close()
        assert server.requests["/b/v.mp4"]
    assert check_clip(tmp_path / "clip.mkv", CLIP).status == "ok"


def test_an_address_stands_for_another_and_further_ones_of_a_playlist() -> None:
    hidden = HiddenRequests()
    headers = {"User-Agent": "x", "Cookie": "a=b", "Referer": "http://h/?t=1"}
    url, shown = hidden.hide("http://h:81/s/v.MP4?t=1", headers, is_playlist=False)
    assert url.endswith(".hidden.invalid/media.MP4") and shown == {"User-Agent": "x"}
    secrets = {"Cookie": "a=b", "Referer": "http://h/?t=1"}
    assert hidden.real(url) == ("http://h:81/s/v.MP4?t=1", secrets)
    assert hidden.real(url.replace("hidden", "other")) is None and hidden.real("http://h/") is None
    playlist, _ = hidden.hide("http://h:81/s/l.m3u8?t=1", {}, is_playlist=True)
    assert hidden.real(playlist.replace("l.m3u8", "1.ts?n=2")) == ("http://h:81/s/1.ts?n=2", {})
    assert hidden.hide("https://h/v.mp4?t=1", headers, is_playlist=False) == ("https://h/v.mp4?t=1", headers)


def test_only_redirects_are_changed_on_their_way() -> None:
    head = b"HTTP/1.1 302 Found\r\nServer: x\r\nLocation: ../b?c\r\nX: y"
    assert with_whole_location(head, "http://h/a/v.mp4").split(b"\r\n")[2] == b"Location: http://h/b?c"
    plain = head.replace(b"302 Found", b"200 OK")
    assert with_whole_location(plain, "http://h/a/v.mp4") == plain


def test_the_proxy_serves_this_user_only(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads the proxy's port and an address from a command line must not fetch with this user's cookies."""
    with serving() as server:
        assert is_own_connection(server.server_address)
        monkeypatch.setattr(hidden_requests.os, "getuid", lambda: os.geteuid() + 1)
        assert not is_own_connection(server.server_address)
        monkeypatch.undo()
        monkeypatch.setattr(guard_handler, "is_own_connection", lambda address: False)
        server.answers[f"/{CLIP.ytid}.mp4"] = video
        source = YtdlpSource(server.url + "/{ytid}.mp4", Encoding(short_side=64), Access(allow_private_addresses=True))
        with pytest.raises(Exception, match="network"):
            source.fetch(CLIP, tmp_path / "clip.mkv")
        source.close()
        assert not server.requests


@pytest.fixture
def workspace(tmp_path: Path, root: Path) -> Workspace:
    (tmp_path / "work").mkdir()
    return Workspace(tmp_path / "work", root)


def found_in(folder: Path, leaving_out: set[Path]) -> list[Path]:
    """Return the files below a folder that hold something planted."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink() and path not in leaving_out]
    return [path for path in files if any(text in path.read_bytes() for text in PLANTED)]


@pytest.mark.slow
def test_a_run_leaves_nothing_of_what_was_planted(video: Path, workspace: Workspace, tmp_path: Path) -> None:
    """Clips come through the user's proxy with a token in the address, lists and weights with theirs."""
    jar = cookie_jar(tmp_path / "cookies.txt", "mirror.invalid")
    rows = "".join(f'clip-00000{n}, 1.000, 3.000, "/m/0342h"\n' for n in (1, 2, 3)).encode()
    lines = CommandLines()
    with serving() as server, serving() as proxy:
        server.answers |= {"/segments.csv": rows, "/weights.npy": b"weights"}
        mirror = "http://mirror.invalid"
        proxy.answers = {f"{mirror}/clip-000001.mp4": lines.before(video), f"{mirror}/clip-000002.mp4": 403}
        section = {
            "segments": [f"{server.url}/segments.csv?key={TOKEN}"],
            "subsets": {"environmental": None},
            "parts": 6,
            "source": "http",
            "url_template": f"{mirror}/{{ytid}}.mp4?key={TOKEN}",
            "directory": None,
            "proxy": proxy.url.replace("http://", f"http://me:{PASSWORD}@"),
            "cookies": str(jar),
            "attempts": 1,
            "back_off_seconds": 0.0,
        }
        changed = workspace.configure(
            audioset=section,
            models={"subsets": ["music"]},
            weights={
                "sound8.npy": {
                    "package": None,
                    "member": None,
                    "sha256": None,
                    "url": f"{server.url}/weights.npy?key={TOKEN}",
                }
            },
        )
        manifests = [f"results/demo/manifests/part-{part:04d}.csv" for part in range(6)]
        targets = [*manifests, "resources/weights/sound8.npy"]
        printed = workspace.snakemake(*targets, *changed, "--printshellcmds", "--show-failed-logs").stdout
        assert all((workspace.folder / path).exists() for path in targets), printed[-3000:]
        reported = workspace.snakemake(*manifests, *changed, "--report", "report.zip").stdout
    statuses = [row.status for path in manifests for row in read_manifest(workspace.folder / path).itertuples()]
    assert sorted(statuses) == ["http_error", "ok", "removed"], printed
    assert all(TOKEN in address for address in [*server.addresses, *proxy.addresses])
    assert {headers.get("Cookie") for headers in proxy.headers} == {f"login={COOKIE}"}
    assert all(PASSWORD_BASIC in headers["Proxy-Authorization"] for headers in proxy.headers)
    records = [path for path in (workspace.folder / ".snakemake" / "metadata").rglob("*") if path.is_file()]
    assert any("concealed:" in json.dumps(json.loads(path.read_text())) for path in records)
    assert found_in(workspace.folder, {workspace.folder / "changed.yaml", jar}) == []
    assert not any(text.decode() in said for text in PLANTED for said in (printed, reported))
    lines.check()


@pytest.mark.parametrize(
    "audioset",
    [
        {"source": "http", "url_template": f"ftp://mirror.invalid/{TOKEN}.mp4"},
        {"source": "http", "url_template": [f"http://mirror.invalid/{TOKEN}"]},
        {"source": "http", "url_template": f"http://mirror.invalid/{TOKEN}\n{{ytid}}"},
        {"proxy": [f"http://me:{PASSWORD}@proxy.invalid"]},
        {"segments": [f"https://mirror.invalid/{{{TOKEN}}}"]},
    ],
)
def test_a_configuration_with_a_mistake_repeats_no_address(audioset: dict) -> None:
    with pytest.raises(ConfigError, match=r"audioset\.(url_template|proxy|segments)") as caught:
        read_configuration({"run": "mine", "audioset": audioset})
    assert "SECRET" not in str(caught.value)
