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
from contextlib import suppress

from l3net.downloads.addresses import ENVIRONMENT_PROXY, UserProxy, is_private
from l3net.downloads.guard_handler import GuardHandler, RefusedAddress
from l3net.downloads.hidden_requests import HiddenRequests
from l3net.errors import ConfigError
from l3net.network import connection_words, split_proxy


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
    failure : what kept a connection from being made since this was last emptied, in words.
    hidden : addresses that stand for others (`hidden_requests`).
    cookies_for : returns the Cookie header of an address of http, which is added where a request has none.
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
        for scheme in ("http", "https"):
            if environment.get(scheme):
                split_proxy(environment[scheme], ENVIRONMENT_PROXY)
        self.environment, self.allow_private, self.timeout_seconds = environment, allow_private, timeout_seconds
        self.rate_limit, self._rate_lock, self._free_at = rate_limit, threading.Lock(), 0.0
        self.refused, self.failure = False, ""
        self.hidden, self.cookies_for = HiddenRequests(), _no_cookies
        super().__init__(("127.0.0.1", 0), GuardHandler)
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
        try:
            upstream = self.upstream or UserProxy.of_environment(scheme, host, self.environment)
        except ConfigError as error:  # a kind that ffmpeg does not know, such as SOCKS
            self.failure = str(error)
            raise OSError(self.failure) from None
        try:
            if upstream is None:
                return self._connect_to(self._checked(host, port)), None
            with suppress(socket.gaierror):  # perhaps only the user's proxy can resolve the name
                self._checked(host, port)
            link = socket.create_connection((upstream.host, upstream.port), self.timeout_seconds)
            if upstream.secure:
                link = ssl.create_default_context().wrap_socket(link, server_hostname=upstream.host)
        except OSError as error:
            asked = (host, port) if upstream is None else (upstream.host, upstream.port)
            words = connection_words(error, *asked, self.timeout_seconds)
            self.failure = words if upstream is None else f"your proxy (audioset.proxy, https_proxy): {words}"
            raise
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


def _no_cookies(url: str) -> str | None:
    return None
