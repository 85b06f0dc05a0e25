"""What became of the clips of every subset: counts by split and status, and by label and reason."""

import logging
import re
from pathlib import Path

import pandas as pd

from l3net.audioset.clip import RETRYABLE_STATUSES, STATUSES, USABLE_STATUSES
from l3net.audioset.clip_tables import CLIP_KEY, read_clip_list, read_manifest, read_own_splits
from l3net.audioset.ontology import Ontology
from l3net.audioset.splits import LEAST_VIDEOS, SPLITS, deal_videos, split_of
from l3net.errors import ClipError
from l3net.runtime import counted

_WORTH_TRYING = [status for status in RETRYABLE_STATUSES if status != "invalid_media"]  # media rarely mend themselves
_log = logging.getLogger("l3net")


def join_fates(subsets: dict[str, Path], manifests: list[Path], parts: int, split: str = "hash") -> pd.DataFrame:
    """Join the clips of all subsets with what became of them.

    Parameters
    ----------
    subsets : the list of clips of each subset.
    manifests : the manifests of all parts.
    parts : how many parts there are.
    split : how videos are dealt into parts (`splits.deal_videos`).

    Returns
    -------
    pd.DataFrame
        The columns of a list of clips with ``subset``, ``part``, ``split``, ``status`` and ``reason``.

    Raises
    ------
    ClipError
        A list or a manifest cannot be read, or a clip is in no manifest.
    """
    fates = pd.concat([read_manifest(path) for path in manifests], ignore_index=True)
    fates = fates[[*CLIP_KEY, "status", "reason"]].drop_duplicates(CLIP_KEY, keep="last")
    tables = pd.concat([_join_subset(subset, path, fates) for subset, path in subsets.items()], ignore_index=True)
    own = read_own_splits(subsets.values()) if split == "column" else None
    tables["part"] = tables["ytid"].map(deal_videos(tables["ytid"], parts, split, own))
    return tables.assign(split=tables["part"].map({part: split_of(part, parts) for part in range(parts)}))


def count_statuses(fates: pd.DataFrame, subsets: list[str]) -> pd.DataFrame:
    """Count clips by subset, split and status: one row for each of all combinations, zeros too."""
    every = pd.MultiIndex.from_product([subsets, SPLITS, STATUSES], names=["subset", "split", "status"])
    return fates.groupby(["subset", "split", "status"]).size().reindex(every, fill_value=0).rename("n").reset_index()


def count_labels(fates: pd.DataFrame, ontology: Ontology) -> pd.DataFrame:
    """Count clips by subset, split, label, status and reason; a clip counts under each of its labels."""
    reasons = list(map(_general_reason, fates["ytid"], fates["status"], fates["reason"]))
    table = fates.assign(reason=reasons, mid=fates["labels"].str.split(",")).explode("mid")
    table["label"] = table["mid"].map(ontology.name_of)
    columns = ["subset", "split", "mid", "label", "status", "reason"]
    return table.groupby(columns).size().rename("n").reset_index()


def log_shares(counts: pd.DataFrame) -> None:
    """Log the share of each subset's clips that were obtained, and how to go on where a new attempt may help."""
    for subset, table in counts.groupby("subset", sort=False):
        n_wanted = table["n"].sum()
        n_obtained = table["n"][table["status"].isin(USABLE_STATUSES)].sum()
        share = 100 * n_obtained / max(n_wanted, 1)
        _log.info("%s: %d of %d clips obtained (%.1f %%)", subset, n_obtained, n_wanted, share)
        if n_left := table["n"][table["status"].isin(_WORTH_TRYING)].sum():
            _log.warning(
                "%s: %s may be obtained later; snakemake -R fetch_clips tries again", subset, counted(n_left, "clip")
            )


def check_splits(fates: pd.DataFrame, subsets: list[str], *, min_clips: int, split: str = "hash") -> None:
    """Check that every subset has enough usable clips in every split, and that samples can be made of them.

    Parameters
    ----------
    fates : what `join_fates` returns.
    subsets : names of the subsets.
    min_clips : usable clips that each split needs; 0 checks nothing.
    split : how videos were dealt into parts, for what to do.

    Raises
    ------
    ClipError
        A subset has fewer than `min_clips` in a split, or no part of the split has usable clips of two videos.
    """
    usable = fates[fates["status"].isin(USABLE_STATUSES)]
    for subset in subsets if min_clips else ():
        for name in SPLITS:
            clips = usable[(usable["subset"] == subset) & (usable["split"] == name)]
            videos = clips.groupby("part")["ytid"].nunique()
            has = f"{subset} has {counted(len(clips), 'usable clip')}"
            if len(clips) < min_clips:
                raise ClipError(
                    f"{has} in split {name}, expected audioset.min_clips = {min_clips} or more:"
                    f" {_what_to_do(split)}, fetch again (snakemake -R fetch_clips), or lower min_clips"
                )
            if videos.empty or videos.max() < LEAST_VIDEOS:
                raise ClipError(
                    f"{has} of {counted(videos.sum(), 'video')} in split {name}, and no part of"
                    f" it has two videos, so that it has no mismatch of picture and sound: {_what_to_do(split)}"
                )


def _what_to_do(split: str) -> str:
    if split == "hash":
        return "set audioset.split: balanced, take fewer audioset.parts or more clips"
    return "add videos (six usable ones or more, two in each split)"


def _join_subset(subset: str, path: Path, fates: pd.DataFrame) -> pd.DataFrame:
    table = read_clip_list(path).merge(fates, on=CLIP_KEY, how="left")
    is_lost = table["status"].isna()
    if is_lost.any():
        raise ClipError(
            f"{is_lost.sum()} clips of {path} are in no manifest, {table['ytid'][is_lost].iloc[0]} first; expected"
            " all: run fetch_clips again for every part"
        )
    return table.assign(subset=subset)


def _general_reason(ytid: str, status: str, reason: str) -> str:
    """Remove from a reason the clip's own id and numbers, so that like reasons are counted together."""
    if status == "short":
        return "the video ends early"
    return re.sub(r"\d+(\.\d+)?", "#", reason.replace(ytid, "{ytid}"))
