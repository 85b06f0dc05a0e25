"""Private addresses in every notation, and proxies as users write them."""

import pytest

from l3net.downloads.addresses import UserProxy, is_private
from l3net.downloads.guard_proxy import GuardProxy
from l3net.errors import ConfigError


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
     "::1",     "::", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1",
     "fec0::1", "feff::1", "64:ff9b:1::808:808", "::127.0.0.1", "::10.0.0.1", "5f00::1", "ff02::1",
     "::ffff:0:127.0.0.1", "3fff::1", "192.0.0.8"],
)  # fmt: skip
def test_private_addresses(address):
    assert is_private(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "142.250.1.1", "2a00:1450::1", "64:ff9b::808:808", "::ffff:8.8.8.8", "2606:4700::1"]
)
def test_public_addresses(address):
    assert not is_private(address)


@pytest.mark.parametrize("address", ["socks5://user:SECRET@host:1080", "ftp://host"])
def test_proxies_that_cannot_be_used(address):
    with pytest.raises(ConfigError, match=r"audioset\.proxy has the scheme") as caught:
        UserProxy.parse(address)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "http://me:pass#SECRET@host:8080",
        "http://me:SEC/RET@host:80",
        "http://host:SECRET",
        "http://[SECRET@host",
        "http://me:1/SECRET@host:80",
        "http://me:1?SECRET@host",
        "http://me:1#SECRET@host",
        "http:/me:SECRET@host",
        "http://",
    ],
)
def test_a_proxy_that_cannot_be_parsed_is_never_repeated(address: str) -> None:
    with pytest.raises(
        ConfigError, match=r"audioset\.proxy cannot be read as an address; expected http://user"
    ) as caught:
        UserProxy.parse(address)
    assert "SEC" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("address", "host", "port", "secure"),
    [
        ("proxy.example.org:3128", "proxy.example.org", 3128, False),
        ("http://proxy.example.org", "proxy.example.org", 80, False),
        ("https://proxy.example.org/", "proxy.example.org", 443, True),
    ],
)
def test_proxies(address, host, port, secure):
    assert UserProxy.parse(address) == UserProxy(secure, host, port)


def test_a_password_becomes_a_header_and_nothing_else() -> None:
    proxy = UserProxy.parse("http://me:p%40ss@proxy.example.org:3128")
    assert (proxy.host, proxy.port) == ("proxy.example.org", 3128)
    assert proxy.authorization == "Proxy-Authorization: Basic bWU6cEBzcw==\r\n"


def test_the_environments_proxy_is_taken_by_scheme_and_host() -> None:
    proxies = {"http": "http://one:1", "https": "http://two:2", "no": "mirror.example.org"}
    assert UserProxy.of_environment("http", "example.org", proxies).host == "one"
    assert UserProxy.of_environment("https", "example.org", proxies).host == "two"
    assert UserProxy.of_environment("http", "mirror.example.org", proxies) is None
    assert UserProxy.of_environment("http", "example.org", {}) is None


def test_a_proxy_of_the_environment_that_cannot_be_parsed_is_told_at_once() -> None:
    """In a thread of the guard proxy nobody would hear of it."""
    how = {"allow_private": False, "upstream": None, "rate_limit": None, "timeout_seconds": 5.0}
    with pytest.raises(
        ConfigError, match=r"^your proxy \(http_proxy or https_proxy of the environment\) cannot"
    ) as caught:
        GuardProxy(environment={"https": "http://me:SEC/RET@host:80"}, **how)
    assert "SEC" not in str(caught.value)
    guard = GuardProxy(environment={"http": "socks5://me:SECRET@host:80"}, **how)
    with pytest.raises(OSError, match="has the scheme 'socks5'"):
        guard.connect("http", "example.org", 80)
    assert guard.failure.startswith("your proxy (http_proxy or https_proxy of the environment) has the scheme 'socks5'")
    assert "SECRET" not in guard.failure
    guard.close()
