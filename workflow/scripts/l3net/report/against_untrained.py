"""Does training help? The accuracy of trained embeddings beside the untrained network's and beside chance.

A clip is classified with every embedding, so differences are taken clip by clip, and their intervals come of drawing
anew, with replacement, what is independent: clips, or the recordings that clips were cut from.
"""

from typing import TYPE_CHECKING

import numpy as np

from l3net.files import stable_hash
from l3net.report.accuracy import unit_of

if TYPE_CHECKING:
    import pandas as pd

ALL_DATASETS = "all"
COLUMNS = ["dataset", "embedding", "n_embeddings", "accuracy", "untrained", "chance", "against", "difference"]
COLUMNS += ["ci_low", "ci_high", "unit", "n_units", "n_clips"]
_CLIP = ["fold", "filename", "group"]
_DRAWN_AT_ONCE = 4_000_000


def compare_with_untrained(
    scores: list["pd.DataFrame"],
    trained: set[str],
    untrained: set[str],
    *,
    confidence: float,
    draws: int,
    seed: int,
) -> "pd.DataFrame":
    """Return the difference of trained embeddings to the untrained network, with its interval.

    Parameters
    ----------
    scores : predictions, each of one embedding on one data set; several seeds are averaged first.
    trained, untrained : names of embeddings. A trained one is compared with the untrained ones of its front end, or
        with all where there is none; several are averaged. Without any, the difference is to chance, 1 / number of
        classes.
    confidence : of the intervals, a fraction.
    draws : resamples.
    seed : of the resamples, which are the same for every embedding of a data set.

    Returns
    -------
    table : `COLUMNS`; for each data set a row for each trained embedding and one for the mean of all of them, whose
        ``embedding`` is empty; with several data sets the same for their mean (dataset ``all``). ``against`` is
        untrained or chance, whatever the difference is to.
    """
    import pandas as pd

    rows, drawn = [], {}
    by_dataset = {}
    for found in scores:
        if (name := found["embedding"].iloc[0]) in trained | untrained:
            by_dataset.setdefault(found["dataset"].iloc[0], {})[name] = found
    for dataset, of in sorted(by_dataset.items()):
        ours = sorted(trained & set(of))
        if not ours:
            continue
        any_of = next(iter(of.values()))
        right = pd.DataFrame({name: found.groupby(_CLIP, sort=True)["correct"].mean() for name, found in of.items()})
        chance, base = 1 / any_of["label"].nunique(), sorted(untrained & set(of))
        baseline = {name: _untrained_beside(right, of, name, base, chance) for name in ours}
        columns, baseline[""] = {name: right[name] for name in ours}, pd.DataFrame(baseline).mean(axis=1)
        columns[""] = right[ours].mean(axis=1)
        differences = pd.DataFrame({name: column - baseline[name] for name, column in columns.items()})
        resampled = _resample(differences, draws, stable_hash(f"{seed}/{dataset}/untrained"))
        for k, (name, column) in enumerate(columns.items()):
            drawn.setdefault(name, []).append(resampled[:, k])
            facts = {"accuracy": column.mean(), "untrained": baseline[name].mean() if base else float("nan")}
            facts |= {"chance": chance, "difference": differences[name].mean()}
            facts |= {"unit": unit_of(any_of), "n_units": any_of["group"].nunique(), "n_clips": len(right)}
            names = {"dataset": dataset, "embedding": name, "n_embeddings": 1 if name else len(ours)}
            rows.append({**names, "against": "untrained" if base else "chance", **facts})
    table = pd.DataFrame(rows, columns=[name for name in COLUMNS if not name.startswith("ci_")])
    n_datasets = table["dataset"].nunique()
    if n_datasets > 1:
        table = pd.concat([table, _over_datasets(table, n_datasets)], ignore_index=True)
        for name, of_name in drawn.items():
            drawn[name] = [*of_name, np.mean(of_name, axis=0)] if len(of_name) == n_datasets else of_name
    ends = [_percentiles(drawn[name].pop(0), confidence) for name in table["embedding"]]
    return table.assign(ci_low=[low for low, _ in ends], ci_high=[high for _, high in ends])[COLUMNS]


def _untrained_beside(
    right: "pd.DataFrame", of: dict[str, "pd.DataFrame"], name: str, untrained: list[str], chance: float
) -> "pd.Series":
    """Return how well each clip is classified by the untrained networks of an embedding's front end."""
    import pandas as pd

    front_ends = {one: of[one]["front_end"].iloc[0] for one in (name, *untrained)}
    alike = [one for one in untrained if front_ends[one] == front_ends[name]] or untrained
    return right[alike].mean(axis=1) if alike else pd.Series(chance, index=right.index)


def _over_datasets(table: "pd.DataFrame", n_datasets: int) -> "pd.DataFrame":
    """Return the mean over data sets of every embedding that has been tried on all of them, in the table's order."""
    whole = table.groupby("embedding")["dataset"].transform("size") == n_datasets
    groups = table[whole].groupby("embedding", sort=False)
    numbers = groups[["accuracy", "untrained", "chance", "difference"]].mean()
    counts = groups[["n_units", "n_clips"]].sum().join(groups["n_embeddings"].min())
    words = groups[["unit", "against"]].agg(lambda values: " and ".join(sorted(set(values))))
    return numbers.join(counts).join(words).reset_index().assign(dataset=ALL_DATASETS)


def _resample(differences: "pd.DataFrame", draws: int, seed: int) -> np.ndarray:
    """Return the mean of every column [shape=(draws, n_columns)] when whole groups are drawn anew."""
    groups = differences.groupby(level="group")
    sums, sizes = groups.sum().to_numpy(), groups.size().to_numpy()
    rng = np.random.Generator(np.random.Philox(seed))
    at_once = max(1, _DRAWN_AT_ONCE // sizes.size)
    parts = []
    for start in range(0, draws, at_once):
        times = rng.multinomial(sizes.size, np.full(sizes.size, 1 / sizes.size), min(at_once, draws - start))
        parts.append(times @ sums / (times @ sizes)[:, None])
    return np.concatenate(parts) if parts else np.full((1, sums.shape[1]), np.nan)


def _percentiles(drawn: np.ndarray, confidence: float) -> tuple[float, float]:
    low, high = np.quantile(drawn, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return float(low), float(high)
