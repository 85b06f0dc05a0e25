"""Accuracy from predictions: by fold, over all clips, and by class.

`scores` are the predictions of one embedding on one data set: a row for each tested clip and seed, with the columns
`PREDICTION_COLUMNS`. Every function returns a table that begins with what says which embedding it is.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from l3net.report.statistics import bootstrap_interval, wilson_interval
from l3net.report.tables import read_table
from l3net.runtime import stable_hash

if TYPE_CHECKING:
    import pandas as pd

_FACTS = ["dataset", "embedding", "kind", "front_end", "subset", "epoch", "samples_seen", "protocol"]
PREDICTION_COLUMNS = [*_FACTS, "seed", "fold", "filename", "label", "correct"]


def read_predictions(path: Path) -> "pd.DataFrame":
    """Read the predictions of an embedding on a data set; an epoch that is not given is -1.

    Raises
    ------
    DatasetError
        A file that classify_dataset did not write.
    """
    table = read_table(path, PREDICTION_COLUMNS, "classify_dataset")
    table["epoch"] = table["epoch"].fillna(-1).astype(int)
    return table


def accuracy_by_fold(scores: "pd.DataFrame") -> "pd.DataFrame":
    """Return a row for each seed and fold: accuracy, and the mean of the classes' accuracies."""
    import pandas as pd

    rows = []
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
            }
        )
    return pd.DataFrame(rows)


def accuracy_over_clips(scores: "pd.DataFrame", *, confidence: float, draws: int, seed: int) -> "pd.DataFrame":
    """Return one row: accuracy over all clips, several seeds averaged, and mean and deviation over folds.

    Parameters
    ----------
    confidence : of the bootstrap interval over clips, a fraction.
    draws : resamples of the clips.
    seed : of the resamples.
    """
    import pandas as pd

    facts = {name: scores[name].iloc[0] for name in _FACTS}
    by_clip = scores.groupby(["fold", "filename"], sort=False)["correct"].mean().to_numpy()
    rng = np.random.Generator(np.random.Philox(stable_hash(f"{seed}/{facts['dataset']}/{facts['embedding']}")))
    low, high = bootstrap_interval(by_clip, draws=draws, confidence=confidence, rng=rng)
    folds = scores.groupby(["seed", "fold"])["correct"].mean()
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
    }
    return pd.DataFrame([row])


def accuracy_by_class(scores: "pd.DataFrame", *, confidence: float) -> "pd.DataFrame":
    """Return a row for each class: the accuracy of the first seed's clips, with Wilson's interval."""
    import pandas as pd

    rows = []
    first = scores[scores["seed"] == scores["seed"].iloc[0]]
    for label, found in first.groupby("label"):
        right = int(found["correct"].sum())
        low, high = wilson_interval(right, len(found), confidence)
        facts = {name: found[name].iloc[0] for name in _FACTS}
        counts = {"n_clips": len(found), "accuracy": right / len(found), "ci_low": low, "ci_high": high}
        rows.append({**facts, "label": label, **counts})
    return pd.DataFrame(rows)
