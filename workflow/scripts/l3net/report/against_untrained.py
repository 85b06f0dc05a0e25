"""Does training help? The accuracy of trained embeddings beside the untrained network's and beside chance.

A clip is classified with every embedding, so differences are taken clip by clip, and their intervals come of drawing
anew, with replacement, what is independent: clips, or the recordings that clips were cut from.
"""

from typing import TYPE_CHECKING

import numpy as np

from l3net.files import stable_hash
from l3net.report.accuracy import precision_of_draws, unit_of
from l3net.vectors import has_label_sets, mean_ranking

if TYPE_CHECKING:
    import pandas as pd

ALL_DATASETS = "all"
COLUMNS = ["dataset", "embedding", "n_embeddings", "accuracy", "untrained", "chance", "against", "difference"]
COLUMNS += ["ci_low", "ci_high", "unit", "n_units", "n_clips"]
MEASURE = "measure"  # a column of tables with clips that have several labels
ACCURACY, PRECISION = "accuracy", "mean average precision"
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
        untrained or chance, whatever the difference is to. Where clips have several labels, accuracies are mean average
        precisions, chance is that of a guess, and a column ``measure`` says of each row which it is; the mean over data
        sets is then that of accuracies, or where there are none of the precisions.
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
        any_of, base = next(iter(of.values())), sorted(untrained & set(of))
        compare = _precisions if has_label_sets(any_of) else _accuracies
        found, resampled = compare(of, ours, base, draws, stable_hash(f"{seed}/{dataset}/untrained"))
        for k, (name, facts) in enumerate(found.items()):
            drawn.setdefault(name, []).append(resampled[:, k])
            facts |= {"unit": unit_of(any_of), "n_units": any_of["group"].nunique()}
            names = {"dataset": dataset, "embedding": name, "n_embeddings": 1 if name else len(ours)}
            rows.append({**names, "against": "untrained" if base else "chance", **facts})
    columns = [name for name in COLUMNS if not name.startswith("ci_")]
    several = [MEASURE] if any(row.get(MEASURE) == PRECISION for row in rows) else []
    table = pd.DataFrame(rows, columns=[*columns, MEASURE])
    over = table[table[MEASURE] == ACCURACY] if (table[MEASURE] == ACCURACY).any() else table
    averaged = set(over["dataset"])
    for name, of_name in drawn.items():
        drawn[name] = dict(zip(table.loc[table["embedding"] == name, "dataset"], of_name, strict=True))
    if len(averaged) > 1:
        mean = _over_datasets(over, len(averaged)).assign(**{MEASURE: over[MEASURE].iloc[0]})
        table = pd.concat([table, mean], ignore_index=True)
        for name in mean["embedding"]:
            drawn[name][ALL_DATASETS] = np.mean([drawn[name][dataset] for dataset in sorted(averaged)], axis=0)
    rows = zip(table["embedding"], table["dataset"], strict=True)
    ends = [_percentiles(drawn[name][dataset], confidence) for name, dataset in rows]
    table = table.assign(ci_low=[low for low, _ in ends], ci_high=[high for _, high in ends])
    return table[[*COLUMNS, *several]]


def _accuracies(
    of: dict[str, "pd.DataFrame"], ours: list[str], base: list[str], draws: int, seed: int
) -> tuple[dict[str, dict], np.ndarray]:
    """Return what is known of each embedding and of their mean, and their differences in every resample."""
    import pandas as pd

    right = pd.DataFrame({name: found.groupby(_CLIP, sort=True)["correct"].mean() for name, found in of.items()})
    chance = 1 / next(iter(of.values()))["label"].nunique()
    baseline = {name: _untrained_beside(right, of, name, base, chance) for name in ours}
    columns, baseline[""] = {name: right[name] for name in ours}, pd.DataFrame(baseline).mean(axis=1)
    columns[""] = right[ours].mean(axis=1)
    differences = pd.DataFrame({name: column - baseline[name] for name, column in columns.items()})
    found = {}
    for name, column in columns.items():
        facts = {"accuracy": column.mean(), "untrained": baseline[name].mean() if base else float("nan")}
        facts |= {"chance": chance, "difference": differences[name].mean(), MEASURE: ACCURACY}
        found[name] = facts | {"n_clips": len(right)}
    return found, _resample(differences, draws, seed)


def _precisions(
    of: dict[str, "pd.DataFrame"], ours: list[str], base: list[str], draws: int, seed: int
) -> tuple[dict[str, dict], np.ndarray]:
    """Return the same of clips with several labels, whose mean average precisions are compared.

    The first row of what is drawn is the data set itself.
    """
    import pandas as pd

    any_of = next(iter(of.values()))
    groups, rng = pd.Index(sorted(set(any_of["group"]))), np.random.Generator(np.random.Philox(seed))
    times = rng.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), draws)
    times = np.concatenate([np.ones((1, len(groups)), int), times])
    drawn = pd.DataFrame({name: precision_of_draws(found, groups, times) for name, found in of.items()})
    chance = mean_ranking(any_of)["prevalence"]
    baseline = pd.DataFrame({name: _untrained_beside(drawn, of, name, base, chance) for name in ours})
    both = drawn[ours].assign(**{"": drawn[ours].mean(axis=1)}), baseline.assign(**{"": baseline.mean(axis=1)})
    differences, found = both[0] - both[1], {}
    for name in both[0]:
        facts = {"accuracy": both[0][name][0], "untrained": both[1][name][0] if base else float("nan")}
        facts |= {"chance": chance, "difference": differences[name][0], MEASURE: PRECISION}
        found[name] = facts | {"n_clips": any_of.groupby(_CLIP).ngroups}
    return found, differences.to_numpy()[1:] if draws else np.full((1, len(found)), np.nan)


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
