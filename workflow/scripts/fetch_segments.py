"""Bring AudioSet's segment lists here: copied where they are files, downloaded where they are addresses."""

import logging
import shutil
import urllib.error
import urllib.request
from pathlib import Path

from l3net.audioset import scan_segments
from l3net.errors import ClipError, ConfigError
from l3net.runtime import atomic, stage

_log = logging.getLogger("l3net")
_ATTEMPTS = 3
_TIMEOUT_SECONDS = 60.0


def fetch_segments(segments: list[Path], *, sources: list[str]) -> None:
    """Write each list of `sources` to the path of the same position in `segments`, after reading it through.

    Parameters
    ----------
    segments : where the lists go.
    sources : paths or http(s) addresses of lists in AudioSet's format.

    Raises
    ------
    ConfigError
        As many paths as sources were expected, or an address that is not http(s).
    ClipError
        A list that is missing, cannot be downloaded, or does not parse.
    """
    if len(segments) != len(sources):
        raise ConfigError(f"{len(sources)} sources for {len(segments)} segment lists; expected one for each")
    for source, target in zip(sources, segments, strict=True):
        with atomic.replacing(target) as temporary:
            _bring(source, temporary)
            rows = _check(source, temporary)
        _log.info("%s: %d rows from %s", target, rows, source)


def _bring(source: str, target: Path) -> None:
    if "://" not in source:
        try:
            shutil.copyfile(source, target)
        except OSError as error:
            raise ClipError(f"{source}: the segment list cannot be read: {error.strerror}") from None
        return
    if not source.startswith(("https://", "http://")):
        raise ConfigError(f"audioset.segments: {source!r} is neither a path nor an http(s) address")
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _download(source, target)
            return
        except (TimeoutError, urllib.error.URLError, OSError) as error:
            final = isinstance(error, urllib.error.HTTPError) and error.code < 500
            if final or attempt == _ATTEMPTS:
                raise ClipError(f"{source}: download failed after {attempt} attempts: {error}") from None
            _log.warning("%s: %s; trying again", source, error)


def _download(address: str, target: Path) -> None:
    with urllib.request.urlopen(address, timeout=_TIMEOUT_SECONDS) as answer, open(target, "wb") as file:
        shutil.copyfileobj(answer, file)
        expected = answer.headers.get("Content-Length")
    if expected is not None and int(expected) != target.stat().st_size:
        raise OSError(f"{target.stat().st_size} of {expected} bytes came")


def _check(source: str, path: Path) -> int:
    try:
        return len(scan_segments(path))
    except ClipError as error:
        raise ClipError(str(error).replace(str(path), source)) from None


if __name__ == "__main__":
    stage.main(fetch_segments, globals().get("snakemake"))
