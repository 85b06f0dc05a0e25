"""The files below a folder, whatever their names and links, and their names as printable text."""

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

_OF_SYSTEMS = {"thumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin", "system volume information"}


def files_below(folder: Path, failed: dict[str, str], *, without: Path | None = None) -> list[Path]:
    """Return the files below a folder, sorted; links to files and folders are followed, no folder twice.

    A folder is visited under its own name before any link to it, and links in a circle end. Passed over are hidden
    files and folders, those that systems leave (`is_of_a_system`), and pipes, sockets and devices, at which a reader
    would wait for ever. A link to nothing is a file that cannot be read.

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
    return sorted(_walk(folder, visited, failed))


def is_of_a_system(name: str) -> bool:
    """Return whether a name is hidden or one that systems give: ``.DS_Store``, ``._song.wav``, ``desktop.ini`` ..."""
    return name.startswith(".") or name.lower() in _OF_SYSTEMS


def holds(question: Callable[[Path], bool], path: Path) -> bool:
    """Return what a question of pathlib's, such as `Path.is_file`, says; no where it may not be asked of this path.

    So it is for a name that is too long, and for what another user's folder holds.
    """
    try:
        return question(path)
    except OSError:
        return False


def printable(text: str) -> str:
    """Return a file's name as text of one line that any file can hold; other bytes and controls are escaped."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() or c == " " else c.encode("unicode_escape").decode() for c in text)


def _walk(top: Path, visited: set[tuple[int, int]], failed: dict[str, str]) -> Iterator[Path]:
    waiting, linked = deque([top]), deque()
    while waiting or linked:
        folder = waiting.popleft() if waiting else linked.popleft()
        try:
            if (identity := _identity(folder)) in visited:
                continue
            visited.add(identity)
            entries = sorted(folder.iterdir())
        except OSError as error:
            if folder == top:
                raise
            failed[printable(str(folder.relative_to(top)))] = f"the folder cannot be read: {error.strerror}"
            continue
        for entry in entries:
            if is_of_a_system(entry.name):
                continue
            if holds(Path.is_dir, entry):  # where it cannot be asked, who reads the file will say so
                (linked if entry.is_symlink() else waiting).append(entry)
            elif holds(Path.is_file, entry) or not holds(Path.exists, entry):
                yield entry


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino
