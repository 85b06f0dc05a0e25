"""Plot accuracy by embedding, as box plots over folds (the paper's figure 5)."""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from l3net.report import display_name, figure_style, reference_embedding, scores_note
from l3net.runtime import stage


def plot_embedding_type(
    downstream: Path, paper: Path, svg: Path, png: Path, *, reference: str, protocol: str, synthetic: bool = False
) -> None:
    """Draw a panel for each data set: boxes over folds of the reference model and of every embedding that is not ours.

    On real data, the paper's value of an embedding stands beside its box.
    """
    scores = pd.read_csv(downstream, keep_default_na=False)
    scores = scores[~scores["embedding"].str.contains(r"-epoch-\d{3}$")]
    ours = reference_embedding(scores["embedding"].unique(), reference)
    scores = scores[(scores["kind"] != "l3") | (scores["embedding"] == ours)]
    published = pd.read_csv(paper, keep_default_na=False)
    published = published[published["table"] == "downstream"].set_index(["dataset", "embedding"])["accuracy_percent"]
    datasets = sorted(scores["dataset"].unique())
    places = [ours, *sorted(set(scores["embedding"]) - {ours})]
    figure, axes = figure_style.panels(max(len(datasets), 1), height=3.2, sharey=True)
    for ax, dataset in zip(axes[0], datasets, strict=True):
        here = scores[scores["dataset"] == dataset]
        values = {(name, ""): found["accuracy"].tolist() for name, found in here.groupby("embedding")}
        figure_style.grouped_boxes(ax, values, places, [""])
        if len(places) > 2:
            plt.setp(ax.get_xticklabels(), rotation=40, ha="right", rotation_mode="anchor")
        for x, place in enumerate(places):
            if not synthetic and (dataset, place) in published.index:
                theirs = float(published[dataset, place]) / 100
                ax.plot([x - 0.45, x + 0.45], [theirs, theirs], "k--", lw=1, label="the paper's mean")
        ax.set_title(display_name(dataset))
    axes[0, 0].set_ylabel("accuracy (%)")
    figure_style.percent(axes[0, 0])
    figure_style.legend_above(figure)
    figure_style.save(figure, svg, png, synthetic=synthetic, note=scores_note(scores, protocol))


if __name__ == "__main__":
    stage.main(plot_embedding_type, globals().get("snakemake"))
