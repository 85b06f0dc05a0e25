"""The comparisons: which accuracies are pairs, and that the reference's seeds are averaged."""

import numpy as np
import pandas as pd
import pytest

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


def test_variants_are_matched_by_seed(scores: pd.DataFrame) -> None:
    table = compare_all(scores, "music-mel256", alpha=0.05).set_index("comparison")
    row = table.loc["input_representation"]
    assert (row["first"], row["second"], row["n_pairs"]) == ("linear", "mel256", 20)
    assert "training_subset" not in table.index  # there is one subset
    differences = [
        here.loc[here["front_end"] == "linear", "accuracy"].item()
        - here.loc[here["front_end"] == "mel256", "accuracy"].item()
        for _, here in scores[scores["kind"] == "l3"].groupby(["model_seed", "fold"])
    ]
    assert row["median_difference"] == pytest.approx(np.median(differences))


def test_the_references_seeds_are_averaged(scores: pd.DataFrame) -> None:
    row = compare_all(scores, "music-mel256", alpha=0.05).set_index("comparison").loc["embedding_type"]
    assert (row["first"], row["second"], row["n_pairs"]) == ("l3-music-mel256", "random", 10)
    ours = scores[(scores["front_end"] == "mel256") & (scores["kind"] == "l3")]
    assert row["first_mean"] == pytest.approx(ours["accuracy"].mean())
    by_fold = ours.groupby("fold")["accuracy"].mean() - scores[scores["kind"] == "random"].set_index("fold")["accuracy"]
    assert row["median_difference"] == pytest.approx(by_fold.median())


def test_a_reference_that_is_not_there_is_compared_with_nothing(scores: pd.DataFrame) -> None:
    assert set(compare_all(scores, "music-mel128", alpha=0.05)["comparison"]) == {"input_representation"}
