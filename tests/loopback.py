"""A web server on loopback for tests: whole files and byte ranges, refusals, failures that pass, redirects."""

import http.server
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Answer = Path | int | str | bytes | Callable[[int, bool], "Answer"]


class Server(http.server.ThreadingHTTPServer):
    """Serves ``answers[path]``: a file, a status, ``"reset"``, ``"-> address"`` (redirect), bytes of a text file.

    An answer may be a function of the number of the request (from 1) and of whether it asks for a range.
    """

    daemon_threads = True

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__((host, 0), _Handler)
        self.answers: dict[str, Answer] = {}
        self.requests: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []
        self.addresses: list[str] = []
        self.lock = threading.Lock()
        self.gives_ranges = True

    @property
    def url(self) -> str:
        """The server's address, without a slash at the end."""
        return f"http://{self.server_address[0]}:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        """Clients that leave early are none of the test's concern."""


@contextmanager
def serving(host: str = "127.0.0.1") -> Iterator[Server]:
    """Yield a running server."""
    with Server(host) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer as the server is told to."""
        path = self.path.partition("?")[0]
        ranges = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        with self.server.lock:
            self.server.requests[path] += 1
            self.server.headers.append(dict(self.headers))
            self.server.addresses.append(self.path)
            n = self.server.requests[path]
        answer = self.server.answers.get(path, 404)
        if callable(answer):
            answer = answer(n, ranges is not None)
        if answer == "reset":
            self.close_connection = True
        elif isinstance(answer, int):
            self.send_error(answer)
        elif isinstance(answer, str):
            self.send_response(302)
            self.send_header("Location", answer.removeprefix("-> "))
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            is_file = isinstance(answer, Path)
            self._send(answer.read_bytes() if is_file else answer, "video/mp4" if is_file else "text/plain", ranges)

    do_HEAD = do_GET

    def _send(self, data: bytes, kind: str, ranges: re.Match | None) -> None:
        ranges = ranges if self.server.gives_ranges else None
        first = int(ranges[1]) if ranges else 0
        last = min(int(ranges[2]), len(data) - 1) if ranges and ranges[2] else len(data) - 1
        self.send_response(206 if ranges else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Accept-Ranges", "bytes" if self.server.gives_ranges else "none")
        self.send_header("Content-Length", str(last - first + 1))
        if ranges:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[first : last + 1])
