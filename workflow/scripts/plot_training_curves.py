"""Plot loss and accuracy of correspondence over the epochs of every model."""

from pathlib import Path

from l3net.report import figure_style, model_title, read_table
from l3net.runtime import stage


def plot_training_curves(
    histories: list[Path], svg: Path, png: Path, *, models: list[str], synthetic: bool = False
) -> None:
    """Draw a panel for each model: accuracy in training (dashed) and validation (solid), the best epoch marked."""
    columns = min(len(models), 3)
    figure, axes = figure_style.panels(columns, -(-len(models) // columns), height=2.1, sharex=True, sharey=True)
    for ax in axes.flat[len(models) :]:
        ax.set_visible(False)
    for ax, model, path in zip(axes.flat, models, histories, strict=False):
        history = read_table(path, ["epoch", "accuracy", "val_accuracy"], "train_leg")
        ax.plot(history["epoch"], history["accuracy"], "--", color=figure_style.COLOURS[1], label="training")
        ax.plot(history["epoch"], history["val_accuracy"], color=figure_style.COLOURS[0], label="validation")
        best = history.loc[history["val_accuracy"].idxmax()]
        ax.plot(
            best["epoch"], best["val_accuracy"], "o", color=figure_style.COLOURS[0], markersize=5, label="best epoch"
        )
        figure_style.chance(ax, 0.5)
        ax.set_title(model_title(model), fontsize=9)
        ax.grid(axis="y")
        ax.xaxis.get_major_locator().set_params(integer=True)
    for ax in axes[:, 0]:
        ax.set_ylabel("accuracy (%)")
    for ax in axes[-1]:
        ax.set_xlabel("epoch")
    figure_style.percent(axes[0, 0])
    figure_style.legend_above(figure)
    figure_style.save(figure, svg, png, synthetic=synthetic, note="audio-visual correspondence")


if __name__ == "__main__":
    stage.main(plot_training_curves, globals().get("snakemake"))
