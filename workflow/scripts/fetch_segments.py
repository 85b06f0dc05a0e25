"""Copy or download AudioSet's segment lists."""

import logging
import shutil
from pathlib import Path

from l3net.errors import ClipError, ConfigError, TransferError
from l3net.files import atomic
from l3net.network import download_file, reveal, shown_address
from l3net.runtime import stage

_LIST_BYTES = 1 << 30  # AudioSet's largest list has 100 MB
_log = logging.getLogger("l3net")


def fetch_segments(segments: list[Path], *, sources: list[str]) -> None:
    """Write each list of `sources` to the path of the same position in `segments`, after reading it through.

    Parameters
    ----------
    segments : where the lists go.
    sources : paths or http(s) addresses of lists in AudioSet's format.

    Raises
    ------
    ConfigError
        The numbers of paths and sources differ, or an address is not http(s).
    ClipError
        A list is missing, cannot be downloaded, or does not parse.
    """
    if len(segments) != len(sources):
        raise ConfigError(f"{len(sources)} sources for {len(segments)} segment lists; expected one for each")
    for source, target in zip(map(reveal, sources), segments, strict=True):
        with atomic.replacing(target) as temporary:
            _copy_or_download(source, temporary)
            rows = _check(source, temporary)
        _log.info("%s: %d rows from %s", target, rows, _shown(source))


def _copy_or_download(source: str, target: Path) -> None:
    if "://" not in source:
        try:
            file = open(source, "rb")  # noqa: SIM115 (what fails while it is written is another matter)
        except OSError as error:
            raise ClipError(f"{source}: the segment list cannot be read: {error.strerror}") from None
        with file, open(target, "wb") as copy:
            shutil.copyfileobj(file, copy)
        return
    if not source.startswith(("https://", "http://")):
        raise ConfigError(f"audioset.segments: {_shown(source)!r} is neither a path nor an http(s) address")
    try:
        download_file(source, target, most=_LIST_BYTES)
    except TransferError as error:
        raise ClipError(f"audioset.segments: {error}") from None


def _check(source: str, path: Path) -> int:
    """Read a list through; return its number of rows. Errors name the source, not the copy."""
    from l3net.audioset import read_segments

    try:
        return len(read_segments(path))
    except ClipError as error:
        raise ClipError(str(error).replace(str(path), _shown(source))) from None


def _shown(source: str) -> str:
    """Return a source as messages show it: an address without what may be a secret."""
    return shown_address(source) if "://" in source else source


if __name__ == "__main__":
    stage.main(fetch_segments, globals().get("snakemake"))
