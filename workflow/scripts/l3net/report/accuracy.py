"""Accuracy from predictions: by fold, over all clips, and by class.

`scores` are the predictions of one embedding on one data set: a row for each tested clip and seed, with the columns
`PREDICTION_COLUMNS`. Every function returns a table that begins with what says which embedding it is. What intervals
take for independent is a group: the recording that clips were cut from, or the clip where each has its own.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from l3net.files import stable_hash
from l3net.report.clustered import clustered_share
from l3net.report.statistics import bootstrap_interval
from l3net.report.tables import read_table
from l3net.vectors import class_answers, has_label_sets, mean_ranking, ranking_by_class, resampled_precision

if TYPE_CHECKING:
    import pandas as pd

_FACTS = ["dataset", "embedding", "kind", "front_end", "subset", "epoch", "samples_seen", "protocol"]
PREDICTION_COLUMNS = [*_FACTS, "seed", "fold", "filename", "label", "correct"]
_log = logging.getLogger("l3net")


def read_predictions(path: Path) -> "pd.DataFrame":
    """Read the predictions of an embedding on a data set; an epoch that is not given is -1.

    Files that were written before they had the column group are read as if every clip were a group of its own.

    Raises
    ------
    DatasetError
        A file that classify_dataset did not write.
    """
    table = read_table(path, PREDICTION_COLUMNS, "classify_dataset")
    table["epoch"] = table["epoch"].fillna(-1).astype(int)
    if "group" not in table:
        _log.warning("%s has no column group; make it again (-R classify_dataset) for intervals over recordings", path)
        table["group"] = table["filename"]
    return table


def accuracy_by_fold(scores: "pd.DataFrame") -> "pd.DataFrame":
    """Return a row for each seed and fold: accuracy, the mean of the classes' accuracies, the data set's classes.

    Of clips with several labels the accuracy of a class is the share of clips that are rightly said to have it or not.
    """
    import pandas as pd

    rows, n_classes = [], _n_classes(scores)
    for (seed, fold), found in scores.groupby(["seed", "fold"], sort=False):
        facts = found.iloc[0]
        rows.append(
            {
                **{name: facts[name] for name in ("dataset", "embedding", "front_end", "subset", "epoch")},
                "fold": fold,
                "n_clips": len(found),
                "accuracy": found["correct"].mean(),
                "class_mean_accuracy": _class_mean(found),
                "kind": facts["kind"],
                "seed": seed,
                "samples_seen": facts["samples_seen"],
                "protocol": facts["protocol"],
                "n_classes": n_classes,
                **mean_ranking(found),
            }
        )
    return pd.DataFrame(rows)


def accuracy_over_clips(scores: "pd.DataFrame", *, confidence: float, draws: int, seed: int) -> "pd.DataFrame":
    """Return one row: accuracy over all clips, and mean and deviation over folds; several seeds are averaged first.

    Parameters
    ----------
    confidence : of the bootstrap interval, which draws groups anew, a fraction.
    draws : resamples of the groups.
    seed : of the resamples.
    """
    import pandas as pd

    facts = {name: scores[name].iloc[0] for name in _FACTS}
    by_clip = scores.groupby(["fold", "filename", "group"], sort=False)["correct"].mean()
    by_group = by_clip.groupby(level="group", sort=False).agg(["sum", "size"])
    rng = np.random.Generator(np.random.Philox(stable_hash(f"{seed}/{facts['dataset']}/{facts['embedding']}")))
    sums, sizes = by_group["sum"].to_numpy(), by_group["size"].to_numpy()
    low, high = bootstrap_interval(sums, sizes, draws=draws, confidence=confidence, rng=rng)
    folds = scores.groupby(["seed", "fold"])["correct"].mean().groupby(level="fold").mean()
    row = {
        **facts,
        "n_clips": by_clip.size,
        "n_classes": _n_classes(scores),
        "accuracy": by_clip.mean(),
        "ci_low": low,
        "ci_high": high,
        "n_folds": scores["fold"].nunique(),
        "n_seeds": scores["seed"].nunique(),
        "fold_mean": folds.mean(),
        "fold_std": folds.std(ddof=1) if folds.size > 1 else float("nan"),
        "unit": unit_of(scores),
        "n_units": scores["group"].nunique(),
        **mean_ranking(scores),
    }
    if has_label_sets(scores):
        row |= _spread_of_precision(scores, by_group.index, draws, confidence, rng)
    return pd.DataFrame([row])


def _n_classes(scores: "pd.DataFrame") -> int:
    return len(class_answers(scores)[0]) if has_label_sets(scores) else scores["label"].nunique()


def _class_mean(scores: "pd.DataFrame") -> float:
    if has_label_sets(scores):
        return float(class_answers(scores)[1].mean())
    return scores.groupby("label")["correct"].mean().mean()


def _spread_of_precision(
    scores: "pd.DataFrame", groups: "pd.Index", draws: int, confidence: float, rng: np.random.Generator
) -> dict[str, float]:
    """Return the interval of the mean average precision over groups, and its mean and deviation over folds."""
    times = rng.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), max(draws, 1))
    found = precision_of_draws(scores, groups, times)
    found = found[np.isfinite(found)]  # a resample without any label has none
    low, high = (
        np.quantile(found, [0.5 - confidence / 2, 0.5 + confidence / 2]) if draws and len(found) else (np.nan, np.nan)
    )
    folds = accuracy_by_fold(scores).groupby("fold")["mean_average_precision"].mean()
    ends = {"map_ci_low": float(low), "map_ci_high": float(high), "map_fold_mean": folds.mean()}
    return {**ends, "map_fold_std": folds.std(ddof=1) if folds.size > 1 else float("nan")}


def precision_of_draws(scores: "pd.DataFrame", groups: "pd.Index", times: np.ndarray) -> np.ndarray:
    """Return the mean average precision of each resample of groups, several seeds averaged [shape=(n_draws,)].

    Parameters
    ----------
    groups : names of the groups.
    times : how often each group was drawn [shape=(n_draws, n_groups)].
    """
    of_seed = [
        resampled_precision(own, times[:, groups.get_indexer(own["group"])]) for _, own in scores.groupby("seed")
    ]
    return np.mean(of_seed, axis=0)


def accuracy_by_class(scores: "pd.DataFrame", *, confidence: float) -> "pd.DataFrame":
    """Return a row for each class: accuracy over its clips and all seeds, with its interval over groups.

    Of clips with several labels it is the share of all clips that are rightly said to have the class or not, and
    the class's average precision, ROC AUC (of several seeds their means) and prevalence stand beside it.
    """
    import pandas as pd

    rows, unit, facts = [], unit_of(scores), {name: scores[name].iloc[0] for name in _FACTS}

    def add(label: str, n_clips: int, right: np.ndarray, groups: "pd.Series") -> None:
        share = clustered_share(right, groups.to_numpy(str), confidence=confidence)
        ends = {"ci_low": share.ci_low, "ci_high": share.ci_high, "unit": unit, "n_units": share.n_units}
        rows.append({**facts, "label": label, "n_clips": n_clips, "accuracy": share.accuracy, **ends})

    if not has_label_sets(scores):
        for label, found in scores.groupby("label"):
            add(label, found["filename"].nunique(), found["correct"].to_numpy(), found["group"])
        return pd.DataFrame(rows)
    ranked = pd.concat([ranking_by_class(own) for _, own in scores.groupby("seed")])
    ranked = ranked.groupby("label", sort=False).mean()
    for (label, ranks), right in zip(ranked.iterrows(), class_answers(scores)[1].T, strict=True):
        add(label, int(ranks["n_clips"]), right, scores["group"])
    return pd.DataFrame(rows).assign(**ranked.drop(columns="n_clips").reset_index(drop=True))


def unit_of(scores: "pd.DataFrame") -> str:
    """Return what the intervals of a data set are over."""
    return "clip" if scores["group"].nunique() == scores["filename"].nunique() else "recording"
