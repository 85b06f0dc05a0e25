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
from l3net.vectors import has_label_sets, mean_ranking, ranking_by_class

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
    """Return a row for each seed and fold: accuracy, the mean of the classes' accuracies, the data set's classes."""
    import pandas as pd

    rows, n_classes = [], scores["label"].nunique()
    for (seed, fold), found in scores.groupby(["seed", "fold"], sort=False):
        facts = found.iloc[0]
        rows.append(
            {
                **{name: facts[name] for name in ("dataset", "embedding", "front_end", "subset", "epoch")},
                "fold": fold,
                "n_clips": len(found),
                "accuracy": found["correct"].mean(),
                "class_mean_accuracy": found.groupby("label")["correct"].mean().mean(),
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
        "n_classes": scores["label"].nunique(),
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
    return pd.DataFrame([row])


def accuracy_by_class(scores: "pd.DataFrame", *, confidence: float) -> "pd.DataFrame":
    """Return a row for each class: accuracy over its clips and all seeds, with its interval over groups; of clips with
    several labels the class's average precision and ROC AUC.
    """
    import pandas as pd

    if has_label_sets(scores):
        facts = {name: scores[name].iloc[0] for name in _FACTS}
        return ranking_by_class(scores).assign(**facts)
    rows, unit = [], unit_of(scores)
    for label, found in scores.groupby("label"):
        share = clustered_share(found["correct"].to_numpy(), found["group"].to_numpy(str), confidence=confidence)
        facts = {name: found[name].iloc[0] for name in _FACTS}
        counts = {"n_clips": found["filename"].nunique(), "accuracy": share.accuracy}
        ends = {"ci_low": share.ci_low, "ci_high": share.ci_high, "unit": unit, "n_units": share.n_units}
        rows.append({**facts, "label": label, **counts, **ends})
    return pd.DataFrame(rows)


def unit_of(scores: "pd.DataFrame") -> str:
    """Return what the intervals of a data set are over."""
    return "clip" if scores["group"].nunique() == scores["filename"].nunique() else "recording"
