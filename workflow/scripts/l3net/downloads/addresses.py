"""Addresses on the network: which of them are private, and which proxy leads to a host."""

import base64
import ipaddress
import urllib.parse
import urllib.request
from dataclasses import dataclass

from l3net.errors import ConfigError
from l3net.network import split_proxy

ENVIRONMENT_PROXY = "your proxy (http_proxy or https_proxy of the environment)"

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")  # IPv4-compatible addresses, given up (RFC 4291)
_TRANSLATED = ipaddress.ip_network("::ffff:0:0:0/96")  # IPv4-translated addresses (RFC 2765)
# Networks that are not public and that Python 3.11 takes for public: site-local (RFC 3879), local NAT64 (RFC 8215),
# segment routing (RFC 9602), addresses for documents (RFC 9637) and for protocols (RFC 6890).
_NOT_PUBLIC = [
    ipaddress.ip_network(text) for text in ("fec0::/10", "64:ff9b:1::/48", "5f00::/16", "3fff::/20", "192.0.0.0/24")
]


@dataclass(frozen=True)
class UserProxy:
    """A proxy of the user's.

    Parameters
    ----------
    secure : whether the connection to the proxy itself is encrypted.
    authorization : the header line that holds the password, or nothing.
    """

    secure: bool
    host: str
    port: int
    authorization: str = ""

    @classmethod
    def parse(cls, address: str, whose: str = "audioset.proxy") -> "UserProxy":
        """Read an address such as ``http://user:password@host:8080``; messages call it `whose`.

        Raises
        ------
        ConfigError
            It is no address, or its scheme is neither http nor https; the message does not repeat it, since it may hold
            a password.
        """
        parts = split_proxy(address, whose)
        port = parts.port
        if parts.scheme not in {"http", "https"}:
            raise ConfigError(
                f"{whose} has the scheme {parts.scheme!r}; expected http://... or https://... (ffmpeg, which"
                " fetches the ranges, knows no SOCKS)"
            )
        secret = ""
        if parts.username:
            pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
            secret = f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}\r\n"
        secure = parts.scheme == "https"
        return cls(secure, parts.hostname, port or (443 if secure else 80), secret)

    @classmethod
    def of_environment(cls, scheme: str, host: str, proxies: dict[str, str]) -> "UserProxy | None":
        """Choose the proxy for a host among those of the environment, as ``urllib.request.getproxies`` gives them."""
        address = proxies.get(scheme)
        return (
            None
            if not address or urllib.request.proxy_bypass_environment(host, proxies)
            else cls.parse(address, ENVIRONMENT_PROXY)
        )


def is_private(address: str) -> bool:
    """Return whether an IP address, in whatever notation it is wrapped, lies outside the public internet."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if any(ip in network for network in _NOT_PUBLIC):
        return True
    if ip.version == 6:
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if ip in _NAT64 or ip in _TRANSLATED or (ip in _COMPATIBLE and int(ip) > 1):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner:
            return is_private(str(inner))
    return not ip.is_global or ip.is_multicast
