"""Choosing clips: those of a subset, by the labels of its filter, and those of a part.

The lists are scanned with polars, which reads 2 million rows in a second.
"""

from pathlib import Path

import polars as pl

from l3net.audioset.clip import YTID, Clip
from l3net.audioset.clip_tables import CLIP_COLUMNS, CLIP_KEY, LATEST_SECONDS, read_clip_list, read_own_splits
from l3net.audioset.ontology import Ontology
from l3net.audioset.segment_lists import SPLIT_COLUMN, read_segments
from l3net.audioset.splits import deal_videos
from l3net.files import stable_hash

_WHOLE_ID = rf"^{YTID.pattern}$"


def clips_with_labels(
    segments: list[Path], ontology: Ontology, wanted: set[str] | None, max_clips: int | None = None
) -> pl.DataFrame:
    """Choose the clips that carry a wanted label, or all.

    A clip that stands in several lists is taken once, with the labels of its first row.

    Parameters
    ----------
    segments : lists in AudioSet's format.
    ontology : AudioSet's ontology, which has every label that may occur.
    wanted : mids, of which a clip needs one; None takes every clip.
    max_clips : the largest number of clips; those whose ids have the smallest hash are taken, so that a larger number
        adds clips and replaces none. None takes all.

    Returns
    -------
    pl.DataFrame
        `CLIP_COLUMNS`, and ``split`` where a list names it, sorted by id and times.

    Raises
    ------
    ClipError
        A list cannot be read, or has a label that the ontology lacks; the message names file and line.
    """
    chosen = [read_segments(path, known=ontology.names, wanted=wanted) for path in segments]
    clips = pl.concat(chosen, how="diagonal").drop("line").sort("ytid", maintain_order=True)
    if (clips["ytid"] == clips["ytid"].shift(1)).any():  # several clips of a video, which AudioSet has of none
        clips = clips.sort(CLIP_KEY, maintain_order=True)
        is_first = pl.any_horizontal(pl.col(name) != pl.col(name).shift(1) for name in CLIP_KEY)
        clips = clips.filter(is_first.fill_null(True))
    if max_clips is not None and len(clips) > max_clips:
        order = pl.Series("hash", [stable_hash(ytid) for ytid in clips["ytid"]], pl.UInt64)
        clips = clips.with_columns(order).sort("hash", *CLIP_KEY).head(max_clips).sort(CLIP_KEY)
    own_split = [SPLIT_COLUMN] if SPLIT_COLUMN in clips.columns else []
    return clips.select([*CLIP_COLUMNS, *own_split])


def part_clips(lists: list[Path], part: int, parts: int, split: str = "hash") -> tuple[list[Clip], int]:
    """Return the distinct clips of a part, sorted by id and times, and the number of distinct clips of all parts.

    Parameters
    ----------
    lists : lists written by select_clips; a clip may stand in several.
    part, parts : number of the part, and how many there are.
    split : how videos are dealt into parts (`splits.deal_videos`).

    Raises
    ------
    ClipError
        A list cannot be read.
    """
    clips = pl.concat([_keys(path) for path in lists]).unique()
    part_of_video = deal_videos(clips["ytid"], parts, split, read_own_splits(lists) if split == "column" else None)
    belongs = pl.Series([part_of_video[ytid] == part for ytid in clips["ytid"]], dtype=pl.Boolean)
    return sorted(Clip(*row) for row in clips.filter(belongs).iter_rows()), len(clips)


def _keys(path: Path) -> pl.DataFrame:
    """Read the keys of a clips CSV, with polars since the job of every part reads the lists of all parts."""
    try:
        types = {"ytid": pl.String, "start_seconds": pl.Float64, "end_seconds": pl.Float64}
        keys = pl.read_csv(path, columns=CLIP_KEY, schema_overrides=types).select(CLIP_KEY)
        is_whole = keys.null_count().sum_horizontal().item() == 0 and keys["ytid"].str.contains(_WHOLE_ID).all()
        start, end = keys["start_seconds"], keys["end_seconds"]
        if is_whole and (start >= 0).all() and (start < end).all() and (end < LATEST_SECONDS).all():
            return keys
    except (OSError, pl.exceptions.PolarsError):
        pass  # the slower reader below says what is wrong
    return pl.DataFrame(read_clip_list(path)[CLIP_KEY].to_dict("list"), schema=types)
