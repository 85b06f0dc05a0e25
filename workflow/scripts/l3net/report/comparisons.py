"""The paper's three comparisons: input representation, training subset, embedding.

A comparison tests pairs of accuracies that differ only in what is compared. What is independent is a fold of a data
set. So accuracies are averaged over the seeds of classifier and model, then over all other design variations, as the
paper says it did, and a fold gives one pair. The published script puts the pairs of all variations after one another
instead; option `concatenated` does the same.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from l3net.report.statistics import holm_correction, signed_rank

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["comparison", "dataset", "first", "second", "median_difference", "n", "p", "p_holm", "note"]
MORE_COLUMNS = ["n_pairs", "statistic", "first_mean", "second_mean", "p_normal", "unit", "n_units"]
_ALL_DATASETS = "all"
_FOLD = ["dataset", "fold"]
_CONCATENATED = "pairs of all other design variations, as in the published code, are not independent: p is too small"


@dataclass(frozen=True)
class _Test:
    """How pairs are made and tested.

    Parameters
    ----------
    comparison : its name.
    unit : the columns whose values together are one pair.
    alpha : the level below which a p must be able to fall.
    """

    comparison: str
    unit: list[str]
    alpha: float


def compare_all(scores: "pd.DataFrame", reference: str, *, alpha: float, concatenated: bool = False) -> "pd.DataFrame":
    """Test the three comparisons on each data set and over all of them.

    The p values of one comparison are corrected together (Holm).

    Parameters
    ----------
    scores : accuracy by fold, of every embedding at its best checkpoint.
    reference : the model whose embedding is compared with all that are not ours.
    alpha : where too few pairs differ for a p below this, there is no p, and `note` says so.
    concatenated : take a pair of each design variation that is not compared, as the published code does; `note` says
        so. These pairs are not independent: where nothing differs, p falls below 0.05 far more often than in 5 %.

    Returns
    -------
    table : `COLUMNS` and `MORE_COLUMNS`, a row for each comparison, data set and pair of names.
    """
    import pandas as pd

    ours = scores[scores["kind"] == "l3"]
    rows = []
    for comparison, compared, other in (
        ("input_representation", "front_end", "subset"),
        ("training_subset", "subset", "front_end"),
    ):
        test = _Test(comparison, [*_FOLD, other] if concatenated else _FOLD, alpha)
        rows += _compare_variants(ours, test, compared, other)
    rows += _compare_with_reference(scores, reference, _Test("embedding_type", _FOLD, alpha))
    table = pd.DataFrame(rows, columns=[name for name in (*COLUMNS, *MORE_COLUMNS) if name != "p_holm"])
    table["p_holm"] = float("nan")
    for _, found in table.groupby("comparison"):
        table.loc[found.index, "p_holm"] = holm_correction(found["p"].to_numpy())
    return table


def _compare_variants(ours: "pd.DataFrame", test: _Test, compared: str, other: str) -> list[dict[str, Any]]:
    """Return a row for each two values of the column `compared`; accuracies have one value of the column `other`."""
    keys = [*_FOLD, other, "seed", "model_seed"]
    wide = ours.pivot_table(index=keys, columns=compared, values="accuracy")
    return _test_pairs(wide, test, list(combinations(sorted(wide.columns), 2)))


def _compare_with_reference(scores: "pd.DataFrame", reference: str, test: _Test) -> list[dict[str, Any]]:
    """Return a row for the reference, averaged over its seeds, against each embedding that is not ours."""
    named = scores[(scores["kind"] == "l3") & (scores["model"] == reference)]
    if named.empty:
        return []
    name, subset, front_end = named[["embedding", "subset", "front_end"]].iloc[0]
    is_ours = scores["kind"] == "l3"
    is_reference = is_ours & (scores["subset"] == subset) & (scores["front_end"] == front_end)
    scores = scores.assign(name=scores["embedding"].where(~is_reference, name))[is_reference | ~is_ours]
    wide = scores.pivot_table(index=[*_FOLD, "seed"], columns="name", values="accuracy")
    others = sorted(set(wide.columns) - {name})
    return _test_pairs(wide, test, [(name, other) for other in others])


def _test_pairs(wide: "pd.DataFrame", test: _Test, pairs: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return a row for each data set and pair of columns of `wide`, whose rows are matched."""
    rows = []
    for first, second in pairs:
        matched = _average(wide[[first, second]].dropna(), test.unit)
        of_dataset = [*matched.groupby(level="dataset")]
        for dataset, here in [*of_dataset, *([(_ALL_DATASETS, matched)] if len(of_dataset) > 1 else [])]:
            found = vars(signed_rank(here[first].to_numpy(), here[second].to_numpy(), alpha=test.alpha))
            if test.unit != _FOLD:
                found["note"] += f"; {_CONCATENATED}"
            means = {"first_mean": here[first].mean(), "second_mean": here[second].mean()}
            names = {"comparison": test.comparison, "dataset": dataset, "first": first, "second": second}
            units = {"unit": "fold", "n_units": len(here.groupby(level=_FOLD))}
            rows.append({**names, **means, **found, **units})
    return sorted(rows, key=lambda row: (row["dataset"] == _ALL_DATASETS, row["dataset"]))


def _average(matched: "pd.DataFrame", unit: list[str]) -> "pd.DataFrame":
    """Average over seeds, then over whatever else is not in `unit`."""
    variant = [name for name in matched.index.names if name not in ("seed", "model_seed")]
    return matched.groupby(level=variant).mean().groupby(level=unit).mean()
