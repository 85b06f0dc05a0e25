"""Make the tables of downstream accuracy as CSV, Markdown, LaTeX and HTML, and the answer that a report begins with."""

import html
from pathlib import Path

from l3net.files import atomic
from l3net.report import dataset_title, display_name, measure_name, pages, read_table, several_labels, write_table
from l3net.report import summary as summaries
from l3net.runtime import stage


def make_tables(
    overall: Path,
    against: Path,
    paper: Path,
    summary: Path,
    headline: Path,
    markdown: Path,
    latex: Path,
    page: Path,
    answer: Path,
    *,
    protocol: str,
    confidence: float = 0.95,
    synthetic: bool = False,
) -> None:
    """Write the tables of downstream accuracy.

    Parameters
    ----------
    overall : CSV of collect_scores, a row for each data set and embedding.
    against : CSV of collect_scores, the trained embeddings beside the untrained network.
    paper : the paper's numbers, with their source. They stand beside ours where ours are of real data.
    summary : CSV written; mean and deviation over folds, accuracy over all clips with its interval, the paper's value;
        where clips have several labels also the mean average precision, which the other tables have in its place.
    headline : CSV written; a row for each embedding, ours and the paper's in percent in a column for each data set.
    markdown, latex : the summary in percent, with what only the paper has, and which of ours are of synthetic data.
    page : HTML written, the same for the report.
    answer : HTML written, with which the report begins: trained, untrained and chance, and the table of all embeddings.
    protocol : of the classification; said in the note.
    confidence : of the intervals in `overall` and `against`.
    """
    published = summaries.read_paper(paper)
    scores = read_table(overall, ["model", "checkpoint", "unit", "n_units"], "collect_scores")
    differences = read_table(against, ["against", "difference"], "collect_scores")
    table = summaries.summarise(scores, published, synthetic=synthetic)
    # Deviations keep the digits of `overall`.
    digits = ["" if std != std else f"{std:.12g}" for std in table["std"]]
    write_table(table.assign(std=digits), summary, float_format="%.6g")
    wide = summaries.side_by_side(table, published)
    write_table(wide.map(lambda cell: cell.replace(" ± ", "\u00a0±\u00a0")), headline)
    note = _note(table, protocol, confidence, synthetic=synthetic)
    long = summaries.printed(table, published)
    atomic.write_text(markdown, pages.to_markdown(long, note))
    atomic.write_text(latex, pages.to_latex(long, note))
    shown = long.assign(**{"data set": long["data set"].map(display_name)})
    pages.write_page(page, "Downstream accuracy", shown, synthetic=synthetic, note=note)
    atomic.write_text(answer, _answer(differences, wide, table, confidence=confidence, synthetic=synthetic))


def _note(table, protocol: str, confidence: float, *, synthetic: bool) -> str:
    units = table.drop_duplicates("dataset").sort_values("dataset")[["dataset", "n_units", "unit"]].to_numpy()
    drawn = ", ".join(f"{n} {unit}s of {display_name(dataset)}" for dataset, n, unit in units)
    note = (
        f"Accuracy in percent; protocol: {protocol}. Mean ± standard deviation over folds; over all clips of all folds"
    )
    note += f" together, with its {100 * confidence:g} % bootstrap interval (over {drawn})."
    note += _of_several_labels(table) + _untrained(table)
    note += " Difference: ours minus the paper's." * ("paper" in table)
    note += " SYNTHETIC data, not the published data sets: not comparable to the paper's numbers." * synthetic
    return note


def _of_several_labels(table) -> str:
    """Return a sentence on the data sets whose clips have several labels; empty where there is none."""
    guessed = table[table["dataset"].isin(several_labels(table))].groupby("dataset")
    if not len(guessed):
        return ""
    shares = {display_name(name): pages.percent(found["prevalence"].mean()) for name, found in guessed}
    return (
        f" Clips of {', '.join(shares)} have several labels: there it is the mean average precision over the classes, "
        f"and that of a guess is {', '.join(f'{share} ({name})' for name, share in shares.items())}."
    )


def _untrained(table) -> str:
    """Return a sentence that names the embeddings of untrained networks; empty where there is none."""
    names = sorted(set(table["embedding"][table["kind"] == "random"]))
    return f" Untrained network{'s' * (len(names) > 1)}: {', '.join(names)}." if names else ""


def _answer(differences, wide, table, *, confidence: float, synthetic: bool) -> str:
    """Return the head of the report: the answer, every embedding's accuracy, every trained one's difference."""
    wide = wide.rename(columns={name: dataset_title(name, table) for name in wide})
    measure = measure_name(table).removesuffix(" (%)").capitalize()
    said = f"{measure} in percent, mean ± standard deviation over folds.{_untrained(table)}"
    parts = [f"<h2>Every embedding</h2>\n<p>{html.escape(said)}</p>\n"]
    parts.append(pages.to_html(wide))
    if not len(differences):
        return "".join(parts)
    parts.insert(0, pages.answer_downstream(differences, confidence=confidence, synthetic=synthetic))
    each = pages.each_against(differences).set_index("embedding")
    if len(each) > 1:  # of one the first table says it
        base = {"untrained": "the untrained network", "chance": "chance"}[differences["against"].iloc[0].split(" ")[0]]
        said = f"Difference to {base} in points, with its {100 * confidence:g} % interval over clips or recordings."
        order = [name for name in wide["embedding"] if name in each.index]
        parts += [f"<p>{said}</p>\n", pages.to_html(each.loc[order].reset_index())]
    return "".join(parts)


if __name__ == "__main__":
    stage.main(make_tables, globals().get("snakemake"))
