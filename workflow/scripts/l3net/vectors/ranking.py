"""Scores of rankings: average precision and ROC AUC of clips with several labels, and recall at k of retrieval."""

from typing import TYPE_CHECKING

import numpy as np

from l3net.vectors.label_sets import are_label_sets, label_matrix

if TYPE_CHECKING:
    import pandas as pd

_LIKELIHOOD = "p:"
_QUERIES_AT_ONCE = 1024  # of retrieval: their likenesses with 20,000 items take 160 MB


def ranking_by_class(scores: "pd.DataFrame") -> "pd.DataFrame":
    """Return a row for each class of clips with sets of labels: label, n_clips, prevalence, average_precision, roc_auc.

    They are scikit-learn's. A class that no clip has cannot be ranked and has NaN, one that every clip has an average
    precision of 1 and no ROC AUC; `n_clips` is the number of clips that have it, `prevalence` their share, which is the
    average precision of a guess.
    """
    import pandas as pd
    from sklearn.metrics import average_precision_score, roc_auc_score

    classes, relevant, likelihoods = _answers(scores)
    rows = []
    for number, label in enumerate(classes):
        has, likelihood = relevant[:, number], likelihoods[:, number]
        both = 0 < has.sum() < len(has)
        precision = average_precision_score(has, likelihood) if has.any() else float("nan")
        area = roc_auc_score(has, likelihood) if both else float("nan")
        facts = {"label": label, "n_clips": int(has.sum()), "prevalence": float(has.mean())}
        rows.append({**facts, "average_precision": precision, "roc_auc": area})
    return pd.DataFrame(rows)


def _answers(scores: "pd.DataFrame") -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return the classes, which clip has which (bool), and the likelihoods, both [shape=(n_clips, n_classes)]."""
    classes = [name.removeprefix(_LIKELIHOOD) for name in scores.columns if name.startswith(_LIKELIHOOD)]
    likelihoods = scores[[f"{_LIKELIHOOD}{name}" for name in classes]].to_numpy(float)
    return classes, label_matrix(scores["label"].tolist(), classes) > 0, likelihoods


def class_answers(scores: "pd.DataFrame") -> tuple[list[str], np.ndarray]:
    """Return the classes, and whether each clip's answer for each class is right, bool [shape=(n_clips, n_classes)]."""
    classes, relevant, _ = _answers(scores)
    return classes, relevant == (label_matrix(scores["predicted"].tolist(), classes) > 0)


def resampled_precision(scores: "pd.DataFrame", times: np.ndarray) -> np.ndarray:
    """Return the mean average precision of each resample [shape=(n_resamples,)].

    It is scikit-learn's of the clips, each as often as it was drawn; classes that a resample has no clip of are left
    out of its mean, which is NaN where no class is left.

    Parameters
    ----------
    scores : predictions of one seed on clips with sets of labels.
    times : how often each clip was drawn [shape=(n_resamples, n_clips)].
    """
    _, relevant, likelihoods = _answers(scores)
    found = np.full((len(times), relevant.shape[1]), np.nan)
    for number, (has, likelihood) in enumerate(zip(relevant.T, likelihoods.T, strict=True)):
        order = np.argsort(-likelihood, kind="stable")
        weights, last = times[:, order], np.flatnonzero(np.append(np.diff(likelihood[order]) != 0, True))
        right = np.cumsum(weights * has[order], axis=1)[:, last]  # at the end of each run of equal likelihoods
        chosen, total = np.cumsum(weights, axis=1)[:, last], right[:, -1]
        steps = np.diff(right, axis=1, prepend=0) * right / np.maximum(chosen, 1)
        some = total > 0
        found[some, number] = steps.sum(axis=1)[some] / total[some]
    n_ranked = np.isfinite(found).sum(axis=1)
    return np.where(n_ranked > 0, np.nansum(found, axis=1) / np.maximum(n_ranked, 1), np.nan)


def mean_ranking(scores: "pd.DataFrame") -> dict[str, float]:
    """Return the means over the classes that can be ranked, mean_average_precision and roc_auc, and the classes' mean
    prevalence, which is the precision of a guess; of several seeds their mean. Clips with one label each have none.
    """
    if not has_label_sets(scores):
        return {}
    found = []
    for _, own in scores.groupby("seed", sort=False):
        by_class = ranking_by_class(own)
        ranked = by_class[by_class["average_precision"].notna()]
        found.append((ranked["average_precision"].mean(), by_class["roc_auc"].mean(), ranked["prevalence"].mean()))
    precision, area, prevalence = map(float, np.mean(found, axis=0))
    return {"mean_average_precision": precision, "roc_auc": area, "prevalence": prevalence}


def has_label_sets(scores: "pd.DataFrame") -> bool:
    """Return whether the clips of predictions have sets of labels."""
    return are_label_sets(scores["label"].tolist())


def found_within(queries: np.ndarray, items: np.ndarray, k: int) -> np.ndarray:
    """Return for each query whether its own item is among the `k` items most like it; the mean is the recall at k.

    Parameters
    ----------
    queries, items : vectors of length 1 [shape=(n, d)]; item i is the own one of query i. An item that is as like as
        the own one counts as before it, so that equal vectors, or such that are no numbers, find nothing.
    """
    queries, items = np.asarray(queries, np.float64), np.asarray(items, np.float64)
    own = (queries * items).sum(axis=1)
    found = np.zeros(len(queries), bool)
    for n in range(0, len(queries), _QUERIES_AT_ONCE):
        some = slice(n, n + _QUERIES_AT_ONCE)
        # Products of equal vectors may be rounded otherwise from place to place.
        is_before = ~(queries[some] @ items.T < own[some, None] - 1e-12)
        found[some] = is_before.sum(axis=1) - 1 < k
    return found
