"""Make the tables of the report: ours beside the paper's, as CSV, Markdown and LaTeX."""

from pathlib import Path

from l3net.files import atomic
from l3net.report import read_table, read_tables, write_table
from l3net.report import summary as summaries
from l3net.runtime import stage


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
    avc : CSV written; accuracy of correspondence of every model on every subset's test samples.
    summary : CSV written; mean and deviation over folds, accuracy over all clips with its interval, the paper's value.
    headline : CSV written; a row for each embedding, ours and the paper's in percent in a column for each data set.
    markdown, latex : the summary in percent, with what only the paper has, and which of ours are of synthetic data.
    protocol : of the classification; said in the note.
    confidence : of the intervals in `overall`.
    """
    published = summaries.read_paper(paper)
    scores = read_table(overall, ["model", "checkpoint", "unit", "n_units"], "collect_scores")
    correspondence = read_tables(models)
    table = summaries.summarise(scores, published, synthetic=synthetic)
    # Deviations keep the digits of `overall`.
    digits = ["" if std != std else f"{std:.12g}" for std in table["std"]]
    write_table(table.assign(std=digits), summary, float_format="%.6g")
    beside = summaries.correspondence_beside_paper(correspondence, published, synthetic=synthetic)
    write_table(beside, avc, float_format="%.6g")
    wide = summaries.side_by_side(table, published)
    write_table(wide.map(lambda cell: cell.replace(" ± ", "\u00a0±\u00a0")), headline)
    note = f"Accuracy in percent; protocol: {protocol}. ours: mean ± standard deviation over folds; over clips: all"
    units = table.drop_duplicates("dataset").sort_values("dataset")[["dataset", "n_units", "unit"]].to_numpy()
    drawn = ", ".join(f"{dataset}: {n} {unit}s" for dataset, n, unit in units)
    note += f" folds together, with the {100 * confidence:g} % bootstrap interval over what is independent ({drawn});"
    note += " difference: ours minus the paper's."
    note += " SYNTHETIC data, not the published data sets: not comparable to the paper's numbers." * synthetic
    long = summaries.printed(table, published)
    atomic.write_text(markdown, summaries.to_markdown(long, note))
    atomic.write_text(latex, summaries.to_latex(long, note))


if __name__ == "__main__":
    stage.main(make_tables, globals().get("snakemake"))
