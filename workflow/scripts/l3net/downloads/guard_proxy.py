"""A proxy on loopback through which all requests of a worker go: yt-dlp's own and those of the ffmpeg that it starts.

Every connection is made here. The proxy refuses addresses of private networks, unless they are allowed, so that no
redirect, no playlist and no name that resolves to another address later can reach them. It also keeps a worker within
its rate, which yt-dlp cannot do for ffmpeg, and passes requests on to the user's own proxy.
"""

import socket
import socketserver
import ssl
import threading
import time
import urllib.parse
from contextlib import suppress

from l3net.downloads.addresses import UserProxy, is_private

_PIECE_BYTES = 1 << 16
_HEAD_BYTES = 1 << 16
_LONGEST_LIFE_TIMEOUTS = 20  # a connection is closed after this many timeouts, even if bytes still come


class RefusedAddress(Exception):
    """Raised for an address that may not be reached."""


class GuardProxy(socketserver.ThreadingTCPServer):
    """The proxy of one worker. It runs in threads of this process until it is closed.

    Parameters
    ----------
    allow_private : whether loopback and private networks may be reached.
    upstream : address of the user's proxy; None takes the proxies of `environment`.
    environment : proxies by scheme, and under ``no`` the hosts that are reached without one.
    rate_limit : bytes that may come in each second over all connections together; None sets no limit.
    timeout_seconds : seconds after which a connection without traffic is closed.

    Attributes
    ----------
    refused : whether a private address was asked for since this was last set to False.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(
        self,
        *,
        allow_private: bool,
        upstream: str | None,
        environment: dict[str, str],
        rate_limit: int | None,
        timeout_seconds: float,
    ) -> None:
        self.upstream = UserProxy.parse(upstream) if upstream else None
        self.environment, self.allow_private, self.timeout_seconds = environment, allow_private, timeout_seconds
        self.rate_limit, self._rate_lock, self._free_at = rate_limit, threading.Lock(), 0.0
        self.refused = False
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        """The address of the proxy."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def close(self) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors of a connection: ffmpeg closes early whenever it seeks."""

    def connect(self, scheme: str, host: str, port: int) -> tuple[socket.socket, UserProxy | None]:
        """Connect to a host, or to the user's proxy that leads to it, which is then returned too.

        Raises
        ------
        RefusedAddress
            The address is private.
        """
        upstream = self.upstream or UserProxy.of_environment(scheme, host, self.environment)
        if upstream is None:
            return self._connect_to(self._checked(host, port)), None
        with suppress(socket.gaierror):  # perhaps only the user's proxy can resolve the name
            self._checked(host, port)
        link = socket.create_connection((upstream.host, upstream.port), self.timeout_seconds)
        if upstream.secure:
            link = ssl.create_default_context().wrap_socket(link, server_hostname=upstream.host)
        return link, upstream

    def slow_down(self, n_bytes: int) -> None:
        """Wait as long as `n_bytes` take at the rate limit."""
        if self.rate_limit is None:
            return
        with self._rate_lock:
            self._free_at = max(self._free_at, time.monotonic()) + n_bytes / self.rate_limit
            free_at = self._free_at
        time.sleep(max(free_at - time.monotonic(), 0.0))

    def _checked(self, host: str, port: int) -> list[tuple]:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        usable = [one for one in found if self.allow_private or not is_private(one[4][0])]
        if not usable:
            self.refused = True
            raise RefusedAddress(host)
        return usable

    def _connect_to(self, addresses: list[tuple]) -> socket.socket:
        for family, kind, protocol, _, address in addresses:
            link = socket.socket(family, kind, protocol)
            link.settimeout(self.timeout_seconds)
            try:
                link.connect(address)
            except OSError as error:
                link.close()
                failed = error
            else:
                return link
        raise failed


class _Handler(socketserver.BaseRequestHandler):
    """Serves one connection of a client, which asks with a whole address or with CONNECT."""

    server: GuardProxy

    def handle(self) -> None:
        self.request.settimeout(self.server.timeout_seconds)
        head, body = self._read_head()
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
            upward = threading.Thread(target=self._pipe, args=(self.request, link, False), daemon=True)
            upward.start()
            self._pipe(link, self.request, True)
            for end in (link, self.request):
                _shut(end)
            upward.join()

    def _read_head(self) -> tuple[list[str], bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.request.recv(_PIECE_BYTES)
            if not piece or len(data) > _HEAD_BYTES:
                return [], b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        return head.decode("latin-1").split("\r\n"), body

    def _open(self, method: str, target: str, version: str, headers: list[str]) -> tuple[socket.socket, bytes]:
        """Connect for a request; return the connection and the bytes to send on it first."""
        if method == "CONNECT":
            address = urllib.parse.urlsplit(f"//{target}")
            link, upstream = self.server.connect("https", address.hostname or "", address.port or 443)
            if upstream is None:
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                return link, b""
            return link, f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{upstream.authorization}\r\n".encode()
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
        with suppress(OSError):  # either end may leave at any time
            while time.monotonic() < ends_at and (piece := source.recv(size)):
                if is_download:
                    self.server.slow_down(len(piece))
                sink.sendall(piece)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):  # gone already
        end.shutdown(socket.SHUT_RDWR)
