"""The difference to the untrained network: matched clip by clip and by front end, drawn over recordings."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from l3net.report.against_untrained import compare_with_untrained
from l3net.vectors import join_labels

HOW = {"confidence": 0.95, "draws": 2000, "seed": 1}


def predictions(embedding: str, right: list[float], *, front_end: str = "mel256", dataset: str = "d") -> pd.DataFrame:
    """Return predictions of clips of which two at a time are of one recording."""
    n = len(right)
    facts = {"dataset": dataset, "embedding": embedding, "front_end": front_end, "seed": 0, "fold": "1"}
    names = {"filename": [f"{k}.wav" for k in range(n)], "group": [f"r{k // 2}" for k in range(n)]}
    return pd.DataFrame({"correct": right, **names, "label": [f"c{k % 4}" for k in range(n)]}).assign(**facts)


def test_the_interval_is_over_recordings_and_of_pairs() -> None:
    rng = np.random.default_rng(0)
    easy = np.repeat(rng.random(200), 2)  # a recording's clips are alike
    ours, theirs = (rng.random(400) < easy * 0.9 + share for share in (0.1, 0.0))
    scores = [predictions("a", ours.astype(float).tolist()), predictions("u", theirs.astype(float).tolist())]
    row = compare_with_untrained(scores, {"a"}, {"u"}, **HOW).iloc[0]
    difference = ours.astype(float) - theirs
    assert row["difference"] == pytest.approx(difference.mean())
    of_recordings = difference.reshape(-1, 2).mean(axis=1)
    half = 1.96 * of_recordings.std(ddof=1) / np.sqrt(of_recordings.size)
    assert row["ci_high"] - row["ci_low"] == pytest.approx(2 * half, rel=0.1)
    assert (row["unit"], row["n_units"], row["n_clips"], row["chance"]) == ("recording", 200, 400, 0.25)


def test_each_is_compared_with_the_untrained_network_of_its_front_end() -> None:
    scores = [
        predictions("a", [1, 1, 1, 0], front_end="linear"),
        predictions("b", [1, 0, 0, 0], front_end="mel128"),
        predictions("u-linear", [1, 0, 0, 0], front_end="linear"),
        predictions("u-mel256", [1, 1, 0, 0], front_end="mel256"),
    ]
    table = compare_with_untrained(scores, {"a", "b"}, {"u-linear", "u-mel256"}, **HOW).set_index("embedding")
    assert table["untrained"].to_dict() == {"a": 0.25, "b": 0.375, "": 0.3125}
    assert table["difference"].to_dict() == {"a": 0.5, "b": -0.125, "": 0.1875}
    assert table["n_embeddings"].to_dict() == {"a": 1, "b": 1, "": 2}


def test_without_an_untrained_network_it_is_chance() -> None:
    row = compare_with_untrained([predictions("a", [1, 1, 0, 1])], {"a"}, set(), **HOW).iloc[0]
    assert (row["against"], row["difference"], row["chance"]) == ("chance", 0.5, 0.25)
    assert np.isnan(row["untrained"])


def test_seeds_are_averaged_and_data_sets_count_alike() -> None:
    two_seeds = pd.concat([predictions("a", [1, 1, 0, 0]), predictions("a", [1, 0, 0, 0]).assign(seed=1)])
    scores = [two_seeds, predictions("u", [0, 0, 0, 0])]
    scores += [predictions("a", [1] * 8, dataset="e"), predictions("u", [0] * 8, dataset="e")]
    table = compare_with_untrained(scores, {"a"}, {"u"}, **HOW)
    of = table[table["embedding"] == "a"].set_index("dataset")
    assert of["accuracy"].to_dict() == {"d": 0.375, "e": 1.0, "all": 0.6875}
    assert of.loc["d", "n_clips"] == 4
    assert of.loc["e", ["ci_low", "ci_high"]].tolist() == [1, 1]
    assert of.loc["d", "ci_low"] < of.loc["all", "difference"] < 1


def test_an_embedding_that_one_data_set_lacks_has_no_mean_over_data_sets() -> None:
    scores = [predictions(name, [1, 0, 1, 0]) for name in ("a", "b", "u")]
    scores += [predictions(name, [1, 1, 1, 0], dataset="e") for name in ("a", "u")]
    table = compare_with_untrained(scores, {"a", "b"}, {"u"}, **HOW)
    assert table[table["dataset"] == "all"]["embedding"].tolist() == ["a", ""]
    assert table["ci_low"].notna().all()


def test_without_a_trained_embedding_the_table_is_empty() -> None:
    table = compare_with_untrained([predictions("u", [1, 0, 0, 0])], set(), {"u"}, **HOW)
    assert len(table) == 0
    assert {"ci_low", "against"} <= set(table.columns)


def of_sets(embedding: str, skill: float) -> tuple[pd.DataFrame, float]:
    """Return predictions of clips with several labels, and their mean average precision by scikit-learn."""
    relevant = np.random.default_rng(0).random((200, 3)) < [0.2, 0.4, 0.6]
    likelihoods = skill * relevant + np.random.default_rng(len(embedding)).random((200, 3))
    table = predictions(embedding, [0.0] * 200, dataset="sets")
    table["label"] = [join_labels(np.array(["x", "y", "z"])[has]) for has in relevant]
    for name, column in zip("xyz", likelihoods.T, strict=True):
        table[f"p:{name}"] = column
    return table, average_precision_score(relevant, likelihoods)


def test_clips_with_several_labels_are_compared_by_average_precision() -> None:
    """They stay out of the mean over data sets that are compared by accuracy."""
    ours, own = of_sets("a", 0.5)
    untrained, theirs = of_sets("untrained", 0.2)
    scores = [ours, untrained, predictions("a", [1, 1, 0, 1]), predictions("untrained", [1, 0, 0, 0])]
    table = compare_with_untrained(scores, {"a"}, {"untrained"}, **HOW)
    assert "all" not in set(table["dataset"])
    assert table.set_index("dataset")["measure"].to_dict() == {"d": "accuracy", "sets": "mean average precision"}
    row = table[(table["dataset"] == "sets") & (table["embedding"] == "a")].iloc[0]
    assert (row["accuracy"], row["untrained"], row["difference"]) == pytest.approx((own, theirs, own - theirs))
    assert row["chance"] == pytest.approx(0.4, abs=0.05)
    assert row["ci_low"] < row["difference"] < row["ci_high"]
    assert (row["unit"], row["n_units"], row["n_clips"]) == ("recording", 100, 200)
    others = [predictions(name, right, dataset="e") for name, right in (("a", [1, 1]), ("untrained", [0, 0]))]
    of_all = compare_with_untrained([*scores, *others], {"a"}, {"untrained"}, **HOW)
    mean = of_all[(of_all["dataset"] == "all") & (of_all["embedding"] == "a")].iloc[0]
    assert (mean["accuracy"], mean["measure"]) == (0.875, "accuracy")
    several = compare_with_untrained(scores[:2], {"a"}, {"untrained"}, **HOW)
    assert several["difference"].tolist() == pytest.approx([own - theirs] * 2)
    assert "measure" not in compare_with_untrained(scores[2:], {"a"}, {"untrained"}, **HOW)
