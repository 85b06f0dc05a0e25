"""The files below a folder, whatever their names and links, and their names as printable text."""

from collections.abc import Iterator
from pathlib import Path

_OF_SYSTEMS = {"thumbs.db", "desktop.ini"}


def files_below(folder: Path, failed: dict[str, str], *, without: Path | None = None) -> list[Path]:
    """Return the files below a folder, sorted; links to files and folders are followed, no folder twice.

    Hidden files, and those that systems leave, are passed over.

    Parameters
    ----------
    failed : gets the folders below that cannot be read, with the reason, by their printable place.
    without : a folder that is passed over.

    Raises
    ------
    OSError
        The folder itself cannot be read.
    """
    visited = {_identity(without)} if without is not None and without.is_dir() else set()
    return sorted(_walk(folder, folder, visited, failed))


def printable(text: str) -> str:
    """Return a file's name as text of one line that any file can hold; other bytes and controls are escaped."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() or c == " " else c.encode("unicode_escape").decode() for c in text)


def _walk(folder: Path, top: Path, visited: set[tuple[int, int]], failed: dict[str, str]) -> Iterator[Path]:
    try:
        if (identity := _identity(folder)) in visited:
            return
        visited.add(identity)
        entries = sorted(folder.iterdir())
    except OSError as error:
        if folder == top:
            raise
        failed[printable(str(folder.relative_to(top)))] = f"the folder cannot be read: {error.strerror}"
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name.lower() in _OF_SYSTEMS:
            continue
        try:
            is_folder = entry.is_dir()
        except OSError:
            is_folder = False  # who reads the file will say so
        if is_folder:
            yield from _walk(entry, top, visited, failed)
        else:
            yield entry


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino
