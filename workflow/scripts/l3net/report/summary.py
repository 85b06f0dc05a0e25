"""The tables of a report: our accuracies beside the paper's, as a table, and as text in Markdown and LaTeX."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from l3net.errors import DatasetError
from l3net.report.tables import best_checkpoints, read_table

if TYPE_CHECKING:
    import pandas as pd

_SUMMARY = ["dataset", "embedding", "mean", "std", "accuracy", "ci_low", "ci_high", "paper", "difference", "synthetic"]
_SUMMARY += ["protocol", "n_clips", "n_folds", "n_seeds", "kind", "front_end", "subset", "epoch", "paper_source"]
_SUMMARY += ["model", "checkpoint", "model_seed", "unit", "n_units"]
_PRINTED = ["data set", "embedding", "ours", "over clips", "paper", "difference", "data"]
_WORDS = {"data set", "embedding", "data"}  # the columns of `_PRINTED` that are no numbers
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
    rows["difference"] = rows["mean"] - rows["paper"]
    return rows.sort_values(["dataset", "mean"], ascending=[True, False], kind="stable")[_SUMMARY]


def correspondence_beside_paper(
    correspondence: "pd.DataFrame", published: "pd.DataFrame", *, synthetic: bool
) -> "pd.DataFrame":
    """Return the accuracies of audio-visual correspondence with the paper's value and the difference."""
    keys = ["train_subset", "test_subset", "front_end"]
    known = published[published["table"] == "avc"].set_index(keys)["accuracy_percent"]
    table = correspondence.assign(paper=[_fraction(known.get(tuple(row))) for row in correspondence[keys].to_numpy()])
    table["difference"] = table["accuracy"] - table["paper"]
    return table.sort_values(keys, kind="stable").assign(synthetic=synthetic)


def side_by_side(summary: "pd.DataFrame", published: "pd.DataFrame") -> "pd.DataFrame":
    """Return a row for each embedding; ours and the paper's in percent, in a column for each data set.

    Embeddings that only the paper has keep an empty cell for ours.
    """
    import pandas as pd

    datasets = sorted(summary["dataset"].unique())
    theirs = paper_accuracies(published)
    means = summary.groupby("embedding")["mean"].mean().sort_values(ascending=False)
    names = [*means.index, *sorted({name for of, name in theirs if of in datasets} - set(means.index))]
    ours = summary.set_index(["dataset", "embedding"])
    rows = []
    for name in names:
        row = {"embedding": name}
        for dataset in datasets:
            row[dataset] = _mean_and_deviation(ours.loc[(dataset, name)]) if (dataset, name) in ours.index else ""
            row[f"{dataset} (paper)"] = theirs.get((dataset, name), "")
        rows.append(row)
    return pd.DataFrame(rows)


def printed(summary: "pd.DataFrame", published: "pd.DataFrame") -> "pd.DataFrame":
    """Return the summary as text in percent; each data set ends with the embeddings that only the paper has."""
    import pandas as pd

    theirs, lines = paper_accuracies(published), []
    for dataset, here in summary.groupby("dataset"):
        names = names_in_paper(here, published)
        for row, name in zip(here.to_dict("records"), names, strict=True):
            spanned = f"{_percent(row['accuracy'])} ({_percent(row['ci_low'])} to {_percent(row['ci_high'])})"
            paper, difference = theirs.get((dataset, name), ""), _percent(row["difference"], "+")
            data = "synthetic" if row["synthetic"] else "real"
            lines.append([dataset, row["embedding"], _mean_and_deviation(row), spanned, paper, difference, data])
        for (of, embedding), paper in theirs.items():
            if of == dataset and embedding not in names:
                lines.append([dataset, embedding, "", "", paper, "", ""])
    return pd.DataFrame(lines, columns=_PRINTED)


def to_markdown(table: "pd.DataFrame", note: str) -> str:
    """Return a table in Markdown under its note."""
    rules = ["---" if column in _WORDS else "---:" for column in table.columns]
    lines = [list(table.columns), rules, *table.astype(str).to_numpy().tolist()]
    return f"{note}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def to_latex(table: "pd.DataFrame", note: str) -> str:
    """Return a table for a LaTeX document (package booktabs)."""
    rows = [" & ".join(map(_escape, line)) + r" \\" for line in [list(table.columns), *table.astype(str).to_numpy()]]
    sides = "".join("l" if column in _WORDS else "r" for column in table.columns)
    head = [f"% {note}", rf"\begin{{tabular}}{{{sides}}}", r"\toprule"]
    return "\n".join([*head, rows[0], r"\midrule", *rows[1:], r"\bottomrule", r"\end{tabular}", ""])


def _fraction(percent: str | None) -> float | None:
    return None if percent is None else float(percent) / 100


def _mean_and_deviation(row: Any) -> str:
    spread = f" ± {_percent(row['std'])}" if row["std"] == row["std"] and row["n_folds"] > 1 else ""
    return f"{_percent(row['mean'])}{spread}"


def _percent(fraction: float, sign: str = "") -> str:
    """Return a fraction in percent to two decimals, nothing where there is none."""
    return "" if fraction != fraction else f"{100 * fraction:{sign}.2f}"


def _escape(text: str) -> str:
    for character in "&%_#$":
        text = text.replace(character, "\\" + character)
    return text.replace("±", r"$\pm$")
