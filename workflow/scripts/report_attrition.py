"""Count what became of the clips, by subset, split, status, reason and label; stop where too few are left."""

import logging
import re
from pathlib import Path

import pandas as pd

from l3net.audioset import (
    CLIP_KEY,
    RETRYABLE_STATUSES,
    SPLITS,
    STATUSES,
    USABLE_STATUSES,
    part_of,
    read_clip_list,
    read_manifest,
    read_ontology,
    split_of,
)
from l3net.errors import ClipError, ConfigError
from l3net.runtime import atomic, stage

_WORTH_TRYING = [status for status in RETRYABLE_STATUSES if status != "invalid_media"]  # what the video lacks stays so
_log = logging.getLogger("l3net")


def report_attrition(
    clips: list[Path],
    manifests: list[Path],
    ontology: Path,
    attrition: Path,
    by_label: Path,
    *,
    subsets: list[str],
    parts: int,
    min_clips: int = 0,
) -> None:
    """Write the attrition of every subset and split.

    Parameters
    ----------
    clips : the clips of each subset, in the order of `subsets`.
    manifests : of all parts.
    ontology : names the labels.
    attrition : CSV ``subset,split,status,n``; every status of each subset and split, zeros too.
    by_label : CSV ``subset,split,mid,label,status,reason,n``; a clip counts under each of its labels, and numbers in
        reasons are written as #, so that like reasons are counted together.
    min_clips : usable clips that each subset needs in each split.

    Raises
    ------
    ClipError
        A clip that no manifest has; or fewer usable clips than `min_clips`, after both tables are written.
    """
    if len(clips) != len(subsets):
        raise ConfigError(f"{len(clips)} clip lists for {len(subsets)} subsets; expected one for each")
    names = read_ontology(ontology).names
    fates = pd.concat([read_manifest(path) for path in manifests], ignore_index=True)
    fates = fates[[*CLIP_KEY, "status", "reason"]].drop_duplicates(CLIP_KEY, keep="last")
    tables = [_join(subset, path, fates, parts) for subset, path in zip(subsets, clips, strict=True)]
    joined = pd.concat(tables, ignore_index=True)
    counts = _count(joined, subsets)
    _write(counts, attrition)
    _write(_count_labels(joined, names), by_label)
    _explain(counts)
    _demand(counts, min_clips)


def _join(subset: str, path: Path, fates: pd.DataFrame, parts: int) -> pd.DataFrame:
    """Return the clips of one subset with split, status and reason."""
    table = read_clip_list(path).merge(fates, on=CLIP_KEY, how="left")
    lost = table["status"].isna()
    if lost.any():
        raise ClipError(
            f"{lost.sum()} clips of {path} are in no manifest, {table['ytid'][lost].iloc[0]} first; expected"
            " all: run fetch_clips again for every part"
        )
    of_video = {ytid: split_of(part_of(ytid, parts), parts) for ytid in table["ytid"].unique()}
    return table.assign(subset=subset, split=table["ytid"].map(of_video))


def _count(joined: pd.DataFrame, subsets: list[str]) -> pd.DataFrame:
    every = pd.MultiIndex.from_product([subsets, SPLITS, STATUSES], names=["subset", "split", "status"])
    return joined.groupby(["subset", "split", "status"]).size().reindex(every, fill_value=0).rename("n").reset_index()


def _count_labels(joined: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    kinds = map(_kind, joined["ytid"], joined["status"], joined["reason"])
    table = joined.assign(reason=list(kinds), mid=joined["labels"].str.split(",")).explode("mid")
    table["label"] = table["mid"].map(names).fillna(table["mid"])
    columns = ["subset", "split", "mid", "label", "status", "reason"]
    return table.groupby(columns).size().rename("n").reset_index()


def _kind(ytid: str, status: str, reason: str) -> str:
    """Return a reason without what is one clip's own, its id and numbers: like reasons are counted together."""
    if status == "short":
        return "the video ends early"
    return re.sub(r"\d+(\.\d+)?", "#", reason.replace(ytid, "{ytid}"))


def _write(table: pd.DataFrame, path: Path) -> None:
    with atomic.replacing(path) as temporary:
        table.to_csv(temporary, index=False)


def _explain(counts: pd.DataFrame) -> None:
    """Log each subset's share, and how to go on where a new attempt may help."""
    for subset, table in counts.groupby("subset", sort=False):
        total, had = table["n"].sum(), table["n"][table["status"].isin(USABLE_STATUSES)].sum()
        _log.info("%s: %d of %d clips had (%.1f %%)", subset, had, total, 100 * had / max(total, 1))
        if again := table["n"][table["status"].isin(_WORTH_TRYING)].sum():
            _log.warning("%s: %d clips may yet be had: snakemake -R fetch_clips tries them again", subset, again)


def _demand(counts: pd.DataFrame, min_clips: int) -> None:
    had = counts[counts["status"].isin(USABLE_STATUSES)].groupby(["subset", "split"], sort=False)["n"].sum()
    for (subset, split), n in had.items():
        if n < min_clips:
            raise ClipError(
                f"{subset} has {n} usable clips in split {split}, expected audioset.min_clips = {min_clips} or more: "
                "fetch again (snakemake -R fetch_clips), take more clips or fewer parts, or lower min_clips"
            )


if __name__ == "__main__":
    stage.main(report_attrition, globals().get("snakemake"))
