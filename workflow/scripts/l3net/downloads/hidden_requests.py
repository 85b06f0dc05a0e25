"""Addresses that ffmpeg's command line must not show, where other users of the machine would read tokens and cookies.

ffmpeg is given another address of a host that does not exist, ``http://{32 digits}.hidden.invalid/media.mp4``. Its
request for that comes to the guard proxy, which asks for the real address with the real headers. It answers processes
of the same user only, so nobody else can use the address.
"""

import os
import re
import secrets
import urllib.parse
from pathlib import Path

_HOST = ".hidden.invalid"
_SECRET_HEADERS = {"authorization", "cookie", "origin", "referer"}
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}$")
_STATUS, _LOCATION = re.compile(rb"HTTP/\S+ 3\d\d"), re.compile(rb"(?im)^location:[ \t]*([^\r\n]+)")


class HiddenRequests:
    """The real requests behind the addresses that were given out."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str, dict[str, str]]] = {}

    def hide(self, url: str, headers: dict[str, str], *, is_playlist: bool) -> tuple[str, dict[str, str]]:
        """Return an address that stands for `url`, and those of its headers that are no secret.

        Parameters
        ----------
        url : an address of http. Another one is returned as it is: a connection that is encrypted from end to end
            cannot be given headers on its way.
        is_playlist : whether the media names further addresses relative to its own, so that its path must be kept.
        """
        parts = urllib.parse.urlsplit(url)
        if parts.scheme != "http":
            return url, headers
        host = f"{secrets.token_hex(16)}{_HOST}"
        suffix = _SUFFIX.search(parts.path)
        path = parts.path if is_playlist else f"/media{suffix[0] if suffix else ''}"
        shown = {name: value for name, value in headers.items() if name.lower() not in _SECRET_HEADERS}
        self._known[host] = (url, path, {name: value for name, value in headers.items() if name not in shown})
        return f"http://{host}{path}", shown

    def real(self, url: str) -> tuple[str, dict[str, str]] | None:
        """Return the real address and secret headers of a request, None for an address that hides nothing."""
        parts = urllib.parse.urlsplit(url)
        if not (parts.hostname or "").endswith(_HOST) or parts.hostname not in self._known:
            return None
        real, path, headers = self._known[parts.hostname]
        if parts.path == path and not parts.query:
            return real, headers
        origin = urllib.parse.urlsplit(real)  # a further address of a playlist
        return urllib.parse.urlunsplit((origin.scheme, origin.netloc, parts.path, parts.query, "")), headers


def with_whole_location(head: bytes, url: str) -> bytes:
    """Return the head of an answer in which a redirect, relative to the real address, leads to a whole address."""
    found = _LOCATION.search(head) if _STATUS.match(head) else None
    if found is None:
        return head
    whole = urllib.parse.urljoin(url, found[1].decode("latin-1").strip())
    return head[: found.start(1)] + whole.encode("latin-1", "replace") + head[found.end(1) :]


def is_own_connection(address: tuple[str, int]) -> bool:
    """Return whether the process at the other end of a connection over loopback is this user's; True where unknown.

    Linux tells the user of every socket in ``/proc/net/tcp``.
    """
    host, port = address
    wanted = "".join(f"{int(part):02X}" for part in reversed(host.split("."))) + f":{port:04X}"
    try:
        rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    except OSError:
        return True
    users = [int(fields[7]) for fields in map(str.split, rows) if fields[1] == wanted]
    return not users or os.getuid() in users
