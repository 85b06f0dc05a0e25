"""The comparisons: which accuracies are pairs, and what is averaged before."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from l3net.report.comparisons import compare_all

FOLDS = [str(n) for n in range(1, 11)]


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    """Two seeds of two front ends on one subset, and an embedding that is not ours."""
    rng = np.random.default_rng(0)
    rows = []
    for front_end in ("linear", "mel256"):
        for seed, tag in (("0", ""), ("1", "-seed1")):
            model = f"music-{front_end}{tag}"
            rows += [[f"l3-{model}", "l3", "music", front_end, model, seed, fold, rng.random()] for fold in FOLDS]
    rows += [["random", "random", "", "mel256", "", "", fold, rng.random()] for fold in FOLDS]
    columns = ["embedding", "kind", "subset", "front_end", "model", "model_seed", "fold", "accuracy"]
    return pd.DataFrame(rows, columns=columns).assign(dataset="us8k", seed=0)


def test_seeds_are_averaged_before_a_fold_is_a_pair(scores: pd.DataFrame) -> None:
    table = compare_all(scores, "music-mel256", alpha=0.05).set_index("comparison")
    row = table.loc["input_representation"]
    assert (row["first"], row["second"], row["n_pairs"], row["unit"], row["n_units"]) == (
        "linear",
        "mel256",
        10,
        "fold",
        10,
    )
    assert "training_subset" not in table.index  # there is one subset
    ours = scores[scores["kind"] == "l3"]
    differences = [
        here.loc[here["front_end"] == "linear", "accuracy"].mean()
        - here.loc[here["front_end"] == "mel256", "accuracy"].mean()
        for _, here in ours.groupby("fold")
    ]
    assert row["median_difference"] == pytest.approx(np.median(differences))


@pytest.fixture
def two_subsets(scores: pd.DataFrame) -> pd.DataFrame:
    """The scores, and those of a subset with one seed less and one fold less."""
    other = scores[(scores["kind"] == "l3") & (scores["model_seed"] == "0") & (scores["fold"] != "10")]
    other = other.assign(subset="environmental", accuracy=np.random.default_rng(1).random(len(other)))
    return pd.concat([scores, other], ignore_index=True)


def test_variants_are_averaged_after_seeds_each_as_much_as_another(two_subsets: pd.DataFrame) -> None:
    row = compare_all(two_subsets, "", alpha=0.05).set_index("comparison").loc["input_representation"]
    ours = two_subsets[two_subsets["kind"] == "l3"]
    differences = []
    for _, of_fold in ours.groupby("fold"):
        of_subset = [
            here.loc[here["front_end"] == "linear", "accuracy"].mean()
            - here.loc[here["front_end"] == "mel256", "accuracy"].mean()
            for _, here in of_fold.groupby("subset")
        ]
        differences.append(np.mean(of_subset))
    assert (row["n_pairs"], row["n_units"], row["note"]) == (10, 10, "exact")
    assert row["median_difference"] == pytest.approx(np.median(differences))
    assert row["p"] == pytest.approx(scipy.stats.wilcoxon(differences, method="exact").pvalue)


def test_concatenated_takes_a_pair_of_each_variant_and_says_so(two_subsets: pd.DataFrame) -> None:
    table = compare_all(two_subsets, "music-mel256", alpha=0.05, concatenated=True).set_index("comparison")
    row = table.loc["input_representation"]
    assert (row["n_pairs"], row["n_units"]) == (19, 10)
    expected = (
        "exact; pairs of all other design variations, as in the published code, are not independent: p is too small"
    )
    assert row["note"] == expected
    assert "published code" not in table.loc["embedding_type", "note"]  # nothing is concatenated there


def test_only_what_has_its_counterpart_is_averaged(scores: pd.DataFrame) -> None:
    """A seed that one front end lacks on a fold counts for neither."""
    is_extra = (scores["front_end"] == "mel256") & (scores["model_seed"] == "1") & (scores["fold"] == "3")
    changed = scores.assign(accuracy=scores["accuracy"].where(~((scores["model_seed"] == "1") & is_extra), 99.0))
    lacking = (scores["front_end"] == "linear") & (scores["model_seed"] == "1") & (scores["fold"] == "3")
    row = compare_all(changed[~lacking], "", alpha=0.05).set_index("comparison").loc["input_representation"]
    assert row["second_mean"] < 1


def test_folds_of_several_data_sets_are_tested_together_too(scores: pd.DataFrame) -> None:
    few = scores[scores["fold"].isin(list("12345"))].assign(dataset="esc50")
    table = compare_all(pd.concat([scores, few]), "", alpha=0.05)
    table = table[table["comparison"] == "input_representation"]
    assert list(zip(table["dataset"], table["n_pairs"], strict=True)) == [("esc50", 5), ("us8k", 10), ("all", 15)]
    row = table.iloc[0]
    assert np.isnan(row["p"])
    assert 0.043 <= row["p_normal"] <= 1
    assert row["note"].startswith("too few pairs: 5 of 5 differ")


def test_the_references_seeds_are_averaged(scores: pd.DataFrame) -> None:
    row = compare_all(scores, "music-mel256", alpha=0.05).set_index("comparison").loc["embedding_type"]
    assert (row["first"], row["second"], row["n_pairs"]) == ("l3-music-mel256", "random", 10)
    ours = scores[(scores["front_end"] == "mel256") & (scores["kind"] == "l3")]
    assert row["first_mean"] == pytest.approx(ours["accuracy"].mean())
    by_fold = ours.groupby("fold")["accuracy"].mean() - scores[scores["kind"] == "random"].set_index("fold")["accuracy"]
    assert row["median_difference"] == pytest.approx(by_fold.median())


def test_a_reference_that_is_not_there_is_compared_with_nothing(scores: pd.DataFrame) -> None:
    assert set(compare_all(scores, "music-mel128", alpha=0.05)["comparison"]) == {"input_representation"}
