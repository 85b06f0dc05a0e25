"""The tables of a report: our accuracies beside the paper's, as a table, and as text."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from l3net.errors import DatasetError
from l3net.report.labels import several_labels
from l3net.report.pages import percent
from l3net.report.tables import best_checkpoints, by_main_measure, read_table

if TYPE_CHECKING:
    import pandas as pd

_SUMMARY = ["dataset", "embedding", "mean", "std", "accuracy", "ci_low", "ci_high", "paper", "difference", "synthetic"]
_SUMMARY += ["protocol", "n_clips", "n_folds", "n_seeds", "kind", "front_end", "subset", "epoch", "paper_source"]
_SUMMARY += ["model", "checkpoint", "model_seed", "unit", "n_units"]
_OF_SETS = ["mean_average_precision", "roc_auc", "prevalence", "map_ci_low", "map_ci_high"]
_OF_SETS += ["map_fold_mean", "map_fold_std"]
_OF_PAPER = ["paper", "difference", "paper_source"]
_PRINTED = ["data set", "embedding", "mean over folds", "over all clips", "paper", "difference", "data"]
_PAPER = ["table", "dataset", "embedding", "train_subset", "test_subset", "front_end", "accuracy_percent", "protocol"]
_PAPER += ["source"]
_PERCENT = re.compile(r"[0-9]+(\.[0-9]+)?")


def read_paper(path: Path) -> "pd.DataFrame":
    """Read the paper's numbers; accuracies are text, as the paper prints them.

    Raises
    ------
    DatasetError
        Other columns than those of resources/paper_results.csv, or an accuracy that is none; the message names the row.
    """
    published = read_table(path)
    if list(published.columns) != _PAPER:
        raise DatasetError(f"{path}: expected the columns {', '.join(_PAPER)}")
    for row, text in enumerate(published["accuracy_percent"], 1):
        if not _PERCENT.fullmatch(text) or float(text) > 100:
            raise DatasetError(f"{path}: row {row}: column accuracy_percent holds {text[:40]!r}; expected 0 to 100")
    return published


def names_in_paper(rows: "pd.DataFrame", published: "pd.DataFrame") -> list[str]:
    """Return the name under which the paper has the embedding of each row, if it has it.

    A model of ours is the paper's model of the same subset and front end, whatever its seed.

    Parameters
    ----------
    rows : with columns kind, subset, front_end and embedding.
    """
    theirs = published[(published["table"] == "downstream") & (published["train_subset"] != "")]
    of_model = dict(
        zip(zip(theirs["train_subset"], theirs["front_end"], strict=True), theirs["embedding"], strict=True)
    )
    return [
        of_model.get((row["subset"], row["front_end"]), row["embedding"]) if row["kind"] == "l3" else row["embedding"]
        for row in rows[["kind", "subset", "front_end", "embedding"]].to_dict("records")
    ]


def paper_accuracies(published: "pd.DataFrame") -> dict[tuple[str, str], str]:
    """Return the paper's accuracies in percent, as it prints them, by data set and embedding."""
    known = published[published["table"] == "downstream"]
    return dict(zip(zip(known["dataset"], known["embedding"], strict=True), known["accuracy_percent"], strict=True))


def summarise(overall: "pd.DataFrame", published: "pd.DataFrame", *, synthetic: bool) -> "pd.DataFrame":
    """Return a row for each data set and embedding at its best checkpoint, with the paper's value and the difference.

    The columns of the paper are there where ours are of real data and the paper has one of them; those of average
    precision where clips have several labels.

    Parameters
    ----------
    overall : accuracy over all clips, of collect_scores.
    published : the paper's numbers.
    synthetic : ours are of synthetic data.
    """
    rows = best_checkpoints(overall).rename(columns={"fold_mean": "mean", "fold_std": "std"})
    known = published[published["table"] == "downstream"].set_index(["dataset", "embedding"])
    keys = list(zip(rows["dataset"], names_in_paper(rows, published), strict=True))
    rows = rows.assign(
        paper=[_fraction(known["accuracy_percent"].get(key)) for key in keys],
        paper_source=[known["source"].get(key, "") for key in keys],
        synthetic=synthetic,
    )
    rows["difference"] = rows["mean"] - rows["paper"].astype(float)
    rows = rows.sort_values(["dataset", "mean"], ascending=[True, False], kind="stable")
    rows = rows[[*_SUMMARY, *(name for name in _OF_SETS if name in rows)]]
    return _without_paper(rows, synthetic=synthetic)


def correspondence_beside_paper(
    correspondence: "pd.DataFrame", published: "pd.DataFrame", *, synthetic: bool
) -> "pd.DataFrame":
    """Return the accuracies of correspondence with the paper's value and the difference, where `summarise` has them."""
    keys = ["train_subset", "test_subset", "front_end"]
    known = published[published["table"] == "avc"].set_index(keys)["accuracy_percent"]
    table = correspondence.assign(paper=[_fraction(known.get(tuple(row))) for row in correspondence[keys].to_numpy()])
    table["difference"] = table["accuracy"] - table["paper"].astype(float)
    table = table.sort_values(keys, kind="stable").assign(synthetic=synthetic)
    return _without_paper(table, synthetic=synthetic)


def _without_paper(table: "pd.DataFrame", *, synthetic: bool) -> "pd.DataFrame":
    """Return a table without the paper's columns where they say nothing: ours are synthetic, or the paper has none."""
    return table.drop(columns=_OF_PAPER, errors="ignore") if synthetic or table["paper"].isna().all() else table


def side_by_side(summary: "pd.DataFrame", published: "pd.DataFrame") -> "pd.DataFrame":
    """Return a row for each embedding; ours and the paper's in percent, in a column for each data set.

    Embeddings that only the paper has keep an empty cell for ours. Beside synthetic data nothing of the paper stands.
    Where clips have several labels, ours are mean average precisions.
    """
    import pandas as pd

    datasets, summary = sorted(summary["dataset"].unique()), by_main_measure(summary)
    theirs = paper_accuracies(published) if "paper" in summary else {}
    theirs = {key: value for key, value in theirs.items() if key[0] in datasets}
    means = summary.groupby("embedding")["mean"].mean().sort_values(ascending=False)
    named = dict(zip(summary["embedding"], names_in_paper(summary, published), strict=True))
    names = [*means.index, *sorted({name for _, name in theirs} - set(named.values()))]
    ours = summary.set_index(["dataset", "embedding"])
    rows = []
    for name in names:
        row = {"embedding": name}
        for dataset in datasets:
            row[dataset] = _mean_and_deviation(ours.loc[(dataset, name)]) if (dataset, name) in ours.index else ""
            if any(of == dataset for of, _ in theirs):
                row[f"{dataset} (paper)"] = theirs.get((dataset, named.get(name, name)), "")
        rows.append(row)
    return pd.DataFrame(rows)


def printed(summary: "pd.DataFrame", published: "pd.DataFrame") -> "pd.DataFrame":
    """Return the summary as text in percent; each data set ends with the embeddings that only the paper has.

    Without columns of the paper in the summary, nothing of the paper is printed. Where clips have several labels, the
    numbers are mean average precisions, and the data set's name says so.
    """
    import pandas as pd

    beside, several, summary = "paper" in summary, several_labels(summary), by_main_measure(summary)
    theirs, lines = paper_accuracies(published) if beside else {}, []
    for dataset, here in summary.groupby("dataset"):
        names = names_in_paper(here, published)
        for row, name in zip(here.to_dict("records"), names, strict=True):
            spanned = f"{percent(row['accuracy'])} ({percent(row['ci_low'])} to {percent(row['ci_high'])})"
            paper = [theirs.get((dataset, name), ""), percent(row["difference"], "+")] if beside else ["", ""]
            data = "synthetic" if row["synthetic"] else "real"
            of = f"{dataset} (average precision)" if dataset in several else dataset
            lines.append([of, row["embedding"], _mean_and_deviation(row), spanned, *paper, data])
        for (of, embedding), paper in theirs.items():
            if of == dataset and embedding not in names:
                lines.append([dataset, embedding, "", "", paper, "", "paper's"])
    table = pd.DataFrame(lines, columns=_PRINTED)
    return table if beside else table.drop(columns=["paper", "difference"])


def printed_correspondence(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the table of correspondence as text in percent."""
    import pandas as pd

    rows = []
    for row in table.to_dict("records"):
        cells = {"model": row["model"], "trained on": row["train_subset"], "tested on": row["test_subset"]}
        cells["accuracy (%)"] = f"{percent(row['accuracy'])} ({percent(row['ci_low'])} to {percent(row['ci_high'])})"
        cells |= {"samples": f"{row['n']:.0f}", "clips": f"{row['n_units']:.0f}", "epoch": f"{row['epoch']:.0f}"}
        if "paper" in table:
            cells |= {"paper (%)": percent(row["paper"]), "difference (points)": percent(row["difference"], "+")}
        rows.append(cells)
    return pd.DataFrame(rows)


def printed_significance(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the tests of significance as text, accuracies in percent."""
    import pandas as pd

    rows = []
    for row in table.to_dict("records"):
        cells = {"comparison": row["comparison"].replace("_", " "), "data set": row["dataset"]}
        cells |= {"first": row["first"], "second": row["second"]}
        cells |= {"first (%)": percent(row["first_mean"]), "second (%)": percent(row["second_mean"])}
        cells["median difference (points)"] = percent(row["median_difference"], "+")
        cells["pairs that differ"] = f"{row['n']:.0f} of {row['n_pairs']:.0f}"
        cells |= {"p": _p(row["p"]), "p (Holm)": _p(row["p_holm"]), "p (normal)": _p(row["p_normal"])}
        rows.append(cells | {"note": row["note"]})
    return pd.DataFrame(rows)


def _fraction(percent: str | None) -> float | None:
    return None if percent is None else float(percent) / 100


def _mean_and_deviation(row: Any) -> str:
    spread = f" ± {percent(row['std'])}" if row["std"] == row["std"] and row["n_folds"] > 1 else ""
    return f"{percent(row['mean'])}{spread}"


def _p(value: float) -> str:
    """Return a p of which little remains to be seen; a small one is not rounded to nothing."""
    return "" if value != value else f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"
