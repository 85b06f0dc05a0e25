"""What earlier runs kept: used again where it is whole, made anew where it is not, which the log says."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

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
