"""Downloads: whole or not at all, compared with their checksum, tried again only where that may help."""

import gzip
import hashlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from l3net.errors import TransferError
from l3net.network import download
from l3net.network.download import download_file
from tests.loopback import Server, serving

CONTENT = bytes(range(256)) * 4000


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr(download.time, "sleep", waited.append)
    return waited


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        running.answers = {"/file.bin": CONTENT, "/moved.bin": "-> /file.bin"}
        yield running


def half_a_file(n_answers: int) -> tuple[str, list[bytes]]:
    """Serve a file whose connection ends after half of it; return its address and the requests as they come."""
    listener = socket.create_server(("127.0.0.1", 0))
    requests: list[bytes] = []

    def answer() -> None:
        for _ in range(n_answers):
            link, _ = listener.accept()
            with link:
                requests.append(link.recv(1 << 16))
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(CONTENT)}\r\n\r\n".encode()
                link.sendall(head + CONTENT[: len(CONTENT) // 2])

    threading.Thread(target=answer, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/file.bin", requests


@pytest.mark.parametrize("path", ["/file.bin", "/moved.bin"])
@pytest.mark.parametrize("algorithm", [None, "md5", "sha256"])
def test_a_file_comes_whole(server: Server, tmp_path: Path, path: str, algorithm: str | None) -> None:
    known = algorithm and f"{algorithm}:{hashlib.new(algorithm, CONTENT).hexdigest().upper()}"
    download_file(server.url + path, tmp_path / "new" / "file.bin", known_hash=known)
    assert (tmp_path / "new" / "file.bin").read_bytes() == CONTENT
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["file.bin"]


def test_another_checksum_leaves_the_old_file(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "file.bin"
    target.write_text("old")
    found = hashlib.md5(CONTENT).hexdigest()
    with pytest.raises(
        TransferError, match=rf"/file\.bin: the MD5 hash is {found}, expected 00ff; the file is not kept"
    ):
        download_file(f"{server.url}/file.bin", target, known_hash="md5:00ff")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
    assert server.requests["/file.bin"] == 1


def test_half_a_file_is_never_taken_for_whole(tmp_path: Path, pauses: list[float]) -> None:
    url, requests = half_a_file(3)
    with pytest.raises(TransferError, match=r"/file\.bin cannot be fetched: .*\(attempt 3 of 3\)") as caught:
        download_file(url, tmp_path / "file.bin")
    assert "\n" not in str(caught.value)
    assert len(requests) == 3
    assert pauses == [1.0, 2.0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("trouble", [500, 503, 429, "reset"])
def test_trouble_that_passes_is_waited_for(
    server: Server, tmp_path: Path, trouble: int | str, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers["/file.bin"] = lambda n, is_range: trouble if n < 3 else CONTENT
    download_file(f"{server.url}/file.bin", tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert caplog.text.count("trying again") == 2


@pytest.mark.parametrize(("status", "reason"), [(404, "404 Not Found"), (403, "403 Forbidden"), (410, "410 Gone")])
def test_a_refusal_is_final(server: Server, tmp_path: Path, status: int, reason: str) -> None:
    server.answers["/file.bin"] = status
    with pytest.raises(TransferError, match=f"^{server.url}/file.bin cannot be fetched: {reason}$"):
        download_file(f"{server.url}/file.bin", tmp_path / "file.bin")
    assert server.requests["/file.bin"] == 1
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_is_one_short_line(tmp_path: Path) -> None:
    with pytest.raises(TransferError, match=r"x cannot be fetched: nothing listens at port 9 of 127\.0\.0\.1"):
        download_file("http://127.0.0.1:9/x", tmp_path / "x", attempts=1)


def test_a_server_that_is_silent_is_not_waited_for_longer_than_the_timeout(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(TransferError, match=r"cannot be fetched: 127\.0\.0\.1 does not answer within 0\.2 s"):
            download_file(url, tmp_path / "x", timeout_seconds=0.2, attempts=1)


@pytest.mark.parametrize("url", ["ftp://example.org/x", "file:///etc/passwd", "example.org/x", ""])
def test_other_addresses_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(TransferError, match=r"is not an http\(s\) address"):
        download_file(url, tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_a_host_that_no_name_server_knows_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> list:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(TransferError, match=r"the host mirror\.invalid cannot be resolved: no name server knows it"):
        download_file("http://mirror.invalid/x", tmp_path / "x", attempts=1)


def test_a_redirect_that_leads_round_in_circles_is_told_so_and_not_tried_again(server: Server, tmp_path: Path) -> None:
    server.answers = {"/a": "-> /b", "/b": "-> /a"}
    with pytest.raises(TransferError, match=r"/a cannot be fetched: it redirects without end$"):
        download_file(f"{server.url}/a", tmp_path / "x")
    assert server.requests["/a"] < 40


def test_a_proxy_of_the_environment_is_named_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://me:SECRET@127.0.0.1:9")
    with pytest.raises(TransferError, match=r"your proxy \(from the environment\): nothing listens at") as caught:
        download_file("http://mirror.invalid/x", tmp_path / "x", attempts=1)
    assert "SECRET" not in str(caught.value)


def endless(head: bytes, piece: bytes, most: int = 1 << 24) -> tuple[str, list[int]]:
    """Serve a body without end, at most `most` bytes of it; return its address and how much was sent."""
    listener, sent = socket.create_server(("127.0.0.1", 0)), [0]

    def answer() -> None:
        link, _ = listener.accept()
        with link:
            link.recv(1 << 16)
            try:
                link.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
                while sent[0] < most:
                    link.sendall(piece)
                    sent[0] += len(piece)
            except OSError:
                pass

    threading.Thread(target=answer, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/file.bin?token=SECRET", sent


def test_a_body_without_end_ends_at_its_bound(tmp_path: Path) -> None:
    url, sent = endless(b"", b"x" * 65536)
    with pytest.raises(TransferError, match=r"/file\.bin: more than 2 MB come") as caught:
        download_file(url, tmp_path / "x", most=2_000_000)
    assert sent[0] < 16_000_000 and "SECRET" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_what_inflates_without_end_ends_at_its_bound(tmp_path: Path) -> None:
    """A server may pack what it sends, whatever it was asked for."""
    packed = gzip.compress(bytes(40_000_000))
    url, _ = endless(b"Content-Encoding: gzip\r\nContent-Length: %d\r\n" % len(packed), packed, most=len(packed))
    with pytest.raises(TransferError, match=r"/file\.bin: more than 2 MB come"):
        download_file(url, tmp_path / "x", most=2_000_000)
    assert list(tmp_path.iterdir()) == []


def test_a_size_that_is_stated_is_believed_where_it_is_too_large(tmp_path: Path) -> None:
    url, sent = endless(b"Content-Length: 5000000000000\r\n", b"x" * 65536)
    with pytest.raises(TransferError, match=r"/file\.bin: its server states 5000000 MB; at most 2 MB are taken of it"):
        download_file(url, tmp_path / "x", most=2_000_000)
    assert sent[0] < 16_000_000


def test_messages_show_no_token_of_an_address(server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for answer in (404, 503):
        server.answers["/file.bin"] = answer
        with pytest.raises(TransferError, match=r"/file\.bin cannot be fetched") as caught:
            download_file(f"{server.url}/file.bin?key=SECRET", tmp_path / "x")
        assert "SECRET" not in str(caught.value)
    assert "trying again" in caplog.text and "SECRET" not in caplog.text


PASSWORDS = ["http://u:SE[CRET@h:80", "http://u:SECRET@h:99999", "http://u:SECRET@h:port", "http://u:SEC/RET@h:80"]
PASSWORDS += ["http://u:SECRET@", "http://u:SEC#RET@127.0.0.1:1", "http://u:1?SECRET@127.0.0.1", "http:/u:SECRET@h"]


@pytest.mark.parametrize("proxy", PASSWORDS)
def test_a_proxy_of_the_environment_that_is_no_address_is_never_repeated(
    proxy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", proxy)
    said = (
        r"^http://example\.invalid/a cannot be fetched: your proxy \(from the environment\) cannot be read as an addr"
    )
    with pytest.raises(TransferError, match=said) as caught:
        download_file("http://example.invalid/a", tmp_path / "a")
    assert "SE" not in str(caught.value)
    assert "RET" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert list(tmp_path.iterdir()) == []
