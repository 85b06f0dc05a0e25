"""Reading CSVs that somebody else may have made: no larger than a bound, not packed, text as it stands."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from l3net.errors import L3Error
from l3net.files.foreign import MEGABYTE, foreign

if TYPE_CHECKING:
    import pandas as pd

_TABLE_BYTES = 1024 * MEGABYTE
# gzip, zstd and zlib, which polars reads unasked
_PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x78\x01", b"\x78\x9c", b"\x78\xda")


def check_text_file(path: Path, kind: type[L3Error], what: str, *, most: int) -> None:
    """Refuse, before it is read whole, a file of more than `most` bytes, a packed one, which may unpack to more, and
    one with a NUL byte, which no text has and no name in HDF5 can hold."""
    if (n_bytes := path.stat().st_size) > most:
        raise kind(f"{path}: has {n_bytes / MEGABYTE:.0f} MB; expected {what}, of at most {most / MEGABYTE:g} MB")
    line = 1
    with open(path, "rb") as file:
        if file.read(4).startswith(_PACKED):
            raise kind(f"{path}: is packed (gzip or the like); unpack it first, expected {what}")
        file.seek(0)
        while block := file.read(MEGABYTE):
            before, nul, _ = block.partition(b"\0")
            line += before.count(b"\n")
            if nul:
                raise kind(f"{path}: line {line} holds a NUL byte (is it in UTF-16?); expected {what}, in UTF-8")


def read_csv(path: Path, kind: type[L3Error], what: str, *, missing: str = "", **how: Any) -> "pd.DataFrame":
    """Read a CSV with pandas; text stays text, whatever word it is.

    Parameters
    ----------
    kind, what, missing : as of `foreign`.
    how : more parameters of `pandas.read_csv`.

    Raises
    ------
    L3Error
        Of `kind`: the file is missing, too large, no text, no CSV, or has rows of more fields than its header.
    """
    import pandas as pd  # here, since it takes half a second to load

    with foreign(path, kind, what, missing=missing):
        check_text_file(path, kind, what, most=_TABLE_BYTES)
        table = pd.read_csv(path, keep_default_na=False, compression=None, **how)
        if not isinstance(table.index, pd.RangeIndex):  # pandas takes the first fields of longer rows for row names
            raise kind(f"{path}: rows have more fields than the header; expected {what}")
        return table


def is_cut_in_a_line(path: Path) -> bool:
    """Return whether a text ends in the middle of a line, as a copy that was interrupted nearly always does."""
    with open(path, "rb") as file:
        if not file.seek(0, os.SEEK_END):
            return False
        file.seek(-1, os.SEEK_END)
        return file.read() not in (b"\n", b"\r")
