"""Average precision, ROC AUC and recall at k: scikit-learn's to 1e-9, and their definitions by hand."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from l3net.report.accuracy import accuracy_by_class, accuracy_by_fold, accuracy_over_clips
from l3net.vectors import join_labels
from l3net.vectors.ranking import class_answers, found_within, mean_ranking, ranking_by_class, resampled_precision

CLASSES = ["bell", "dog", "siren"]


def predictions(n: int = 60, seeds: int = 1) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    relevant = rng.random((n * seeds, 3)) < [0.3, 0.5, 0.2]
    likelihoods = np.round(np.clip(relevant * 0.3 + rng.random((n * seeds, 3)) * 0.7, 0, 1), 2)  # with ties
    rows = []
    for i, (has, p) in enumerate(zip(relevant, likelihoods, strict=True)):
        facts = {"dataset": "d", "embedding": "e", "kind": "l3", "front_end": "", "subset": "", "epoch": -1}
        facts |= {
            "samples_seen": 0,
            "protocol": "paper",
            "seed": i // n,
            "fold": str(i % 2),
            "filename": f"{i % n}.wav",
        }
        labels, guess = (join_labels(np.array(CLASSES)[mask]) for mask in (has, p >= 0.5))
        facts |= {"label": labels, "predicted": guess, "correct": int(labels == guess), "group": f"{i % n // 2}"}
        rows.append(facts | {f"p:{name}": value for name, value in zip(CLASSES, p, strict=True)})
    return pd.DataFrame(rows), relevant, likelihoods


def by_hand(has: np.ndarray, likelihood: np.ndarray) -> tuple[float, float]:
    """Return average precision over the distinct thresholds, and the share of pairs in the right order."""
    precision, recall_before = 0.0, 0.0
    for threshold in np.unique(likelihood)[::-1]:
        chosen = likelihood >= threshold
        recall = has[chosen].sum() / has.sum()
        precision += (recall - recall_before) * has[chosen].mean()
        recall_before = recall
    pairs = likelihood[has][:, None] - likelihood[~has][None]
    return precision, float(((pairs > 0) + 0.5 * (pairs == 0)).mean())


def test_scores_are_scikit_learns_and_the_definitions() -> None:
    scores, relevant, likelihoods = predictions()
    found = ranking_by_class(scores)
    assert found["label"].tolist() == CLASSES
    assert found["n_clips"].tolist() == relevant.sum(0).tolist()
    assert found["prevalence"].tolist() == relevant.mean(0).tolist()
    for number, row in enumerate(found.itertuples()):
        has, p = relevant[:, number], likelihoods[:, number]
        assert row.average_precision == pytest.approx(average_precision_score(has, p), abs=1e-9)
        assert row.roc_auc == pytest.approx(roc_auc_score(has, p), abs=1e-9)
        assert (row.average_precision, row.roc_auc) == pytest.approx(by_hand(has, p), abs=1e-9)
    means = mean_ranking(scores)
    expected = average_precision_score(relevant, likelihoods, average="macro")
    assert means["mean_average_precision"] == pytest.approx(expected, abs=1e-9)
    assert means["roc_auc"] == pytest.approx(roc_auc_score(relevant, likelihoods, average="macro"), abs=1e-9)
    assert means["prevalence"] == pytest.approx(relevant.mean(), abs=1e-12)


def test_a_resample_has_the_precision_of_clips_that_count_so_often() -> None:
    """Scikit-learn's with the counts as weights; in the last resample no clip has the first class."""
    scores, relevant, likelihoods = predictions()
    times = np.random.default_rng(1).multinomial(len(scores), np.full(len(scores), 1 / len(scores)), 5)
    times[4, relevant[:, 0]] = 0
    found = resampled_precision(scores, np.concatenate([np.ones((1, len(scores)), int), times]))
    assert found[0] == pytest.approx(mean_ranking(scores)["mean_average_precision"], abs=1e-12)
    for precision, weights in zip(found[1:], times, strict=True):
        classes = [n for n in range(3) if weights[relevant[:, n]].sum()]
        of_class = [average_precision_score(relevant[:, n], likelihoods[:, n], sample_weight=weights) for n in classes]
        assert precision == pytest.approx(np.mean(of_class), abs=1e-12)
    assert len(classes) == 2


def test_resamples_without_any_label_are_left_out_of_the_interval() -> None:
    scores, _, _ = predictions()
    alone = scores.assign(label=[join_labels(["dog"] if n == 3 else []) for n in range(len(scores))])
    assert np.isnan(resampled_precision(alone, np.ones((1, len(scores)), int) * (np.arange(len(scores)) != 3))).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = accuracy_over_clips(alone, confidence=0.95, draws=50, seed=0).iloc[0]
    assert 0 < whole["map_ci_low"] <= whole["map_ci_high"] <= 1
    assert np.isnan(accuracy_over_clips(alone, confidence=0.95, draws=0, seed=0).iloc[0]["map_ci_low"])


def test_answers_class_by_class() -> None:
    scores, relevant, likelihoods = predictions()
    classes, right = class_answers(scores)
    assert classes == CLASSES
    np.testing.assert_array_equal(right, relevant == (likelihoods >= 0.5))


def test_a_class_that_cannot_be_ranked_is_left_out_of_the_mean() -> None:
    scores, _, _ = predictions()
    scores["p:never"] = 0.1
    found = ranking_by_class(scores)
    assert found["average_precision"].isna().tolist() == [False, False, False, True]
    assert mean_ranking(scores) == pytest.approx(mean_ranking(scores.drop(columns="p:never")))


def test_tables_have_the_scores_and_those_of_one_label_do_not() -> None:
    scores, relevant, likelihoods = predictions(seeds=2)
    each = [roc_auc_score(relevant[half], likelihoods[half]) for half in (slice(60), slice(60, None))]
    whole = accuracy_over_clips(scores, confidence=0.95, draws=50, seed=0).iloc[0]
    assert whole["roc_auc"] == pytest.approx(np.mean(each), abs=1e-9)
    assert whole["accuracy"] == scores["correct"].mean()
    assert whole["map_ci_low"] < whole["mean_average_precision"] < whole["map_ci_high"]
    assert (whole["n_classes"], whole["n_units"]) == (3, 30)
    folds = accuracy_by_fold(scores)
    assert set(folds) >= {"mean_average_precision", "roc_auc", "prevalence"}
    of_folds = folds.groupby("fold")["mean_average_precision"].mean()
    assert (whole["map_fold_mean"], whole["map_fold_std"]) == pytest.approx((of_folds.mean(), of_folds.std()))
    first = (scores["seed"] == 0) & (scores["fold"] == "0")
    right = (relevant == (likelihoods >= 0.5))[first.to_numpy()]
    assert folds["class_mean_accuracy"].iloc[0] == pytest.approx(right.mean())
    by_class = accuracy_by_class(scores, confidence=0.95)
    assert by_class["label"].tolist() == CLASSES
    of_class = [
        np.mean([average_precision_score(relevant[h, 1], likelihoods[h, 1]) for h in (slice(60), slice(60, 120))])
    ]
    assert by_class["average_precision"].iloc[1] == pytest.approx(of_class[0], abs=1e-12)
    assert by_class["accuracy"].tolist() == pytest.approx((relevant == (likelihoods >= 0.5)).mean(0))
    assert by_class[["ci_low", "ci_high", "unit", "n_units"]].notna().all(axis=None)
    single = scores.assign(label="dog")
    assert "roc_auc" not in accuracy_over_clips(single, confidence=0.95, draws=50, seed=0)
    assert "roc_auc" not in accuracy_by_fold(single)


def test_recall_at_k() -> None:
    items = np.eye(4)
    queries = np.array([[1, 0, 0, 0], [0.9, 0.4, 0, 0], [0, 0.6, 0.5, 0.4], [0.4, 0.3, 0.2, 0.1]])
    assert [found_within(queries, items, k).mean() for k in (1, 2, 3, 4)] == [0.25, 0.75, 0.75, 1.0]
    assert found_within(items, items, 1).all()
    assert not found_within(np.ones((4, 2)), np.ones((4, 2)), 3).any()  # equal vectors tell nothing apart
    assert not found_within(np.full((4, 2), np.nan), np.ones((4, 2)), 3).any()
    assert found_within(np.zeros((0, 2)), np.zeros((0, 2)), 3).shape == (0,)


def test_recall_at_k_with_ties_is_that_of_exact_sums() -> None:
    """Equal vectors among others, many of each; the oracle compares sums without rounding.

    With the second half of the seeds products of equal vectors differ on one machine or another.
    """
    for seed in [*range(8), 97, 117, 180, 219, 320, 322, 353, 363]:
        rng = np.random.default_rng(seed)
        n, d = rng.integers(2, 60), rng.integers(1, 130)
        kinds = rng.standard_normal((max(2, n // 3), d))
        kinds = (kinds / np.linalg.norm(kinds, axis=1, keepdims=True)).astype(np.float32)
        queries, items = kinds[rng.integers(0, len(kinds), n)], kinds[rng.integers(0, len(kinds), n)]
        like = [[math.fsum(map(math.prod, zip(q.tolist(), i.tolist(), strict=True))) for i in items] for q in queries]
        for k in (1, 5):
            wanted = [sum(other >= own[i] for other in own) - 1 < k for i, own in enumerate(like)]
            assert found_within(queries, items, k).tolist() == wanted


def test_recall_at_k_of_many_is_found_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(0).standard_normal((2, 50, 4))
    whole = found_within(*vectors, 5)
    monkeypatch.setattr("l3net.vectors.ranking._QUERIES_AT_ONCE", 7)
    np.testing.assert_array_equal(found_within(*vectors, 5), whole)
