"""Plot accuracy by input representation, as box plots over folds (the paper's figure 2)."""

from pathlib import Path

import pandas as pd

from l3net import figures, stage


def plot_input_representation(
    downstream: Path, svg: Path, png: Path, *, protocol: str, synthetic: bool = False
) -> None:
    """Draw a panel for each data set: boxes over folds of each front end, by training subset."""
    scores = pd.read_csv(downstream, keep_default_na=False)
    scores = scores[(scores["kind"] == "l3") & ~scores["embedding"].str.contains(r"-epoch-\d{3}$")]
    datasets = sorted(scores["dataset"].unique())
    figure, axes = figures.panels(max(len(datasets), 1), height=3.4, sharey=True)
    places, groups = (sorted(scores[column].unique()) for column in ("front_end", "subset"))
    for ax, dataset in zip(axes[0], datasets, strict=True):
        here = scores[scores["dataset"] == dataset]
        values = {key: found["accuracy"].tolist() for key, found in here.groupby(["front_end", "subset"])}
        figures.grouped_boxes(ax, values, places, groups)
        ax.set_title(figures.name(dataset))
    axes[0, 0].set_ylabel("accuracy (%)")
    figures.percent(axes[0, 0])
    figures.legend_above(figure, "trained on")
    figures.save(figure, svg, png, synthetic=synthetic, note=figures.note(scores, protocol))


if __name__ == "__main__":
    stage.main(plot_input_representation, globals().get("snakemake"))
