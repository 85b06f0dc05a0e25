"""Test the paper's three comparisons: input representation, training subset, embedding."""

from itertools import combinations
from pathlib import Path

import pandas as pd

from l3net.report import holm_correction, signed_rank
from l3net.runtime import atomic, stage

# What is compared, and the variants over which pairs are matched beside data set, fold and seed.
_GRID = {"input_representation": ("front_end", "subset"), "training_subset": ("subset", "front_end")}
_COLUMNS = ["comparison", "dataset", "first", "second", "median_difference", "n", "p", "p_holm", "note", "synthetic"]
_COLUMNS += ["protocol", "n_pairs", "statistic", "first_mean", "second_mean"]


def test_significance(
    downstream: Path, significance: Path, *, reference: str, alpha: float = 0.05, synthetic: bool = False
) -> None:
    """Write a Wilcoxon signed-rank test for every comparison and data set, and over all data sets.

    Pairs are accuracies of the same data set, fold and seed that differ only in what is compared. The p values of one
    comparison are corrected together (Holm). A test with too few pairs has no p, and `note` says so.

    Parameters
    ----------
    downstream : CSV of collect_scores.
    reference : model, {subset}-{front_end}, whose embedding is compared with all others that are not ours.
    """
    scores = pd.read_csv(downstream, dtype={"fold": str, "seed": str, "model_seed": str}, keep_default_na=False)
    scores = scores[~scores["embedding"].str.contains(r"-epoch-\d{3}$")]
    rows = []
    for comparison in _GRID:
        rows += _compare(scores[scores["kind"] == "l3"], comparison, *_GRID[comparison], alpha)
    rows += _compare_embeddings(scores, reference, alpha)
    table = pd.DataFrame(rows, columns=[name for name in _COLUMNS if name != "p_holm"])
    table["p_holm"] = float("nan")
    for _, found in table.groupby("comparison"):
        table.loc[found.index, "p_holm"] = holm_correction(found["p"].to_numpy())
    protocols = " ".join(sorted(scores["protocol"].unique()))
    with atomic.replacing(significance) as temporary:
        table.assign(protocol=protocols, synthetic=synthetic)[_COLUMNS].to_csv(
            temporary, index=False, float_format="%.6g"
        )


def _compare(scores: pd.DataFrame, comparison: str, compared: str, other: str, alpha: float) -> list[dict]:
    """Return a row for each two values of the column `compared`, matched over the column `other`."""
    keys = ["dataset", "fold", "seed", "model_seed", other]
    wide = scores.pivot_table(index=keys, columns=compared, values="accuracy")
    return _rows(wide, comparison, list(combinations(sorted(wide.columns), 2)), alpha)


def _compare_embeddings(scores: pd.DataFrame, reference: str, alpha: float) -> list[dict]:
    """Return a row for the reference against each embedding that is not ours, averaged over models' seeds."""
    ours = scores["embedding"].str.fullmatch(rf"l3-{reference}(-seed\d+)?")
    named = scores.assign(who=scores["embedding"].where(~ours, f"l3-{reference}"))
    named = named[ours | (named["kind"] != "l3")]
    wide = named.pivot_table(index=["dataset", "fold", "seed"], columns="who", values="accuracy")
    others = sorted(set(wide.columns) - {f"l3-{reference}"})
    pairs = [(f"l3-{reference}", other) for other in others] if ours.any() else []
    return _rows(wide, "embedding_type", pairs, alpha)


def _rows(wide: pd.DataFrame, comparison: str, pairs: list[tuple[str, str]], alpha: float) -> list[dict]:
    rows = []
    names = wide.index.get_level_values("dataset")
    for dataset in [*sorted(set(names)), *(["all"] if len(set(names)) > 1 else [])]:
        here = wide if dataset == "all" else wide[names == dataset]
        for first, second in pairs:
            both = here[[first, second]].dropna()
            if both.empty:
                continue
            found = signed_rank(both[first].to_numpy(), both[second].to_numpy(), alpha=alpha)
            means = {"first_mean": both[first].mean(), "second_mean": both[second].mean()}
            what = {"comparison": comparison, "dataset": dataset, "first": first, "second": second}
            rows.append({**what, **means, **vars(found)})
    return rows


if __name__ == "__main__":
    stage.main(test_significance, globals().get("snakemake"))
