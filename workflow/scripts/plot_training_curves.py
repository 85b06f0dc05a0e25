"""Plot accuracy of correspondence over the epochs of every model."""

from pathlib import Path

from l3net.report import figure_style, model_title, read_table
from l3net.runtime import stage

_CHANCE = 0.5


def plot_training_curves(
    histories: list[Path], svg: Path, png: Path, *, models: list[str], synthetic: bool = False
) -> None:
    """Draw a panel for each model: accuracy in training (dashed) and validation (solid), the best epoch marked."""
    columns = min(len(models), 3)
    width = figure_style.WIDTH_INCHES if columns > 1 else 5.0
    height = 2.1 if columns > 1 else 3.0
    figure, axes = figure_style.panels(
        columns, -(-len(models) // columns), height=height, width=width, sharex=True, sharey=True
    )
    for ax in axes.flat[len(models) :]:
        ax.set_visible(False)
    reached = []
    for ax, model, path in zip(axes.flat, models, histories, strict=False):
        history = read_table(path, ["epoch", "accuracy", "val_accuracy"], "train_leg")
        reached += [*history["accuracy"], *history["val_accuracy"]]
        ax.plot(history["epoch"], history["accuracy"], "--", color=figure_style.COLOURS[1], label="training")
        ax.plot(history["epoch"], history["val_accuracy"], color=figure_style.COLOURS[0], label="validation")
        best = history.loc[history["val_accuracy"].idxmax()]
        ax.plot(
            best["epoch"], best["val_accuracy"], "o", color=figure_style.COLOURS[0], markersize=5, label="best epoch"
        )
        figure_style.chance(ax, _CHANCE)
        ax.set_title(model_title(model), fontsize=9)
        ax.grid(axis="y")
        ax.xaxis.get_major_locator().set_params(integer=True)
    for ax in axes[:, 0]:
        ax.set_ylabel("accuracy (%)")
    for ax in axes[-1]:
        ax.set_xlabel("epoch")
    figure_style.accuracy_axis(axes[0, 0], _CHANCE, reached)
    figure_style.legend_above(figure)
    figure_style.save(figure, svg, png, synthetic=synthetic, note="audio-visual correspondence; dashed grey: chance")


if __name__ == "__main__":
    stage.main(plot_training_curves, globals().get("snakemake"))
