"""Reading AudioSet's lists of clips ("segments").

Conventions: times in seconds from the start of the video; labels are AudioSet's machine ids ("mids", ``/m/09x0r``) or
labels of one's own (`ontology.own_label`).
A clip's key is (ytid, start_seconds, end_seconds).
"""

import re
from collections.abc import Collection
from pathlib import Path

import polars as pl

from l3net.audioset.clip import YTID
from l3net.audioset.clip_tables import CLIP_COLUMNS
from l3net.audioset.ontology import is_own_label, own_label
from l3net.errors import ClipError
from l3net.files import check_text_file, foreign

_OWN = "/own/[0-9A-Za-z_.~%-]*"
_MID = rf"(?:/[a-z]/[0-9a-z_]+|{_OWN})"
_SECONDS = r"[0-9]{1,9}(?:\.[0-9]+)?"
_MIDS = rf"{_MID}(?:,{_MID})*"
_SEGMENT_ROW = rf'^([A-Za-z0-9_-]{{11}}), *({_SECONDS}), *({_SECONDS}), *(?:"({_MIDS})"|({_MIDS}))\s*$'
# What a spreadsheet writes in the place of an id that it takes for a formula: #NAME?, in a user's language (#NOM?), or
# ######## where a cell is narrow.
_SPREADSHEET_ERROR = (
    r"(?i)^\s*\"?#(?:NAME\?|VALUE!|REF!|DIV/0!|NUM!|NULL!|N/A|ERROR!|SPILL!|CALC!)"
    r'|^\s*"?#[^\s,;"]{1,30}[?!]"?\s*[,;\t]'
    rf'|^\s*"?#[^,;\t]*"?[,;\t]\s*"?{_SECONDS}"?\s*[,;\t]\s*"?{_SECONDS}"?\s*[,;\t]'
)
_COMMENTED_ROW = r"^\s*#\s*[A-Za-z0-9_-]{11}\s*[,;\t]"
_NO_ROW = r"^\s*(?:#|$)"
_LIST_BYTES = 1 << 30  # AudioSet's largest has 100 MB
_NAMED_AT_MOST = 5
_OWN_SPLITS = {"train": "train", "training": "train", "valid": "valid", "validation": "valid", "val": "valid"}
_OWN_SPLITS |= dict.fromkeys(("test", "testing", "eval"), "test")
_VGGSOUND_LABEL = r'(?:"((?:[^"]|"")*)"|([^",]*))'
_VGGSOUND_ROW = rf'^"?([A-Za-z0-9_-]{{11}})"?, *"?({_SECONDS})"?, *{_VGGSOUND_LABEL}, *"?([A-Za-z_]+)"?\s*$'
_VGGSOUND_HEADER = r'(?i)^"?(?:youtube[ _]?id|ytid|video[ _]?id|id)"?,.*,\s*"?split"?\s*$'
_VGGSOUND_SECONDS = 10.0
SPLIT_COLUMN = "split"
_ROW_EXPECTED = (
    'YTID, start_seconds, end_seconds, "label,label" (an id of 11 letters, digits, - or _; times in seconds)'
)


def read_segments(
    path: Path, *, known: Collection[str] | None = None, wanted: Collection[str] | None = None
) -> pl.DataFrame:
    """Read a segment list in AudioSet's format: comment lines, then ``YTID, start, end, "label,label"``.

    A list of 2 million rows takes a second and a few hundred megabytes, if few of its rows are wanted.

    Parameters
    ----------
    known : labels that may occur, beside labels of one's own; None: any.
    wanted : labels of which a row needs one; None takes every row.

    Returns
    -------
    pl.DataFrame
        `CLIP_COLUMNS`, and ``line``, the row's line in the file, from 1. A list like VGGSound's (``id, start, label,
        split``; 10 s each; its labels are labels of one's own) also gives ``split``: train, valid or test.

    Raises
    ------
    ClipError
        The file is missing or not text, a row does not parse or has a label that is not known, or a spreadsheet
        replaced ids; the message names lines.
    """
    with foreign(path, ClipError, "a segment list"):
        check_text_file(path, ClipError, "a segment list", most=_LIST_BYTES)
    if (rows := _read_quickly(path, known, wanted)) is not None:
        return rows
    rows = _read_with_care(path)
    if known is not None:
        _refuse_unknown(path, rows, known)
    return rows if wanted is None else rows.filter(('"' + pl.col("labels") + '"').str.contains(_one_of(wanted)))


def _read_quickly(path: Path, known: Collection[str] | None, wanted: Collection[str] | None) -> pl.DataFrame | None:
    """Read a list in one pass that holds no more than the wanted rows; return None where a line is not as published.

    A line is matched as a whole, which takes a third of the time of finding its fields by the same expression; what
    matches is then parted at its first commas.
    """
    labels = _MID if known is None else rf"(?:{'|'.join(map(re.escape, sorted(known, reverse=True)))}|{_OWN})"
    row = pl.col("row")
    parts = pl.col("parts").struct
    start, end = (parts.field(f"field_{k}").cast(pl.Float64, strict=False) for k in (1, 2))
    is_row = rf'^{YTID.pattern}, {_SECONDS}, {_SECONDS}, "{labels}(?:,{labels})*"\s*$'
    checked = (
        pl.scan_csv(
            path,
            has_header=False,
            separator="\x01",
            quote_char=None,
            new_columns=["row"],
            row_index_name="line",
            row_index_offset=1,
        )
        .with_columns(parts=row.str.splitn(", ", 4), is_row=row.str.contains(is_row))
        .with_columns(start_seconds=start, end_seconds=end)
        .with_columns(is_clip=(pl.col("is_row") & (pl.col("end_seconds") > pl.col("start_seconds"))).fill_null(False))
    )
    is_wanted = pl.lit(True) if wanted is None else row.str.contains(_one_of(wanted))
    chosen = checked.filter(~pl.col("is_clip") | is_wanted).select(
        parts.field("field_0").alias("ytid"),
        "start_seconds",
        "end_seconds",
        parts.field("field_3").str.strip_chars().str.strip_chars('"').alias("labels"),
        "line",
        "is_clip",
        pl.when(~pl.col("is_clip")).then(row).alias("row"),
    )
    try:
        with foreign(path, ClipError, "a segment list"):
            rows = chosen.collect(engine="streaming")
    except ClipError:
        return None
    odd = rows.filter(~pl.col("is_clip"))["row"].drop_nulls()
    if len(odd) == len(rows) or not odd.str.contains(_NO_ROW).all() or odd.str.contains(_SPREADSHEET_ERROR).any():
        return None
    return rows.filter("is_clip").drop("is_clip", "row")


def _one_of(labels: Collection[str]) -> str:
    """Return an expression that finds one of `labels` in quoted ones; both sides of it tell /m/02 from /m/028."""
    return rf'[",](?:{"|".join(map(re.escape, sorted(labels, reverse=True)))})[",]'


def _refuse_unknown(path: Path, rows: pl.DataFrame, known: Collection[str]) -> None:
    """Refuse rows with a label that is neither known nor one's own."""
    labels = rows.select(pl.col("labels").unique()).select(pl.col("labels").str.split(",").explode().unique())
    if unknown := sorted(mid for mid in set(labels["labels"]) - set(known) if not is_own_label(mid)):
        line = rows.filter(("," + pl.col("labels") + ",").str.contains(f",{unknown[0]},", literal=True)).item(0, "line")
        raise ClipError(f"{path}, line {line}: the ontology has no label {unknown[0]}; expected mids of ontology.json")


def _read_with_care(path: Path) -> pl.DataFrame:
    """Read every row by a regular expression, and say which line is no row, and why."""
    with foreign(path, ClipError, "a segment list"):
        try:
            lines = pl.read_csv(path, has_header=False, separator="\x01", quote_char=None, new_columns=["row"])
        except pl.exceptions.NoDataError:
            raise ClipError(f"{path}: the segment list is empty; expected lines {_ROW_EXPECTED}") from None
    lines = lines.with_row_index("line", offset=1)
    _refuse_spreadsheet_errors(path, lines)
    lines = lines.filter(pl.col("row").is_not_null() & ~pl.col("row").str.contains(_NO_ROW))
    if len(lines) > 1 and lines.head(1)["row"].str.contains(_VGGSOUND_HEADER).item():
        lines = lines[1:]
    if len(lines) and lines.head(1)["row"].str.contains(_VGGSOUND_ROW).item():
        return _read_vggsound(path, lines)
    groups = pl.col("row").str.extract_groups(_SEGMENT_ROW).struct.rename_fields([*CLIP_COLUMNS, "bare"])
    rows = lines.select("line", groups.alias("groups"), "row")
    bad = rows.filter(pl.col("groups").struct.field("ytid").is_null())
    if len(bad):
        line, text = bad.item(0, "line"), bad.item(0, "row")
        raise ClipError(f"{path}, line {line}: {text[:80]!r} is not a segment row; expected {_ROW_EXPECTED}")
    rows = rows.drop("row").unnest("groups").with_columns(pl.col("start_seconds", "end_seconds").cast(pl.Float64))
    rows = rows.with_columns(labels=pl.coalesce("labels", "bare"))
    backward = rows.filter(pl.col("end_seconds") <= pl.col("start_seconds"))
    if len(backward):
        raise ClipError(
            f"{path}, line {backward.item(0, 'line')}: the clip ends before it starts; expected end > start"
        )
    return rows.select(*CLIP_COLUMNS, "line")


def _read_vggsound(path: Path, lines: pl.DataFrame) -> pl.DataFrame:
    """Read rows ``id, start, label, split``."""
    names = ["ytid", "start", "quoted", "plain", SPLIT_COLUMN]
    groups = pl.col("row").str.extract_groups(_VGGSOUND_ROW).struct.rename_fields(names)
    rows = lines.select("line", "row", groups.alias("groups")).unnest("groups")
    label = pl.coalesce(pl.col("quoted").str.replace_all('""', '"'), "plain").str.strip_chars()
    rows = rows.with_columns(label=label, split=pl.col(SPLIT_COLUMN).str.to_lowercase())
    if len(bad := rows.filter(pl.col("ytid").is_null() | (pl.col("label") == ""))):
        line, text = bad.item(0, "line"), bad.item(0, "row")
        raise ClipError(
            f"{path}, line {line}: {text[:80]!r} is not a row like the first; expected id, start, label, split"
        )
    if len(bad := rows.filter(~pl.col(SPLIT_COLUMN).is_in(list(_OWN_SPLITS)))):
        line, word = bad.item(0, "line"), bad.item(0, SPLIT_COLUMN)
        raise ClipError(f"{path}, line {line}: the split is {word!r}; expected one of {', '.join(_OWN_SPLITS)}")
    own = {name: own_label(name) for name in rows["label"].unique()}
    start = pl.col("start").cast(pl.Float64)
    return rows.select(
        "ytid",
        start.alias("start_seconds"),
        (start + _VGGSOUND_SECONDS).alias("end_seconds"),
        pl.col("label").replace_strict(own, return_dtype=pl.String).alias("labels"),
        "line",
        pl.col(SPLIT_COLUMN).replace_strict(_OWN_SPLITS, return_dtype=pl.String),
    )


def _refuse_spreadsheet_errors(path: Path, lines: pl.DataFrame) -> None:
    """Refuse what a spreadsheet wrote for ids that begin with ``-``, its sign of a formula; it looks like comments."""
    row = pl.col("row")
    replaced = lines.filter(row.str.contains(_SPREADSHEET_ERROR) & ~row.str.contains(_COMMENTED_ROW))["line"].to_list()
    if replaced:
        named = ", ".join(map(str, replaced[:_NAMED_AT_MOST]))
        more = f" and {len(replaced) - _NAMED_AT_MOST} more" if len(replaced) > _NAMED_AT_MOST else ""
        raise ClipError(
            f"{path}, line {named}{more}: a spreadsheet replaced the id by an error such as #NAME?, probably since it"
            " begins with -; take the list as published, and do not save it from a spreadsheet"
        )
