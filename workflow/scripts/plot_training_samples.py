"""Plot accuracy against the samples an embedding was trained on (the paper's figure 4)."""

from pathlib import Path
from typing import TYPE_CHECKING

from l3net.report import (
    best_checkpoints,
    by_main_measure,
    chances,
    checkpoints_on_the_way,
    dataset_title,
    figure_style,
    measure_name,
    model_title,
    read_table,
    scores_note,
)
from l3net.runtime import stage

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_BEST = "the epoch that is kept (best validation), as in the tables"

_COLUMNS = ["dataset", "model", "checkpoint", "fold", "samples_seen", "n_classes", "n_clips", "accuracy"]


def plot_training_samples(downstream: Path, svg: Path, png: Path, *, protocol: str, synthetic: bool = False) -> None:
    """Draw a panel for each data set, a line for each model: mean over folds, with their standard deviation as a band.

    A point of a line is the end of a leg; the last point is the last epoch. A star is the epoch that was kept for its
    validation, which is what tables and all other figures show.
    """
    from matplotlib.ticker import EngFormatter

    table = by_main_measure(read_table(downstream, _COLUMNS, "collect_scores"))
    scores = checkpoints_on_the_way(table)
    models, datasets = sorted(scores["model"].unique()), sorted(scores["dataset"].unique())
    kept = best_checkpoints(table)
    kept = kept[kept["model"].isin(models)]
    figure, axes = figure_style.panels(max(len(datasets), 1), height=3.0, sharey=True)
    for ax, dataset in zip(axes[0], datasets, strict=True):
        here, of_kept = (rows[rows["dataset"] == dataset] for rows in (scores, kept))
        for m, model in enumerate(models):
            _draw(ax, here[here["model"] == model], of_kept[of_kept["model"] == model], m)
        figure_style.chance(ax, chances(here)[dataset])
        figure_style.accuracy_axis(ax, chances(here)[dataset], here["accuracy"])
        ax.set_title(dataset_title(dataset, here))
        ax.set_xlabel("training samples")
        ax.xaxis.set_major_formatter(EngFormatter(sep=" "))
        ax.set_xlim(left=0)
        ax.grid(axis="y")
    axes[0, 0].set_ylabel(measure_name(scores))
    figure_style.legend_above(figure)
    note = "points of a line: ends of legs, the last one the last epoch; bands: standard deviation over folds; "
    note += f"star: {_BEST}"
    figure_style.save(figure, svg, png, synthetic=synthetic, note=f"{note}; {scores_note(scores, protocol)}")


def _draw(ax: "Axes", scores: "pd.DataFrame", kept: "pd.DataFrame", m: int) -> None:
    """Draw the line of one model, and a star at the epoch that was kept."""
    colour = figure_style.COLOURS[m % 8]
    look = {"color": colour, "marker": figure_style.MARKERS[m % 7], "ls": figure_style.LINES[m % 4]}
    line = scores.assign(samples=scores["samples_seen"].astype(int)).groupby("samples")["accuracy"]
    line = line.agg(["mean", "std"]).fillna(0.0)
    ax.plot(line.index, line["mean"], label=model_title(scores["model"].iloc[0]), markersize=4, **look)
    band = (line["mean"] - line["std"], line["mean"] + line["std"])
    ax.fill_between(line.index, *band, color=colour, alpha=0.15, lw=0)
    if len(kept):
        place = [int(kept["samples_seen"].iloc[0])], [kept["accuracy"].mean()]
        star = {"marker": "*", "s": 90, "color": "white", "edgecolor": colour, "lw": 1.2, "zorder": 5}
        ax.scatter(*place, **star, label="kept epoch, as in the tables")


if __name__ == "__main__":
    stage.main(plot_training_samples, globals().get("snakemake"))
