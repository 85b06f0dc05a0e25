"""The guard proxy: what passes, what it adds and takes away, and how it keeps to the rate."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from l3net.downloads.guard_proxy import GuardProxy
from tests.loopback import serving


@contextmanager
def opened(**settings: object) -> Iterator[GuardProxy]:
    defaults = {"allow_private": True, "upstream": None, "environment": {}, "rate_limit": None, "timeout_seconds": 5.0}
    guard = GuardProxy(**defaults | settings)
    yield guard
    guard.close()


def ask(guard: GuardProxy, *messages: str) -> bytes:
    """Send messages one after the other, the next when something has come back; return all that came."""
    received = b""
    with socket.create_connection(guard.server_address, 5.0) as link:
        for message in messages:
            link.sendall(message.encode())
            received += link.recv(1 << 16)
        while piece := link.recv(1 << 16):
            received += piece
    return received


def test_whole_addresses_become_paths_and_proxy_headers_go():
    with serving() as server, opened() as guard:
        server.answers["/a"] = b"hello"
        answer = ask(
            guard, f"GET {server.url}/a?b=c HTTP/1.1\r\nHost: x\r\nProxy-Connection: keep-alive\r\nX-Y: z\r\n\r\n"
        )
        assert answer.endswith(b"hello")
        assert server.headers == [{"Host": "x", "X-Y": "z", "Connection": "close"}]


def test_tunnel():
    with serving() as server, opened() as guard:
        server.answers["/a"] = b"hello"
        host = server.url.removeprefix("http://")
        answer = ask(guard, f"CONNECT {host} HTTP/1.1\r\n\r\n", "GET /a HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"hello")


@pytest.mark.parametrize("request_line", ["CONNECT 127.0.0.1:{port}", "GET http://localhost:{port}/a", "GET /a"])
def test_private_addresses_are_refused(request_line):
    with serving() as server, opened(allow_private=False) as guard:
        line = request_line.replace("{port}", str(server.server_address[1]))
        assert ask(guard, f"{line} HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 403 ")
        assert not server.requests


def test_refusal_is_remembered_for_the_reason():
    with opened(allow_private=False) as guard:
        assert not guard.refused
        ask(guard, "GET http://169.254.169.254/latest HTTP/1.1\r\n\r\n")
        assert guard.refused


def test_users_proxy_gets_the_whole_address_and_the_password():
    with serving() as proxy, opened(upstream=proxy.url.replace("http://", "http://me:p%40ss@")) as guard:
        proxy.answers["http://example.invalid/a"] = b"by proxy"
        assert ask(guard, "GET http://example.invalid/a HTTP/1.1\r\nHost: x\r\n\r\n").endswith(b"by proxy")
        assert proxy.headers[0]["Proxy-Authorization"] == "Basic bWU6cEBzcw=="


def test_proxies_of_the_environment_and_their_exceptions():
    with serving() as proxy, serving() as server:
        server.answers["/a"] = b"direct"
        proxy.answers[f"{server.url}/a"] = b"by proxy"
        line = f"GET {server.url}/a HTTP/1.1\r\nHost: x\r\n\r\n"
        with opened(environment={"http": proxy.url}) as guard:
            assert ask(guard, line).endswith(b"by proxy")
        with opened(environment={"http": proxy.url, "no": "127.0.0.1"}) as guard:
            assert ask(guard, line).endswith(b"direct")


def test_a_server_that_is_not_there_is_a_closed_connection():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with opened() as guard:
        assert ask_or_nothing(guard, f"GET http://127.0.0.1:{port}/ HTTP/1.1\r\n\r\n") == b""


def ask_or_nothing(guard: GuardProxy, message: str) -> bytes:
    try:
        return ask(guard, message)
    except ConnectionError:
        return b""


def test_rate_is_that_of_all_connections_together(monkeypatch):
    waits = []
    with opened(rate_limit=1000) as guard, monkeypatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: 1e9)
        patch.setattr(time, "sleep", waits.append)
        for n_bytes in (500, 250, 1000):
            guard.slow_down(n_bytes)
    assert waits == [0.5, 0.75, 1.75]


def test_what_comes_in_is_held_to_the_rate_and_in_pieces_that_pace():
    counted = []
    with serving() as server, opened(rate_limit=80_000) as guard:
        guard.slow_down = counted.append
        server.answers["/a"] = bytes(100_000)
        answer = ask(guard, f"GET {server.url}/a HTTP/1.1\r\nHost: x\r\n\r\n")
    assert sum(counted) == len(answer) > 100_000
    assert max(counted) <= 10_000
