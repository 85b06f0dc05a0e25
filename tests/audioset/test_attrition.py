"""Counts of what became of the clips, against a count by hand."""

import logging
from pathlib import Path

import pandas as pd
import pytest

from l3net.audioset.attrition import check_splits, count_labels, count_statuses, join_fates, log_shares
from l3net.audioset.clip import STATUSES
from l3net.audioset.clip_tables import MANIFEST_COLUMNS
from l3net.audioset.ontology import Ontology, own_label
from l3net.audioset.splits import SPLITS, deal_videos, part_of, split_of
from l3net.errors import ClipError

IDS = [f"{n:011d}" for n in range(30)]
FATES = {IDS[0]: ("removed", f"no video {IDS[0]}"), IDS[1]: ("short", "3.50 s of 10 s are there")}
FATES |= {IDS[2]: ("network", "timed out after 12.5 s"), IDS[3]: ("network", "timed out after 3 s")}
PARTS = 10


@pytest.fixture
def fates(tmp_path: Path) -> pd.DataFrame:
    for name, ids in (("NA", IDS), ("few", IDS[:4])):
        rows = [f'{ytid},0.0,10.0,"/m/a,/m/b"' for ytid in ids]
        (tmp_path / f"{name}.csv").write_text("\n".join(["ytid,start_seconds,end_seconds,labels", *rows]) + "\n")
    rows = [(ytid, 0.0, 10.0, *FATES.get(ytid, ("ok", ""))) for ytid in IDS]
    table = pd.DataFrame(rows, columns=["ytid", "start_seconds", "end_seconds", "status", "reason"]).assign(attempts=1)
    table.reindex(columns=MANIFEST_COLUMNS).to_csv(tmp_path / "manifest.csv", index=False)
    return join_fates({name: tmp_path / f"{name}.csv" for name in ("NA", "few")}, [tmp_path / "manifest.csv"], PARTS)


def test_every_clip_has_its_split_and_status(fates: pd.DataFrame) -> None:
    assert fates["subset"].tolist() == ["NA"] * 30 + ["few"] * 4
    assert fates["split"].tolist() == [split_of(part_of(ytid, PARTS), PARTS) for ytid in [*IDS, *IDS[:4]]]
    assert fates["status"].tolist() == [FATES.get(ytid, ("ok",))[0] for ytid in [*IDS, *IDS[:4]]]


def test_statuses_are_counted_with_their_zeros(fates: pd.DataFrame) -> None:
    counts = count_statuses(fates, ["NA", "few"])
    assert list(counts) == ["subset", "split", "status", "n"]
    every = [(subset, split, status) for subset in ("NA", "few") for split in SPLITS for status in STATUSES]
    assert list(counts[["subset", "split", "status"]].itertuples(index=False, name=None)) == every
    in_all = counts.groupby(["subset", "status"])["n"].sum()
    assert (in_all["NA", "ok"], in_all["NA", "network"], in_all["few", "ok"], in_all["few", "short"]) == (26, 2, 0, 1)


def test_like_reasons_are_counted_together_under_each_label(fates: pd.DataFrame) -> None:
    table = count_labels(fates[fates["subset"] == "few"], Ontology({"/m/a": "Animal"}, {}))
    counts = table.groupby(["mid", "label", "status", "reason"])["n"].sum().to_dict()
    kinds = {
        ("removed", "no video {ytid}"): 1,
        ("short", "the video ends early"): 1,
        ("network", "timed out after # s"): 2,
    }
    labels = [("/m/a", "Animal"), ("/m/b", "/m/b")]
    assert counts == {(*label, *kind): n for label in labels for kind, n in kinds.items()}


def test_a_clip_in_no_manifest_is_told(fates: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text(",".join(MANIFEST_COLUMNS) + "\n")
    with pytest.raises(ClipError, match=r"4 clips of .*few\.csv are in no manifest, 00000000000 first"):
        join_fates({"few": tmp_path / "few.csv"}, [tmp_path / "manifest.csv"], PARTS)


def test_shares_and_what_may_come_later_are_logged(fates: pd.DataFrame, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="l3net"):
        log_shares(count_statuses(fates, ["NA", "few"]))
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "NA: 27 of 30 clips obtained (90.0 %)"
    assert said[1].startswith("NA: 2 clips may be obtained later; snakemake -R fetch_clips")
    assert said[2] == "few: 1 of 4 clips obtained (25.0 %)"


def test_clips_without_a_label_and_with_one_of_ones_own(fates: pd.DataFrame) -> None:
    some = fates[:2].assign(labels=[own_label(""), own_label("Vögel, früh & spät")])
    table = count_labels(some, Ontology({}, {}))
    assert set(zip(table["mid"], table["label"], strict=True)) == {
        ("/own/", "(without a label)"),
        ("/own/V%C3%B6gel%2C%20fr%C3%BCh%20%26%20sp%C3%A4t", "Vögel, früh & spät"),
    }


def test_too_few_clips_are_told(fates: pd.DataFrame) -> None:
    check_splits(fates, ["NA", "few"], min_clips=0)
    with pytest.raises(ClipError, match=r"few has [01] usable clips? in split \w+, expected audioset.min_clips = 2 "):
        check_splits(fates, ["NA", "few"], min_clips=2)


def of_videos(n: int, split: str) -> pd.DataFrame:
    """Return the fates of three clips each of `n` videos in ten parts."""
    parts = deal_videos(IDS[:n], PARTS, split)
    rows = [("mine", ytid, parts[ytid], split_of(parts[ytid], PARTS), "ok") for ytid in IDS[:n] for _ in range(3)]
    return pd.DataFrame(rows, columns=["subset", "ytid", "part", "split", "status"])


def test_a_split_without_two_videos_in_a_part_is_told_with_what_to_do() -> None:
    with pytest.raises(
        ClipError, match=r"mine has \d+ usable .* no part of it has two videos.*: set audioset.split: bal"
    ):
        check_splits(of_videos(12, "hash"), ["mine"], min_clips=1)
    check_splits(of_videos(12, "balanced"), ["mine"], min_clips=1)
    check_splits(of_videos(6, "balanced"), ["mine"], min_clips=1)
    with pytest.raises(ClipError, match=r"mine has 3 usable clips of 1 video in split test, .*: add videos \(six"):
        check_splits(of_videos(5, "balanced"), ["mine"], min_clips=1, split="balanced")
    lost = of_videos(6, "balanced")
    lost.loc[lost.index[lost["split"] == "valid"][0:3], "status"] = "invalid_media"
    with pytest.raises(ClipError, match="mine has 3 usable clips of 1 video in split valid"):
        check_splits(lost, ["mine"], min_clips=1, split="balanced")


def test_a_subset_without_any_clip_of_a_split_is_told_too(fates: pd.DataFrame) -> None:
    with pytest.raises(ClipError, match="other has 0 usable clips in split train"):
        check_splits(fates, ["other"], min_clips=1)
