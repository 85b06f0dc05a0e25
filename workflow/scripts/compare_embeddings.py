"""Compare embeddings as the paper does, by input representation, training subset and kind of embedding."""

from pathlib import Path

from l3net.report import best_checkpoints, by_main_measure, comparisons, display_name, pages, read_table, write_table
from l3net.report import summary as summaries
from l3net.runtime import stage


def compare_embeddings(
    downstream: Path,
    significance: Path,
    page: Path,
    *,
    reference: str,
    pairs: str = "averaged",
    alpha: float = 0.05,
    synthetic: bool = False,
) -> None:
    """Write a Wilcoxon signed-rank test for every comparison and data set, and over all data sets.

    Pairs are accuracies of the same data set and fold that differ only in what is compared; seeds are averaged. Where
    clips have several labels, mean average precisions stand in the place of accuracies. The p values of one comparison
    are corrected together (Holm). Where too few pairs differ there is no p, and `note` says so.

    Parameters
    ----------
    downstream : CSV of collect_scores, a row for each data set, embedding, fold and seed.
    significance : CSV written; a row for each comparison, data set and pair.
    page : HTML written, the table as the report shows it.
    reference : model whose embedding is compared with all others that are not ours.
    pairs : ``averaged`` over all other design variations, so that a fold is a pair; ``published_code`` takes a pair of
        each variation.
    alpha : the level below which a p must be able to fall.
    synthetic : the recordings are synthetic; a column says so.
    """
    scores = best_checkpoints(read_table(downstream, ["dataset", "model", "checkpoint"], "collect_scores"))
    scores = by_main_measure(scores)
    table = comparisons.compare_all(scores, reference, alpha=alpha, concatenated=pairs == "published_code")
    protocols = " ".join(sorted(scores["protocol"].unique()))
    columns = [*comparisons.COLUMNS, "synthetic", "protocol", *comparisons.MORE_COLUMNS]
    table = table.assign(protocol=protocols, synthetic=synthetic)[columns]
    write_table(table, significance, float_format="%.6g")
    note = f"Wilcoxon's signed-rank test over matched pairs; accuracies in percent; protocol: {protocols}."
    printed = summaries.printed_significance(table.assign(dataset=table["dataset"].map(display_name)))
    marks, below = pages.footnotes(printed["note"])
    printed = printed.assign(note=marks)
    pages.write_page(page, "Significance of the comparisons", printed, synthetic=synthetic, note=note, more=below)


if __name__ == "__main__":
    stage.main(compare_embeddings, globals().get("snakemake"))
