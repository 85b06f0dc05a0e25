"""Fetching a video whole, from a server that gives no parts of it."""

import shutil
from pathlib import Path
from typing import IO

from l3net.audioset import ClipFailure

_WHOLE_BYTES = 4 << 30  # no video of a data set is larger, and a body without end must end somewhere
_LEAST_FREE_BYTES = 256 << 20
_PIECE_BYTES = 1 << 20


def copy_bounded(source: IO[bytes], target: Path, most: int = _WHOLE_BYTES) -> None:
    """Write what comes to `target`.

    Raises
    ------
    ClipFailure
        More than `most` bytes come, or the disk would be full.
    """
    n_bytes = 0
    with open(target, "wb") as file:
        while piece := source.read(_PIECE_BYTES):
            n_bytes += len(piece)
            if n_bytes > most:
                raise ClipFailure("failed", f"more than {most >> 20} MB come for the whole video", again=False)
            if shutil.disk_usage(target.parent).free < _LEAST_FREE_BYTES:
                raise ClipFailure("failed", "the disk has no room for the whole video", again=False)
            file.write(piece)
