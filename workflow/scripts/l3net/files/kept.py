"""What is kept to be used again: of an earlier run, of a file that has not changed, and the hashes to know it by.

What an earlier run kept is used where it is whole, and made anew where it is not, which the log says.
"""

import hashlib
import logging
from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, TypeVar

_Kept = TypeVar("_Kept")
_said: set[tuple[Path, int]] = set()
_log = logging.getLogger("l3net")


def read_kept(path: Path, read: Callable[[Path], _Kept], *, instead: str = "it is made anew") -> _Kept | None:
    """Return what `read` finds in a file that an earlier run kept; None where there is none, or where it is damaged.

    A file that is there may be empty, cut or of another kind: a disk was full, a machine lost its power, somebody
    edited it. Such a file is never an error, since what it keeps can be had again.

    Parameters
    ----------
    read : reads the file whole and checks what it finds; whatever it raises means that the file is damaged.
    instead : what is done instead, for the log.
    """
    try:
        return read(path) if path.exists() else None
    except FileNotFoundError:
        return None
    except Exception as error:
        if (version := (path, path.stat().st_mtime_ns if path.exists() else 0)) in _said:
            return None
        _said.add(version)
        said = " ".join(str(error).split()).removeprefix(f"{path}: ")[:200] or "it ends too soon"
        _log.warning("%s is damaged and is passed over (%s: %s); %s", path, type(error).__name__, said, instead)
        return None


def kept_while_unchanged(most: int | None) -> Callable[[Callable[..., _Kept]], Callable[..., _Kept]]:
    """Return a decorator for a function that reads a file: it is asked once for each state of the file.

    A file is another one when its place on the disk, its size or its time of change is another. The function's first
    argument is the file's path, which it gets absolute; the others are part of what is asked. Exceptions are not kept.

    Parameters
    ----------
    most : results that are kept at a time; None for all.
    """

    def decorate(read: Callable[..., _Kept]) -> Callable[..., _Kept]:
        @lru_cache(maxsize=most)
        def read_once(path: Path, state: tuple[int, ...], *others: Any) -> _Kept:
            return read(path, *others)

        @wraps(read)
        def read_now(path: Path | str, *others: Any) -> _Kept:
            status = Path(path).stat()
            state = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            return read_once(Path(path).absolute(), state, *others)

        return read_now

    return decorate


def stable_hash(text: str) -> int:
    """Return the first 64 bits (big-endian) of the BLAKE2b digest of `text` in UTF-8, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
