"""Make the tables of the report: ours beside the paper's, as CSV, Markdown and LaTeX."""

import re
from pathlib import Path

import pandas as pd

from l3net.errors import DatasetError
from l3net.runtime import atomic, stage

_SUMMARY = ["dataset", "embedding", "mean", "std", "accuracy", "ci_low", "ci_high", "paper", "difference", "synthetic"]
_SUMMARY += ["protocol", "n_clips", "n_folds", "n_seeds", "kind", "front_end", "subset", "epoch", "paper_source"]
_PRINTED = ["data set", "embedding", "ours", "over clips", "paper", "difference", "data"]
_WORDS = {"data set", "embedding", "data"}
_PAPER_COLUMNS = ["table", "dataset", "embedding", "train_subset", "test_subset", "front_end"]
_PAPER_COLUMNS += ["accuracy_percent", "protocol", "source"]


def make_tables(
    overall: Path,
    models: list[Path],
    paper: Path,
    avc: Path,
    summary: Path,
    headline: Path,
    markdown: Path,
    latex: Path,
    *,
    protocol: str,
    confidence: float = 0.95,
    synthetic: bool = False,
) -> None:
    """Write the tables of correspondence (avc) and of downstream accuracy (summary, headline).

    Parameters
    ----------
    overall : CSV of collect_scores, a row for each data set and embedding.
    models : avc.csv of every model, of evaluate_avc.
    paper : the paper's numbers, with their source. Only those of its own protocol stand beside ours.
    summary : mean and deviation over folds, accuracy over all clips with its interval, the paper's value, difference.
    headline : a row for each embedding; ours and the paper's in a column for each data set, in percent.
    markdown, latex : the summary in percent, with what only the paper has, and which of ours are of synthetic data.
    confidence : of the intervals in `overall`.
    """
    published = pd.read_csv(paper, dtype={"accuracy_percent": str}, keep_default_na=False)
    if list(published.columns) != _PAPER_COLUMNS:
        raise DatasetError(f"{paper}: expected the columns {', '.join(_PAPER_COLUMNS)}")
    table = summarise(pd.read_csv(overall, keep_default_na=False), published, synthetic)
    _write(summary, table)
    correspondence = pd.concat([pd.read_csv(path, keep_default_na=False) for path in models])
    _write(avc, beside_paper(correspondence, published, synthetic))
    wide = side_by_side(table, published)
    _write(headline, wide.map(lambda cell: cell.replace(" ± ", "\u00a0±\u00a0")))
    note = f"Accuracy in percent; protocol: {protocol}. ours: mean ± standard deviation over folds; over clips: all"
    note += f" folds together, with the {100 * confidence:g} % bootstrap interval; difference: ours minus the paper's."
    note += " SYNTHETIC data, not the published data sets: not comparable to the paper's numbers." * synthetic
    long = printed(table, published)
    atomic.write_text(markdown, to_markdown(long, note))
    atomic.write_text(latex, to_latex(long, note))


def summarise(overall: pd.DataFrame, published: pd.DataFrame, synthetic: bool) -> pd.DataFrame:
    """Return the rows of the summary: every embedding at its best checkpoint, beside the paper's value if any."""
    rows = overall[~overall["embedding"].str.contains(r"-epoch-\d{3}$")]
    rows = rows.rename(columns={"fold_mean": "mean", "fold_std": "std"})
    known = published[published["table"] == "downstream"].set_index(["dataset", "embedding"])
    keys = list(zip(rows["dataset"], rows["embedding"].map(_without_seed), strict=True))
    values = [known["accuracy_percent"].get(key) for key in keys]
    rows = rows.assign(
        paper=[None if value is None else float(value) / 100 for value in values],
        paper_source=[known["source"].get(key, "") for key in keys],
        synthetic=synthetic,
    )
    rows["difference"] = rows["mean"].astype(float) - rows["paper"].astype(float)
    return rows.sort_values(["dataset", "mean"], ascending=[True, False], kind="stable")[_SUMMARY]


def beside_paper(correspondence: pd.DataFrame, published: pd.DataFrame, synthetic: bool) -> pd.DataFrame:
    """Return the accuracies of correspondence with the paper's value, the difference, and whether data is synthetic."""
    keys = ["train_subset", "test_subset", "front_end"]
    known = published[published["table"] == "avc"].set_index(keys)["accuracy_percent"]
    values = [known.get(tuple(row)) for row in correspondence[keys].to_numpy()]
    table = correspondence.assign(paper=[None if value is None else float(value) / 100 for value in values])
    table["difference"] = table["accuracy"].astype(float) - table["paper"].astype(float)
    return table.sort_values(keys, kind="stable").assign(synthetic=synthetic)


def side_by_side(summary: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each embedding and, for each data set, ours and the paper's, in percent.

    Embeddings that only the paper has keep an empty cell for ours.
    """
    datasets = sorted(summary["dataset"].unique())
    theirs = _papers(published)
    means = summary.groupby("embedding")["mean"].mean().sort_values(ascending=False)
    names = [*means.index, *sorted({name for of, name in theirs if of in datasets} - set(means.index))]
    ours = summary.set_index(["dataset", "embedding"])
    rows = []
    for name in names:
        row = {"embedding": name}
        for dataset in datasets:
            row[dataset] = _cell(ours.loc[(dataset, name)]) if (dataset, name) in ours.index else ""
            row[f"{dataset} (paper)"] = theirs.get((dataset, name), "")
        rows.append(row)
    return pd.DataFrame(rows)


def printed(summary: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return the summary as text in percent, each data set followed by the embeddings that only the paper has."""
    theirs, lines = _papers(published), []
    for dataset, here in summary.groupby("dataset"):
        for row in here.to_dict("records"):
            spanned = f"{_percent(row['accuracy'])} ({_percent(row['ci_low'])} to {_percent(row['ci_high'])})"
            paper = theirs.get((dataset, _without_seed(row["embedding"])), "")
            data = "synthetic" if row["synthetic"] else "real"
            lines.append(
                [dataset, row["embedding"], _cell(row), spanned, paper, _percent(row["difference"], "+"), data]
            )
        for (of, embedding), paper in theirs.items():
            if of == dataset and embedding not in set(map(_without_seed, here["embedding"])):
                lines.append([dataset, embedding, "", "", paper, "", ""])
    return pd.DataFrame(lines, columns=_PRINTED)


def to_markdown(table: pd.DataFrame, note: str) -> str:
    """Return a table in Markdown under its note."""
    rules = ["---" if column in _WORDS else "---:" for column in table.columns]
    lines = [list(table.columns), rules, *table.astype(str).to_numpy().tolist()]
    return f"{note}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def to_latex(table: pd.DataFrame, note: str) -> str:
    """Return a table for a LaTeX document (package booktabs)."""
    rows = [" & ".join(map(_escape, line)) + r" \\" for line in [list(table.columns), *table.astype(str).to_numpy()]]
    sides = "".join("l" if column in _WORDS else "r" for column in table.columns)
    head = [f"% {note}", rf"\begin{{tabular}}{{{sides}}}", r"\toprule"]
    return "\n".join([*head, rows[0], r"\midrule", *rows[1:], r"\bottomrule", r"\end{tabular}", ""])


def _papers(published: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return the paper's accuracies as it prints them, in percent, by data set and embedding."""
    known = published[published["table"] == "downstream"]
    return dict(zip(zip(known["dataset"], known["embedding"], strict=True), known["accuracy_percent"], strict=True))


def _without_seed(embedding: str) -> str:
    return re.sub(r"-seed\d+$", "", embedding)


def _cell(row: pd.Series | dict) -> str:
    spread = f" ± {_percent(row['std'])}" if row["std"] not in ("", None) and row["n_folds"] > 1 else ""
    return f"{_percent(row['mean'])}{spread}"


def _percent(fraction: object, sign: str = "") -> str:
    """Return a fraction in percent to two decimals, nothing where there is none."""
    return "" if pd.isna(fraction) else f"{100 * float(fraction):{sign}.2f}"


def _escape(text: str) -> str:
    for character in "&%_#$":
        text = text.replace(character, "\\" + character)
    return text.replace("±", r"$\pm$")


def _write(path: Path, table: pd.DataFrame) -> None:
    with atomic.replacing(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")


if __name__ == "__main__":
    stage.main(make_tables, globals().get("snakemake"))
