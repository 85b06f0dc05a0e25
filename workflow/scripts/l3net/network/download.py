"""Fetching one file from an http(s) address, whole and with its checksum compared."""

import logging
import socket
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from l3net.errors import ConfigError, TransferError
from l3net.files.atomic import replacing
from l3net.network.addresses import reveal, shown_address, split_proxy

_WORTH_ANOTHER_ATTEMPT = {408, 425, 429}  # beside all 5xx: the server asks to come back later
_FIRST_PAUSE_SECONDS = 1.0  # twice as long before each further attempt
_log = logging.getLogger("l3net")


def download_file(
    url: str,
    target: Path,
    *,
    most: int = 4_000_000_000,
    known_hash: str | None = None,
    timeout_seconds: float = 60.0,
    attempts: int = 3,
) -> None:
    """Fetch the file at `url` to `target`, whole or not at all.

    Parameters
    ----------
    url : an http(s) address; redirects are followed. Messages show it without what may be a secret.
    most : bytes that may come; of a file that is larger no more are read, whatever its server says of its size.
    known_hash : ``{algorithm}:{hexadecimal digest}`` such as ``md5:9aa1...``; None compares nothing.
    timeout_seconds : seconds to wait for a connection and for each further piece of the file.
    attempts : how often a connection that fails and a server that is busy are tried.

    Raises
    ------
    TransferError
        The address is not http(s), the file cannot be fetched, is too large, arrives cut off, or has another checksum.
    """
    url = reveal(url)
    shown = shown_address(url)
    if not url.startswith(("https://", "http://")):
        raise TransferError(f"{shown!r} is not an http(s) address")
    _check_proxy(url)
    with replacing(target) as temporary:
        for attempt in range(1, attempts + 1):
            try:
                _transfer(url, temporary, timeout_seconds, most)
                break
            except OSError as error:  # every error of requests is an OSError
                if attempt == attempts or not _may_pass(error):
                    tried = f" (attempt {attempt} of {attempts})" if attempt > 1 else ""
                    reason = _reason(error, url, timeout_seconds)
                    raise TransferError(f"{shown} cannot be fetched: {reason}{tried}") from None
                _log.warning("%s: %s; trying again", shown, _reason(error, url, timeout_seconds))
                time.sleep(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
        if known_hash is not None:
            _compare_hash(shown, temporary, known_hash)


def _check_proxy(url: str) -> None:
    """Refuse a proxy of the environment that is no address, whose password requests and urllib3 would repeat."""
    import requests

    try:
        proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
        if proxy:
            split_proxy(proxy, "your proxy (from the environment)")
    except ConfigError as error:
        raise TransferError(f"{shown_address(url)} cannot be fetched: {error}") from None


class _Meter:
    """Counts the bytes that come, as pooch tells a bar of progress, and ends the transfer where they are too many."""

    def __init__(self, most: int, url: str) -> None:
        self.total, self._n, self._most, self._url = 0, 0, most, shown_address(url)

    def update(self, n_bytes: int) -> None:
        self._n += n_bytes
        if self._n > self._most + n_bytes:  # pooch counts the last piece as a whole one
            raise TransferError(
                f"{self._url}: more than {self._most / 1e6:.0f} MB come, which is the most that is taken of it"
            )

    def reset(self) -> None:
        """Do nothing, since nothing is drawn."""

    close = reset


def _transfer(url: str, target: Path, timeout_seconds: float, most: int) -> None:
    """Write what the address gives to `target`; raise OSError where fewer bytes come than the server promised."""
    import pooch  # here, since it takes a tenth of a second to load

    answers = []
    fetch = pooch.HTTPDownloader(
        timeout=timeout_seconds,
        headers={"Accept-Encoding": "identity"},  # so that Content-Length counts the bytes of the file
        hooks={"response": lambda response, **_: answers.append(_of_size(response, most, url))},
        progressbar=_Meter(most, url),
    )
    fetch(url, str(target), None)
    promised = answers[-1].headers.get("Content-Length")
    n_bytes = target.stat().st_size
    is_plain = answers[-1].headers.get("Content-Encoding", "identity") == "identity"
    if promised is not None and is_plain and promised.isdigit() and n_bytes != int(promised):
        raise OSError(f"{n_bytes} of {promised} bytes came")


def _of_size(response: Any, most: int, url: str) -> Any:
    """Return an answer whose stated size is not too large."""
    stated = response.headers.get("Content-Length", "0")
    if stated.isascii() and stated.isdigit() and int(stated[:30]) > most:
        raise TransferError(
            f"{shown_address(url)}: its server states {int(stated[:30]) / 1e6:.0f} MB; at most {most / 1e6:.0f} MB"
            " are taken of it"
        )
    return response


def _compare_hash(url: str, path: Path, known_hash: str) -> None:
    import pooch

    algorithm, _, expected = known_hash.partition(":")
    found = pooch.file_hash(str(path), alg=algorithm)
    if found != expected.lower():
        raise TransferError(
            f"{url}: the {algorithm.upper()} hash is {found}, expected {expected}; the file is not kept"
        )


def _may_pass(error: OSError) -> bool:
    """Return whether another attempt may succeed; not where the server answered that it will not."""
    import requests

    if isinstance(error, requests.TooManyRedirects):
        return False
    answer = getattr(error, "response", None)
    return answer is None or answer.status_code >= 500 or answer.status_code in _WORTH_ANOTHER_ATTEMPT


def connection_words(error: BaseException, host: str, port: int, timeout_seconds: float) -> str:
    """Return in words why a connection to a host failed."""
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return f"the host {host} cannot be resolved: no name server knows it; is it spelt right, is there a network?"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return f"nothing listens at port {port} of {host} (connection refused)"
    if any(isinstance(cause, TimeoutError) or "timed out" in str(cause) for cause in causes):
        return f"{host} does not answer within {timeout_seconds:g} s"
    system = [cause.strerror for cause in causes if getattr(cause, "strerror", None)]
    said = system[-1] if system else str(error).strip() or type(error).__name__
    return said.splitlines()[0][:200]


def _reason(error: OSError, url: str, timeout_seconds: float) -> str:
    """Return an error of requests as one line: the server's answer, or what the system said underneath."""
    import requests

    if isinstance(error, requests.TooManyRedirects):
        return "it redirects without end"
    if (answer := getattr(error, "response", None)) is not None:
        return f"{answer.status_code} {answer.reason}".strip()
    parts = urllib.parse.urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    if not isinstance(error, requests.exceptions.ProxyError):
        return connection_words(error, host, port, timeout_seconds)
    proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url)) or ""
    words = connection_words(error, urllib.parse.urlsplit(proxy).hostname or "it", 0, timeout_seconds)
    return f"your proxy (from the environment): {words.replace('port 0 of ', '')}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
