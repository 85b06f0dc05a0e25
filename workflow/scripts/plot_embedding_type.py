"""Plot the accuracy of every embedding on every data set (the paper's figure 5)."""

from pathlib import Path
from typing import TYPE_CHECKING

from l3net.report import (
    best_checkpoints,
    by_main_measure,
    chances,
    dataset_title,
    figure_style,
    measure_name,
    read_table,
    scores_note,
    titles_in,
)
from l3net.report import summary as summaries
from l3net.runtime import stage

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Kinds of embeddings: what the legend says, colour, marker.
_LOOKS = {
    "trained": ("trained here", figure_style.COLOURS[0], "o"),
    "untrained": ("untrained network", figure_style.COLOURS[3], "s"),
    "other": ("other embeddings", figure_style.COLOURS[2], "^"),
}

_COLUMNS = ["dataset", "embedding", "model", "checkpoint", "kind", "front_end", "subset", "n_classes", "unit"]
_COLUMNS += ["n_clips", "accuracy", "ci_low", "ci_high"]
_COLUMNS_OF_FOLDS = ["dataset", "embedding", "checkpoint", "fold", "n_clips", "accuracy"]


def plot_embedding_type(
    overall: Path,
    downstream: Path,
    paper: Path,
    svg: Path,
    png: Path,
    *,
    protocol: str,
    confidence: float = 0.95,
    synthetic: bool = False,
) -> None:
    """Draw a panel for each data set, with a row for each embedding: accuracy over clips, its interval, and each fold.

    On real data, a black line is the paper's mean of that embedding.

    Parameters
    ----------
    overall, downstream : CSVs of collect_scores, over clips and by fold.
    paper : the paper's numbers.
    """
    table = read_table(overall, _COLUMNS, "collect_scores")
    scores = by_main_measure(best_checkpoints(table))
    folds = by_main_measure(best_checkpoints(read_table(downstream, _COLUMNS_OF_FOLDS, "collect_scores")))
    published = summaries.read_paper(paper)
    name_in_paper = dict(zip(scores["embedding"], summaries.names_in_paper(scores, published), strict=True))
    theirs = {} if synthetic else summaries.paper_accuracies(published)
    datasets, titles = sorted(scores["dataset"].unique()), titles_in(scores)
    order = scores.groupby("embedding")["accuracy"].mean().sort_values(kind="stable").index
    figure, axes = figure_style.panels(max(len(datasets), 1), height=1.3 + 0.3 * len(order), sharey=True)
    for ax, dataset in zip(axes[0], datasets, strict=True):
        here = scores[scores["dataset"] == dataset].set_index("embedding")
        for y, name in enumerate(order):
            if name not in here.index:
                continue
            of_folds = folds[(folds["dataset"] == dataset) & (folds["embedding"] == name)]
            _draw(ax, y, here.loc[name], of_folds.groupby("fold")["accuracy"].mean().tolist())
            if (percent := theirs.get((dataset, name_in_paper[name]))) is not None:
                ax.plot([float(percent) / 100] * 2, [y - 0.4, y + 0.4], "k-", lw=1.6, label="the paper's mean")
        figure_style.chance(ax, chances(scores)[dataset], "x")
        figure_style.accuracy_axis(ax, chances(scores)[dataset], here["accuracy"], "x")
        ax.set_title(dataset_title(dataset, scores), pad=12)
        ax.set_xlabel(measure_name(here))
        ax.grid(axis="x")
    axes[0, 0].set_yticks(range(len(order)), [titles[name] for name in order])
    axes[0, 0].set_ylim(-0.6, len(order) - 0.4)
    figure_style.legend_above(figure)
    units = " or ".join(sorted({f"{unit}s" for unit in scores["unit"]}))
    note = f"large marks: over all clips, with {100 * confidence:g} % intervals over {units}; small dots: folds; "
    figure_style.save(figure, svg, png, synthetic=synthetic, note=note + scores_note(folds, protocol))


def _draw(ax: "Axes", y: int, row: "pd.Series", folds: list[float]) -> None:
    """Draw an embedding: its accuracy with the interval, and its folds where there are several."""
    kind = {"l3": "trained", "random": "untrained"}.get(row["kind"], "other")
    label, colour, marker = _LOOKS[kind]
    if len(folds) > 1:
        ax.scatter(folds, [y] * len(folds), s=7, color=figure_style.tint(colour, 0.6), zorder=2, clip_on=False)
    ends = [[max(row["accuracy"] - row["ci_low"], 0)], [max(row["ci_high"] - row["accuracy"], 0)]]
    look = {
        "fmt": marker,
        "color": colour,
        "markersize": 6,
        "elinewidth": 1.6,
        "capsize": 3,
        "zorder": 3,
        "clip_on": False,
    }
    ax.errorbar([row["accuracy"]], [y], xerr=ends, label=label, **look)


if __name__ == "__main__":
    stage.main(plot_embedding_type, globals().get("snakemake"))
