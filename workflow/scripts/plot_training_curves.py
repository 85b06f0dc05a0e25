"""Plot loss and accuracy of correspondence over the epochs of every model."""

from pathlib import Path

import pandas as pd

from l3net import figures, stage


def plot_training_curves(
    histories: list[Path], svg: Path, png: Path, *, models: list[str], synthetic: bool = False
) -> None:
    """Draw a panel for each model: accuracy in training (dashed) and validation (solid), the best epoch marked."""
    columns = min(len(models), 3)
    figure, axes = figures.panels(columns, -(-len(models) // columns), height=2.1, sharex=True, sharey=True)
    for ax in axes.flat[len(models) :]:
        ax.set_visible(False)
    for ax, model, path in zip(axes.flat, models, histories, strict=False):
        history = pd.read_csv(path)
        ax.plot(history["epoch"], history["accuracy"], "--", color=figures.COLOURS[1], label="training")
        ax.plot(history["epoch"], history["val_accuracy"], color=figures.COLOURS[0], label="validation")
        best = history.loc[history["val_accuracy"].idxmax()]
        ax.plot(best["epoch"], best["val_accuracy"], "o", color=figures.COLOURS[0], markersize=5, label="best epoch")
        figures.chance(ax, 0.5)
        ax.set_title(figures.name(f"l3-{model}"), fontsize=9)
        ax.grid(axis="y")
        ax.xaxis.get_major_locator().set_params(integer=True)
    for ax in axes[:, 0]:
        ax.set_ylabel("accuracy (%)")
    for ax in axes[-1]:
        ax.set_xlabel("epoch")
    figures.percent(axes[0, 0])
    figures.legend_above(figure)
    figures.save(figure, svg, png, synthetic=synthetic, note="audio-visual correspondence")


if __name__ == "__main__":
    stage.main(plot_training_curves, globals().get("snakemake"))
