"""Scores of rankings: average precision and ROC AUC of clips with several labels, and recall at k of retrieval."""

from typing import TYPE_CHECKING

import numpy as np

from l3net.vectors.label_sets import are_label_sets, label_matrix

if TYPE_CHECKING:
    import pandas as pd

_LIKELIHOOD = "p:"


def ranking_by_class(scores: "pd.DataFrame") -> "pd.DataFrame":
    """Return a row for each class of clips with sets of labels: label, n_clips, average_precision, roc_auc.

    They are scikit-learn's. A class that no clip, or every clip, has cannot be ranked and has NaN; `n_clips` is the
    number of clips that have it.
    """
    import pandas as pd
    from sklearn.metrics import average_precision_score, roc_auc_score

    classes = [name.removeprefix(_LIKELIHOOD) for name in scores.columns if name.startswith(_LIKELIHOOD)]
    relevant = label_matrix(scores["label"].tolist(), classes)
    rows = []
    for number, label in enumerate(classes):
        has, likelihood = relevant[:, number], scores[f"{_LIKELIHOOD}{label}"].to_numpy(float)
        both = 0 < has.sum() < len(has)
        precision = average_precision_score(has, likelihood) if has.any() else float("nan")
        area = roc_auc_score(has, likelihood) if both else float("nan")
        rows.append({"label": label, "n_clips": int(has.sum()), "average_precision": precision, "roc_auc": area})
    return pd.DataFrame(rows)


def mean_ranking(scores: "pd.DataFrame") -> dict[str, float]:
    """Return the means over the classes that can be ranked, mean_average_precision and roc_auc; of several seeds their
    mean. Clips with one label each have none.
    """
    if not has_label_sets(scores):
        return {}
    found = []
    for _, own in scores.groupby("seed", sort=False):
        by_class = ranking_by_class(own)
        found.append((by_class["average_precision"].mean(), by_class["roc_auc"].mean()))
    precision, area = np.mean(found, axis=0)
    return {"mean_average_precision": float(precision), "roc_auc": float(area)}


def has_label_sets(scores: "pd.DataFrame") -> bool:
    """Return whether the clips of predictions have sets of labels."""
    return are_label_sets(scores["label"].tolist())


def found_within(queries: np.ndarray, items: np.ndarray, k: int) -> np.ndarray:
    """Return for each query whether its own item is among the `k` items most like it; the mean is the recall at k.

    Parameters
    ----------
    queries, items : vectors of length 1 [shape=(n, d)]; item i is the own one of query i. An item that is as like as
        the own one counts as before it, so that equal vectors find nothing.
    """
    similar = np.asarray(queries, np.float64) @ np.asarray(items, np.float64).T
    before = (similar >= np.diag(similar)[:, None]).sum(axis=1) - 1
    return before < k
