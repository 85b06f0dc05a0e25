"""Downloads: whole or not at all, compared with their checksum, tried again only where that may help."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from l3net.errors import TransferError
from l3net.files import download
from l3net.files.download import download_file
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
    with pytest.raises(TransferError, match=r"^http://127.0.0.1:9/x cannot be fetched: Connection refused$"):
        download_file("http://127.0.0.1:9/x", tmp_path / "x", attempts=1)


def test_a_server_that_is_silent_is_not_waited_for_longer_than_the_timeout(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(TransferError, match=r"cannot be fetched: .*timed out"):
            download_file(url, tmp_path / "x", timeout_seconds=0.2, attempts=1)


@pytest.mark.parametrize("url", ["ftp://example.org/x", "file:///etc/passwd", "example.org/x", ""])
def test_other_addresses_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(TransferError, match=r"is not an http\(s\) address"):
        download_file(url, tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
