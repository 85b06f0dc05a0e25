"""One connection of a client with the guard proxy: what it asks for, and what is passed on to and fro."""

import socket
import socketserver
import threading
import time
import urllib.parse
from contextlib import suppress
from typing import TYPE_CHECKING

from l3net.downloads.hidden_requests import is_own_connection, with_whole_location

if TYPE_CHECKING:
    from l3net.downloads.guard_proxy import GuardProxy

_PIECE_BYTES = 1 << 16
_HEAD_BYTES = 1 << 16
_LONGEST_LIFE_TIMEOUTS = 20  # a connection is closed after this many timeouts, even if bytes still come


class RefusedAddress(Exception):
    """Raised for an address that may not be reached."""


class GuardHandler(socketserver.BaseRequestHandler):
    """Serves one connection of a client, which asks with a whole address or with CONNECT."""

    server: "GuardProxy"
    _real = ""  # the address behind a hidden one

    def handle(self) -> None:
        self.request.settimeout(self.server.timeout_seconds)
        if not is_own_connection(self.client_address):
            return
        head, body = self._read_head(self.request)
        if not head:
            return
        method, target, version = head[0].split(" ", 2)
        try:
            link, opening = self._open(method, target, version, head[1:])
        except RefusedAddress:
            self.request.sendall(b"HTTP/1.1 403 Private address\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            return
        except OSError:
            return  # the connection closes without an answer, which the client takes for a failure of the network
        with link:
            link.sendall(opening + body)
            if self._real:
                self._answer_with_whole_location(link)
            upward = threading.Thread(target=self._pipe, args=(self.request, link, False), daemon=True)
            upward.start()
            self._pipe(link, self.request, True)
            for end in (link, self.request):
                _shut(end)
            upward.join()

    def _read_head(self, link: socket.socket) -> tuple[list[str], bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = link.recv(_PIECE_BYTES)
            if not piece or len(data) > _HEAD_BYTES:
                return [], b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        return head.decode("latin-1").split("\r\n"), body

    def _answer_with_whole_location(self, link: socket.socket) -> None:
        """Pass the head of the answer on; a redirect in it is relative to an address that the client does not know."""
        with suppress(OSError):  # told by `_pipe`, which meets the same
            head, body = self._read_head(link)
            if head:
                whole = with_whole_location("\r\n".join(head).encode("latin-1"), self._real)
                self.request.sendall(whole + b"\r\n\r\n" + body)

    def _open(self, method: str, target: str, version: str, headers: list[str]) -> tuple[socket.socket, bytes]:
        """Connect for a request; return the connection and the bytes to send on it first."""
        if method == "CONNECT":
            address = urllib.parse.urlsplit(f"//{target}")
            link, upstream = self.server.connect("https", address.hostname or "", address.port or 443)
            if upstream is None:
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                return link, b""
            return link, f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{upstream.authorization}\r\n".encode()
        secrets = {}
        if found := self.server.hidden.real(target):
            target, secrets = found
            self._real = target
            headers = [f"Host: {_host_of(target)}", *(one for one in headers if not one.lower().startswith("host:"))]
        if not any(line.lower().startswith("cookie:") for line in headers) and "Cookie" not in secrets:
            cookies = self.server.cookies_for(target)
            secrets |= {"Cookie": cookies} if cookies else {}
        headers = [*headers, *(f"{name}: {value}" for name, value in secrets.items())]
        address = urllib.parse.urlsplit(target)
        if address.scheme != "http" or not address.hostname:
            raise RefusedAddress(target)
        link, upstream = self.server.connect("http", address.hostname, address.port or 80)
        kept = [line for line in headers if not line.lower().startswith(("proxy-", "connection:", "keep-alive:"))]
        path = target if upstream else urllib.parse.urlunsplit(("", "", address.path or "/", address.query, ""))
        lines = [f"{method} {path} {version}", *kept, "Connection: close"]
        secret = upstream.authorization if upstream else ""
        return link, ("\r\n".join(lines) + "\r\n" + secret + "\r\n").encode("latin-1")

    def _pipe(self, source: socket.socket, sink: socket.socket, is_download: bool) -> None:
        limit = self.server.rate_limit
        ends_at = time.monotonic() + _LONGEST_LIFE_TIMEOUTS * self.server.timeout_seconds
        size = _PIECE_BYTES if limit is None else max(min(_PIECE_BYTES, limit // 8), 1)
        try:
            while time.monotonic() < ends_at and (piece := source.recv(size)):
                if is_download:
                    self.server.slow_down(len(piece))
                sink.sendall(piece)
        except TimeoutError:
            if is_download:
                self.server.failure = f"the server sends nothing for {self.server.timeout_seconds:g} s"
        except OSError:
            pass  # either end may leave at any time


def _host_of(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc.rpartition("@")[2]


def _shut(end: socket.socket) -> None:
    with suppress(OSError):  # gone already
        end.shutdown(socket.SHUT_RDWR)
