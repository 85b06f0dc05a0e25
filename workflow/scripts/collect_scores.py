"""Collect the predictions of all data sets and embeddings into tables of accuracy."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from l3net.errors import DatasetError
from l3net.report import bootstrap_interval, wilson_interval
from l3net.runtime import atomic, provenance, stable_hash, stage

_log = logging.getLogger("l3net")
_FACTS = ["dataset", "embedding", "kind", "front_end", "subset", "epoch", "samples_seen", "protocol"]


def collect_scores(
    predictions: list[Path],
    downstream: Path,
    overall: Path,
    by_class: Path,
    provenance_file: Path,
    *,
    embeddings: dict,
    confidence: float = 0.95,
    bootstrap_draws: int = 1000,
    seed: int = 0,
    synthetic: bool = False,
) -> None:
    """Write accuracy by fold, over all clips (with bootstrap intervals over clips), and by class.

    Parameters
    ----------
    predictions : CSVs of classify_dataset.
    downstream : CSV, a row for each data set, embedding, fold and seed.
    overall : CSV, a row for each data set and embedding.
    by_class : CSV, a row for each data set, embedding and label.
    provenance_file : JSON with the configuration, versions and commit behind the tables.
    embeddings : settings of every named embedding, for what predictions do not say (model_seed).
    synthetic : the recordings are synthetic; said in a column.
    """
    scores = [read_predictions(path) for path in predictions]
    settings = {"confidence": confidence, "draws": bootstrap_draws, "seed": seed}
    tables = {
        downstream: pd.concat([by_fold(found) for found in scores]),
        overall: pd.concat([over_clips(found, **settings) for found in scores]),
        by_class: pd.concat([over_classes(found, confidence) for found in scores]),
    }
    for path, table in tables.items():
        model_seeds = table["embedding"].map(lambda name: embeddings.get(name, {}).get("model_seed", ""))
        with atomic.replacing(path) as temporary:
            # Digits enough that equal differences of accuracies stay equal: the signed-rank test ranks them.
            table.assign(model_seed=model_seeds, synthetic=synthetic).to_csv(
                temporary, index=False, float_format="%.12g"
            )
    described = provenance.describe(embeddings=embeddings, **settings, synthetic=synthetic)
    atomic.write_text(provenance_file, provenance.canonical_json(described) + "\n")
    _log.info("%d predictions of %d files", sum(map(len, scores)), len(scores))


def read_predictions(path: Path) -> pd.DataFrame:
    """Read predictions; facts that are not given (NaN) are empty strings."""
    table = pd.read_csv(path, dtype=dict.fromkeys(("fold", "label", "predicted", "filename"), str))
    if missing := [name for name in (*_FACTS, "seed", "fold", "label", "correct") if name not in table]:
        raise DatasetError(f"{path}: no column {', '.join(missing)}; expected a predictions file of classify_dataset")
    table["epoch"] = table["epoch"].fillna(-1).astype(int)
    return table.fillna(dict.fromkeys(("kind", "front_end", "subset", "samples_seen"), ""))


def by_fold(scores: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy by fold and seed, with the mean of the classes' accuracies beside it."""
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


def over_clips(scores: pd.DataFrame, *, confidence: float, draws: int, seed: int) -> pd.DataFrame:
    """Return accuracy over all clips (several seeds averaged) with its bootstrap interval, and the folds' spread."""
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


def over_classes(scores: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Return accuracy by class with Wilson's interval (of the first seed's clips)."""
    rows = []
    first = scores[scores["seed"] == scores["seed"].iloc[0]]
    for label, found in first.groupby("label"):
        right = int(found["correct"].sum())
        low, high = wilson_interval(right, len(found), confidence)
        facts = {name: found[name].iloc[0] for name in _FACTS}
        counts = {"n_clips": len(found), "accuracy": right / len(found), "ci_low": low, "ci_high": high}
        rows.append({**facts, "label": label, **counts})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    stage.main(collect_scores, globals().get("snakemake"))
