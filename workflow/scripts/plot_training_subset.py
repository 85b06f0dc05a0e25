"""Plot accuracy by training subset, as box plots over folds (the paper's figure 3)."""

from pathlib import Path

from l3net.report import (
    best_checkpoints,
    by_main_measure,
    chances,
    dataset_title,
    figure_style,
    measure_name,
    read_table,
    scores_note,
)
from l3net.runtime import stage


def plot_training_subset(downstream: Path, svg: Path, png: Path, *, protocol: str, synthetic: bool = False) -> None:
    """Draw a panel for each data set: boxes over folds (seeds averaged) of each training subset, by front end."""
    scores = by_main_measure(best_checkpoints(read_table(downstream, ["checkpoint", "n_classes"], "collect_scores")))
    scores = scores[scores["kind"] == "l3"]
    datasets = sorted(scores["dataset"].unique())
    figure, axes = figure_style.panels(max(len(datasets), 1), height=3.4, sharey=True)
    places, groups = (sorted(scores[column].unique()) for column in ("subset", "front_end"))
    for ax, dataset in zip(axes[0], datasets, strict=True):
        here = scores[scores["dataset"] == dataset]
        values = {
            key: found.groupby("fold")["accuracy"].mean().tolist()
            for key, found in here.groupby(["subset", "front_end"])
        }
        figure_style.grouped_boxes(ax, values, places, groups)
        figure_style.chance(ax, chances(here)[dataset])
        figure_style.accuracy_axis(ax, chances(here)[dataset], here["accuracy"])
        ax.set_title(dataset_title(dataset, here))
    axes[0, 0].set_ylabel(measure_name(scores))
    figure_style.legend_above(figure, "input")
    figure_style.save(figure, svg, png, synthetic=synthetic, note=scores_note(scores, protocol))


if __name__ == "__main__":
    stage.main(plot_training_subset, globals().get("snakemake"))
