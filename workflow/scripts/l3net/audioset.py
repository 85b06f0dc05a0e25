"""AudioSet's lists of clips, and where a clip belongs: its part, its split, its file in the store.

Conventions: times in seconds from the start of the video; labels are AudioSet's machine ids ("mids", ``/m/09x0r``);
a clip is known by (ytid, start_seconds, end_seconds).
"""

import re
from pathlib import Path

import pandas as pd
import polars as pl

from l3net.errors import ClipError
from l3net.hashing import stable_hash

YTID = re.compile(r"[A-Za-z0-9_-]{11}")
CLIP_COLUMNS = ["ytid", "start_seconds", "end_seconds", "labels"]
KEY = CLIP_COLUMNS[:3]
SPLITS = ("train", "valid", "test")
MANIFEST_TYPES = {
    "ytid": "str",
    "start_seconds": "float64",
    "end_seconds": "float64",
    "status": "str",
    "reason": "str",
    "attempts": "int64",
    "bytes": "Int64",
    "duration": "float64",
    "fps": "float64",
    "width": "Int64",
    "height": "Int64",
    "sample_rate": "Int64",
    "sha256": "str",
    "attempted_at": "str",
}
MANIFEST_COLUMNS = list(MANIFEST_TYPES)
_MID = r"/[a-z]/[0-9a-z_]+"
_SECONDS = r"\d+(?:\.\d+)?"
_SEGMENT_ROW = rf'^([A-Za-z0-9_-]{{11}}), *({_SECONDS}), *({_SECONDS}), *"?({_MID}(?:,{_MID})*)"?\s*$'
_ROW_EXPECTED = (
    'YTID, start_seconds, end_seconds, "label,label" (an id of 11 letters, digits, - or _; times in seconds)'
)


def check_ytid(ytid: str) -> str:
    """Return `ytid` if it is one; ids come from files, and reach paths and addresses only through this check.

    Raises
    ------
    ClipError
        For anything but 11 of the characters A-Z, a-z, 0-9, ``_`` and ``-``.
    """
    if not YTID.fullmatch(ytid):
        raise ClipError(f"{ytid!r} is not a YouTube id: expected 11 of the characters A-Z a-z 0-9 _ -")
    return ytid


def clip_path(store: Path | str, ytid: str, start_seconds: float, end_seconds: float) -> Path:
    """Return a clip's file in the store, ``{store}/{xx}/{ytid}_{start_ms}_{end_ms}.mkv`` with 256 folders ``xx``."""
    check_ytid(ytid)
    start, end = round(start_seconds * 1000), round(end_seconds * 1000)
    return Path(store) / f"{stable_hash(ytid) % 256:02x}" / f"{ytid}_{start:07d}_{end:07d}.mkv"


def split_of(part: int, parts: int) -> str:
    """Return the split of a part: the first 80 % of the parts are train, the next 10 % valid, the last 10 % test."""
    if part < int(parts * 0.8):
        return "train"
    return "valid" if part < int(parts * 0.9) else "test"


def scan_segments(path: Path) -> pl.DataFrame:
    """Return a segment list as a polars table with `CLIP_COLUMNS` and ``line`` (1 is the file's first).

    Reads AudioSet's own format: comment lines, then ``YTID, start, end, "label,label"``, separated by comma and space.
    A list of 2 million rows takes some seconds and a few hundred megabytes.

    Raises
    ------
    ClipError
        A file that is missing or not text, or a row that does not parse, with its line.
    """
    try:
        lines = pl.read_csv(path, has_header=False, separator="\x01", quote_char=None, new_columns=["row"])
    except pl.exceptions.NoDataError:
        raise ClipError(f"{path}: the segment list is empty; expected lines {_ROW_EXPECTED}") from None
    except (OSError, pl.exceptions.ComputeError, pl.exceptions.SchemaError) as error:
        raise ClipError(f"{path}: cannot be read as a segment list: {str(error).splitlines()[0]}") from None
    lines = lines.with_row_index("line", offset=1).filter(
        pl.col("row").is_not_null() & ~pl.col("row").str.contains(r"^\s*(?:#|$)")
    )
    groups = pl.col("row").str.extract_groups(_SEGMENT_ROW).struct.rename_fields(CLIP_COLUMNS)
    rows = lines.select("line", groups.alias("groups"), "row")
    bad = rows.filter(pl.col("groups").struct.field("ytid").is_null())
    if len(bad):
        line, text = bad.item(0, "line"), bad.item(0, "row")
        raise ClipError(f"{path}, line {line}: {text[:80]!r} is not a segment row; expected {_ROW_EXPECTED}")
    rows = rows.drop("row").unnest("groups").with_columns(pl.col("start_seconds", "end_seconds").cast(pl.Float64))
    backward = rows.filter(pl.col("end_seconds") <= pl.col("start_seconds"))
    if len(backward):
        raise ClipError(
            f"{path}, line {backward.item(0, 'line')}: the clip ends before it starts; expected end > start"
        )
    return rows.select(*CLIP_COLUMNS, "line")


def read_segments(path: Path) -> pd.DataFrame:
    """Return a segment list in AudioSet's format as a table with `CLIP_COLUMNS`; see `scan_segments`."""
    return pd.DataFrame(scan_segments(path).drop("line").to_dict(as_series=False))


def read_clips(path: Path) -> pd.DataFrame:
    """Return a clips CSV (written by select_clips): `CLIP_COLUMNS`, labels as mids joined by ``,``.

    Raises
    ------
    ClipError
        A missing file, other columns, or an id that is none, with its line.
    """
    table = _read_csv(path, {"ytid": "str", "start_seconds": "float64", "end_seconds": "float64", "labels": "str"})
    return table[CLIP_COLUMNS]


def read_manifest(path: Path) -> pd.DataFrame:
    """Return the manifest of a part (written by fetch_clips): `MANIFEST_COLUMNS`, one row a clip.

    What a clip that was not had lacks (bytes, width, ...) is NA; ``reason`` and ``sha256`` are then ``""``.

    Raises
    ------
    ClipError
        A missing file, other columns, or an id that is none, with its line.
    """
    return _read_csv(path, MANIFEST_TYPES)[MANIFEST_COLUMNS]


def _read_csv(path: Path, types: dict[str, str]) -> pd.DataFrame:
    numbers = {name: [""] for name, kind in types.items() if kind != "str"}
    try:
        table = pd.read_csv(path, dtype=types, keep_default_na=False, na_values=numbers)
    except (OSError, ValueError) as error:
        raise ClipError(f"{path}: cannot be read: {error}; expected columns {','.join(types)}") from None
    if missing := [name for name in types if name not in table]:
        raise ClipError(f"{path}: no column {', '.join(missing)}; expected {','.join(types)}")
    is_id = table["ytid"].str.fullmatch(YTID.pattern)
    if not is_id.all():
        row = int(is_id.to_numpy().argmin())
        raise ClipError(f"{path}, row {row + 1}: {table['ytid'].iloc[row]!r} is not a YouTube id of 11 characters")
    return table
