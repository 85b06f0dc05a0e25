"""Accuracy from predictions: seeds are averaged first, and intervals are over recordings where clips share one."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from l3net.report.accuracy import accuracy_by_class, accuracy_by_fold, accuracy_over_clips, read_predictions
from l3net.report.statistics import wilson_interval

HOW = {"confidence": 0.95, "draws": 500, "seed": 1}


def predictions(*, clips_per_group: int, seeds: int = 1) -> pd.DataFrame:
    """Forty clips of two classes in four folds, in groups whose clips are mostly right or mostly wrong together."""
    rng = np.random.default_rng(0)
    clip = np.arange(40)
    group = clip // clips_per_group
    easy = rng.random(group.max() + 1) < 0.6
    rows = []
    for seed in range(seeds):
        right = np.where(rng.random(40) < 0.9, easy[group], ~easy[group])
        for n in clip:
            rows.append([seed, str(n % 4), f"{n}.wav", f"class {n % 2}", int(right[n]), f"recording {group[n]}"])
    names = {"dataset": "d", "embedding": "e", "kind": "l3", "front_end": "", "subset": "", "epoch": 1}
    table = pd.DataFrame(rows, columns=["seed", "fold", "filename", "label", "correct", "group"])
    return table.assign(**names, samples_seen="0", protocol="paper")


def test_the_unit_is_the_recording_where_clips_share_one() -> None:
    alone, shared = (accuracy_over_clips(predictions(clips_per_group=n), **HOW).iloc[0] for n in (1, 4))
    assert (alone["unit"], alone["n_units"], alone["n_clips"]) == ("clip", 40, 40)
    assert (shared["unit"], shared["n_units"], shared["n_clips"]) == ("recording", 10, 40)
    assert shared["ci_high"] - shared["ci_low"] > 1.4 * (alone["ci_high"] - alone["ci_low"])


def test_a_class_with_a_recording_for_each_clip_has_wilsons_interval() -> None:
    scores = predictions(clips_per_group=1)
    for row in accuracy_by_class(scores, confidence=0.95).to_dict("records"):
        right = scores.loc[scores["label"] == row["label"], "correct"]
        assert (row["ci_low"], row["ci_high"]) == wilson_interval(int(right.sum()), 20, 0.95)
        assert (row["n_clips"], row["unit"], row["n_units"]) == (20, "clip", 20)


def test_a_class_counts_its_own_recordings() -> None:
    table = accuracy_by_class(predictions(clips_per_group=4), confidence=0.95)
    assert set(table["unit"]) == {"recording"}
    assert table["n_units"].tolist() == [10, 10]
    alone = accuracy_by_class(predictions(clips_per_group=4).assign(group=range(40)), confidence=0.95)
    assert ((table["ci_high"] - table["ci_low"]) > (alone["ci_high"] - alone["ci_low"])).all()


def test_seeds_add_no_folds_no_clips_and_no_certainty() -> None:
    scores = predictions(clips_per_group=1, seeds=3)
    row = accuracy_over_clips(scores, **HOW).iloc[0]
    assert (row["n_seeds"], row["n_folds"], row["n_clips"], row["n_units"]) == (3, 4, 40, 40)
    folds = scores.groupby("fold")["correct"].mean()
    assert row["fold_mean"] == pytest.approx(folds.mean())
    assert row["fold_std"] == pytest.approx(folds.std(ddof=1))
    assert len(accuracy_by_fold(scores)) == 12
    once = pd.concat([scores[scores["seed"] == 0].assign(seed=n) for n in range(3)])
    same = accuracy_by_class(once, confidence=0.95).iloc[0]
    single = accuracy_by_class(scores[scores["seed"] == 0], confidence=0.95).iloc[0]
    assert same["accuracy"] == pytest.approx(single["accuracy"])
    assert same["n_clips"] == single["n_clips"] == 20
    # Three copies of each answer: about as wide as one.
    assert same["ci_high"] - same["ci_low"] == pytest.approx(single["ci_high"] - single["ci_low"], rel=0.1)


def test_predictions_of_before_have_each_clip_for_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    predictions(clips_per_group=4).drop(columns="group").to_csv(tmp_path / "old.csv", index=False)
    with caplog.at_level(logging.WARNING, "l3net"):
        scores = read_predictions(tmp_path / "old.csv")
    assert "old.csv has no column group; make it again (-R classify_dataset)" in caplog.text
    assert accuracy_over_clips(scores, **HOW).iloc[0]["unit"] == "clip"


def test_an_epoch_that_is_not_given_is_minus_one(tmp_path: Path) -> None:
    predictions(clips_per_group=1).assign(epoch="", fold="1").to_csv(tmp_path / "p.csv", index=False)
    assert set(read_predictions(tmp_path / "p.csv")["epoch"]) == {-1}
