"""Reading the tables of clips that the stages write: lists of chosen clips, and manifests of what became of them."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from l3net.audioset.clip import YTID
from l3net.errors import ClipError
from l3net.files import read_csv

if TYPE_CHECKING:
    import pandas as pd

CLIP_COLUMNS = ["ytid", "start_seconds", "end_seconds", "labels"]

CLIP_KEY = CLIP_COLUMNS[:3]
LATEST_SECONDS = 1e9  # more than any video has

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


def read_clip_list(path: Path) -> "pd.DataFrame":
    """Read a list of clips written by select_clips: `CLIP_COLUMNS`, labels as mids joined by ``,``.

    Raises
    ------
    ClipError
        The file is missing, lacks a column, or has a row whose id is not one; the message names the row.
    """
    table = _read_csv(path, {"ytid": "str", "start_seconds": "float64", "end_seconds": "float64", "labels": "str"})
    return table[CLIP_COLUMNS]


def read_own_splits(paths: Iterable[Path]) -> dict[str, str]:
    """Read the split of each video that lists of clips, written by select_clips, name in a column ``split``.

    A video with clips in several splits is taken for test before valid, and for valid before train, so that nothing
    of what is tested is trained on.

    Raises
    ------
    ClipError
        A list cannot be read, or names no split, or none for some clips.
    """
    import pandas as pd  # here, since it takes a quarter of a second to load

    found: dict[str, str] = {}
    order = ("train", "valid", "test")
    for path in paths:
        table = _read_csv(path, dict.fromkeys(CLIP_COLUMNS, "str"))
        names = table.get("split", pd.Series("", table.index))
        if len(without := table[~names.isin(order)]):
            raise ClipError(
                f"{path}: names no split for {len(without)} clips, which audioset.split column needs; expected lists "
                "like VGGSound's (id, start, label, split), or audioset.split hash or balanced"
            )
        for ytid, name in zip(table["ytid"], names, strict=True):
            found[ytid] = max(found.get(ytid, name), name, key=order.index)
    return found


def read_manifest(path: Path) -> "pd.DataFrame":
    """Read the manifest of a part written by fetch_clips: `MANIFEST_COLUMNS`, one row for each clip.

    For a clip that was not obtained the numbers of its file (bytes, width, ...) are NA and ``sha256`` is ``""``.

    Raises
    ------
    ClipError
        The file is missing, lacks a column, or has a row whose id is not one; the message names the row.
    """
    return _read_csv(path, MANIFEST_TYPES)[MANIFEST_COLUMNS]


def _read_csv(path: Path, types: dict[str, str]) -> "pd.DataFrame":
    import pandas as pd

    numbers = {name: [""] for name, kind in types.items() if kind != "str"}
    table = read_csv(path, ClipError, f"a CSV with the columns {','.join(types)}", dtype=types, na_values=numbers)
    if missing := [name for name in types if name not in table]:
        raise ClipError(f"{path}: no column {', '.join(missing)}; expected {','.join(types)}")
    is_id = table["ytid"].str.fullmatch(YTID.pattern)
    if not is_id.all():
        row = int(is_id.to_numpy().argmin())
        raise ClipError(f"{path}, row {row + 1}: {table['ytid'].iloc[row]!r} is not a YouTube id of 11 characters")
    start, end = (pd.to_numeric(table[name], errors="coerce") for name in CLIP_KEY[1:])
    if not (is_time := (start >= 0) & (end > start) & (end < LATEST_SECONDS)).all():
        row = int(is_time.to_numpy().argmin())
        times = f"{table['start_seconds'].iloc[row]} to {table['end_seconds'].iloc[row]}"
        raise ClipError(f"{path}, row {row + 1}: a clip from {times[:60]} s; expected two times, the later one second")
    return table
