"""The paper's three comparisons: input representation, training subset, embedding.

A comparison tests pairs of accuracies that differ only in what is compared: they are of the same data set, fold and
seed, and of the same variant of everything else.
"""

from itertools import combinations
from typing import TYPE_CHECKING, Any

from l3net.report.statistics import holm_correction, signed_rank

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["comparison", "dataset", "first", "second", "median_difference", "n", "p", "p_holm", "note"]
MORE_COLUMNS = ["n_pairs", "statistic", "first_mean", "second_mean"]
_ALL_DATASETS = "all"


def compare_all(scores: "pd.DataFrame", reference: str, *, alpha: float) -> "pd.DataFrame":
    """Test the three comparisons on each data set and over all of them.

    The p values of one comparison are corrected together (Holm).

    Parameters
    ----------
    scores : accuracy by fold, of every embedding at its best checkpoint.
    reference : the model whose embedding is compared with all that are not ours.
    alpha : where too few pairs differ for a p below this, there is no p, and `note` says so.

    Returns
    -------
    table : `COLUMNS` and `MORE_COLUMNS`, a row for each comparison, data set and pair of names.
    """
    import pandas as pd

    ours = scores[scores["kind"] == "l3"]
    rows = [
        *_compare_variants(ours, "input_representation", "front_end", matched="subset", alpha=alpha),
        *_compare_variants(ours, "training_subset", "subset", matched="front_end", alpha=alpha),
        *_compare_with_reference(scores, reference, alpha=alpha),
    ]
    table = pd.DataFrame(rows, columns=[name for name in (*COLUMNS, *MORE_COLUMNS) if name != "p_holm"])
    table["p_holm"] = float("nan")
    for _, found in table.groupby("comparison"):
        table.loc[found.index, "p_holm"] = holm_correction(found["p"].to_numpy())
    return table


def _compare_variants(
    ours: "pd.DataFrame", comparison: str, compared: str, *, matched: str, alpha: float
) -> list[dict[str, Any]]:
    """Return a row for each two values of the column `compared`; pairs have one value of the column `matched`."""
    keys = ["dataset", "fold", "seed", "model_seed", matched]
    wide = ours.pivot_table(index=keys, columns=compared, values="accuracy")
    return _test_pairs(wide, comparison, list(combinations(sorted(wide.columns), 2)), alpha)


def _compare_with_reference(scores: "pd.DataFrame", reference: str, *, alpha: float) -> list[dict[str, Any]]:
    """Return a row for the reference, averaged over its seeds, against each embedding that is not ours."""
    named = scores[(scores["kind"] == "l3") & (scores["model"] == reference)]
    if named.empty:
        return []
    name, subset, front_end = named[["embedding", "subset", "front_end"]].iloc[0]
    is_ours = scores["kind"] == "l3"
    is_reference = is_ours & (scores["subset"] == subset) & (scores["front_end"] == front_end)
    scores = scores.assign(name=scores["embedding"].where(~is_reference, name))[is_reference | ~is_ours]
    wide = scores.pivot_table(index=["dataset", "fold", "seed"], columns="name", values="accuracy")
    others = sorted(set(wide.columns) - {name})
    return _test_pairs(wide, "embedding_type", [(name, other) for other in others], alpha)


def _test_pairs(
    wide: "pd.DataFrame", comparison: str, pairs: list[tuple[str, str]], alpha: float
) -> list[dict[str, Any]]:
    """Return a row for each data set and pair of columns of `wide`, whose rows are matched."""
    rows = []
    of_row = wide.index.get_level_values("dataset")
    datasets = sorted(set(of_row))
    for dataset in [*datasets, *([_ALL_DATASETS] if len(datasets) > 1 else [])]:
        here = wide if dataset == _ALL_DATASETS else wide[of_row == dataset]
        for first, second in pairs:
            both = here[[first, second]].dropna()
            if both.empty:
                continue
            found = signed_rank(both[first].to_numpy(), both[second].to_numpy(), alpha=alpha)
            means = {"first_mean": both[first].mean(), "second_mean": both[second].mean()}
            names = {"comparison": comparison, "dataset": dataset, "first": first, "second": second}
            rows.append({**names, **means, **vars(found)})
    return rows
