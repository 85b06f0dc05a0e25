"""Plot accuracy against the samples an embedding was trained on (the paper's figure 4)."""

from pathlib import Path

from l3net.report import checkpoints_on_the_way, display_name, figure_style, model_title, read_table, scores_note
from l3net.runtime import stage


def plot_training_samples(downstream: Path, svg: Path, png: Path, *, protocol: str, synthetic: bool = False) -> None:
    """Draw a line for each data set and model: mean over folds, with the standard deviation over folds as a band."""
    from matplotlib.ticker import EngFormatter

    scores = checkpoints_on_the_way(read_table(downstream, ["model", "checkpoint"], "collect_scores"))
    scores = scores.assign(samples=scores["samples_seen"].astype(int))
    models = sorted(scores["model"].unique())
    figure, axes = figure_style.panels(1, height=3.2, width=6.4)
    ax = axes[0, 0]
    for d, (dataset, here) in enumerate(scores.groupby("dataset")):
        for m, (model, found) in enumerate(here.groupby("model")):
            line = found.groupby("samples")["accuracy"].agg(["mean", "std"]).fillna(0.0)
            look = {
                "color": figure_style.COLOURS[d],
                "marker": figure_style.MARKERS[d],
                "ls": figure_style.LINES[m % 4],
            }
            label = display_name(dataset) + (f", {model_title(model)}" if len(models) > 1 else "")
            ax.plot(line.index, line["mean"], label=label, markersize=4, **look)
            band = (line["mean"] - line["std"], line["mean"] + line["std"])
            ax.fill_between(line.index, *band, color=figure_style.COLOURS[d], alpha=0.15, lw=0)
    ax.set_xlabel("training samples")
    ax.xaxis.set_major_formatter(EngFormatter(sep=" "))
    ax.set_ylabel("accuracy (%)")
    ax.set_xlim(left=0)
    ax.grid(axis="y")
    figure_style.percent(ax)
    figure_style.legend_above(figure)
    names = ", ".join(map(model_title, models))
    figure_style.save(figure, svg, png, synthetic=synthetic, note=f"{names}; {scores_note(scores, protocol)}")


if __name__ == "__main__":
    stage.main(plot_training_samples, globals().get("snakemake"))
