"""Plot accuracy by embedding, as box plots over folds (the paper's figure 5)."""

from pathlib import Path

from l3net.report import (
    best_checkpoints,
    display_name,
    figure_style,
    read_table,
    reference_embedding,
    scores_note,
    titles_in,
)
from l3net.report import summary as summaries
from l3net.runtime import stage


def plot_embedding_type(
    downstream: Path, paper: Path, svg: Path, png: Path, *, reference: str, protocol: str, synthetic: bool = False
) -> None:
    """Draw a panel for each data set: boxes over folds of the reference model and of every embedding that is not ours.

    On real data, a dashed line at a box is the paper's value of that embedding.
    """
    scores = best_checkpoints(read_table(downstream, ["model", "checkpoint"], "collect_scores"))
    ours, titles = reference_embedding(scores, reference), titles_in(scores)
    scores = scores[(scores["kind"] != "l3") | (scores["embedding"] == ours)]
    published = summaries.read_paper(paper)
    name_in_paper = dict(zip(scores["embedding"], summaries.names_in_paper(scores, published), strict=True))
    theirs = summaries.paper_accuracies(published)
    datasets = sorted(scores["dataset"].unique())
    places = [ours, *sorted(set(scores["embedding"]) - {ours})]
    figure, axes = figure_style.panels(max(len(datasets), 1), height=3.2, sharey=True)
    for ax, dataset in zip(axes[0], datasets, strict=True):
        here = scores[scores["dataset"] == dataset]
        values = {(name, ""): found["accuracy"].tolist() for name, found in here.groupby("embedding")}
        figure_style.grouped_boxes(ax, values, places, [""], title_of=lambda name: titles.get(name, name))
        if len(places) > 2:
            for label in ax.get_xticklabels():
                label.set(rotation=40, ha="right", rotation_mode="anchor")
        for x, place in enumerate(places):
            percent = theirs.get((dataset, name_in_paper[place]))
            if percent is not None and not synthetic:
                ax.plot([x - 0.45, x + 0.45], [float(percent) / 100] * 2, "k--", lw=1, label="the paper's mean")
        ax.set_title(display_name(dataset))
    axes[0, 0].set_ylabel("accuracy (%)")
    figure_style.percent(axes[0, 0])
    figure_style.legend_above(figure)
    figure_style.save(figure, svg, png, synthetic=synthetic, note=scores_note(scores, protocol))


if __name__ == "__main__":
    stage.main(plot_embedding_type, globals().get("snakemake"))
