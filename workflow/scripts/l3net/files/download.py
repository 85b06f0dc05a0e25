"""Fetching one file from an http(s) address, whole and with its checksum compared."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

from l3net.errors import TransferError
from l3net.files.atomic import replacing

_WORTH_ANOTHER_ATTEMPT = {408, 425, 429}  # beside all 5xx: the server asks to come back later
_FIRST_PAUSE_SECONDS = 1.0  # twice as long before each further attempt
_log = logging.getLogger("l3net")


def download_file(
    url: str, target: Path, *, known_hash: str | None = None, timeout_seconds: float = 60.0, attempts: int = 3
) -> None:
    """Fetch the file at `url` to `target`, whole or not at all.

    Parameters
    ----------
    url : an http(s) address; redirects are followed.
    known_hash : ``{algorithm}:{hexadecimal digest}`` such as ``md5:9aa1...``; None compares nothing.
    timeout_seconds : seconds to wait for a connection and for each further piece of the file.
    attempts : how often a connection that fails and a server that is busy are tried.

    Raises
    ------
    TransferError
        The address is not http(s), the file cannot be fetched, arrives cut off, or has another checksum.
    """
    if not url.startswith(("https://", "http://")):
        raise TransferError(f"{url!r} is not an http(s) address")
    with replacing(target) as temporary:
        for attempt in range(1, attempts + 1):
            try:
                _transfer(url, temporary, timeout_seconds)
                break
            except OSError as error:  # every error of requests is an OSError
                if attempt == attempts or not _may_pass(error):
                    tried = f" (attempt {attempt} of {attempts})" if attempt > 1 else ""
                    raise TransferError(f"{url} cannot be fetched: {_reason(error)}{tried}") from None
                _log.warning("%s: %s; trying again", url, _reason(error))
                time.sleep(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
        if known_hash is not None:
            _compare_hash(url, temporary, known_hash)


def _transfer(url: str, target: Path, timeout_seconds: float) -> None:
    """Write what the address gives to `target`; raise OSError where fewer bytes come than the server promised."""
    import pooch  # here, since it takes a tenth of a second to load

    answers = []
    fetch = pooch.HTTPDownloader(
        timeout=timeout_seconds,
        headers={"Accept-Encoding": "identity"},  # so that Content-Length counts the bytes of the file
        hooks={"response": lambda response, **_: answers.append(response)},
    )
    fetch(url, str(target), None)
    promised = answers[-1].headers.get("Content-Length")
    n_bytes = target.stat().st_size
    is_plain = answers[-1].headers.get("Content-Encoding", "identity") == "identity"
    if promised is not None and is_plain and n_bytes != int(promised):
        raise OSError(f"{n_bytes} of {promised} bytes came")


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
    answer = getattr(error, "response", None)
    return answer is None or answer.status_code >= 500 or answer.status_code in _WORTH_ANOTHER_ATTEMPT


def _reason(error: OSError) -> str:
    """Return an error of requests as one line: the server's answer, or what the system said underneath."""
    if (answer := getattr(error, "response", None)) is not None:
        return f"{answer.status_code} {answer.reason}".strip()
    system = [cause.strerror for cause in _causes(error) if getattr(cause, "strerror", None)]
    said = system[-1] if system else str(error).strip() or type(error).__name__
    return said.splitlines()[0][:200]


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
