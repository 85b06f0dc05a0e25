"""Plot which classes are taken for which, of the reference model on every data set."""

from pathlib import Path

import numpy as np

from l3net.report import display_name, figure_style, model_title, read_table
from l3net.runtime import stage

_NUMBERS_UP_TO = 12


def plot_confusion(predictions: list[Path], svg: Path, png: Path, *, model: str, synthetic: bool = False) -> None:
    """Draw a matrix for each data set: of each true class (row) the percentage predicted as each class (column).

    Parameters
    ----------
    predictions : CSVs of classify_dataset, of the model's embedding on each data set.
    model : name of the model.
    """
    import pandas as pd

    figure, axes = figure_style.panels(len(predictions), height=3.3, width=3.2 * len(predictions))
    for ax, path in zip(axes[0], sorted(predictions), strict=True):
        scores = read_table(path, ["dataset", "protocol", "seed", "label", "predicted"], "classify_dataset")
        classes = sorted(set(scores["label"]))
        counts = pd.crosstab(scores["label"], scores["predicted"]).reindex(index=classes, columns=classes, fill_value=0)
        shares = counts.to_numpy() / counts.to_numpy().sum(axis=1, keepdims=True)
        image = ax.imshow(shares, vmin=0, vmax=1, cmap="Blues")
        _label(ax, classes, shares)
        n_seeds = scores["seed"].nunique()
        times = f" × {n_seeds} seeds" if n_seeds > 1 else ""
        ax.set_title(display_name(scores["dataset"].iloc[0]))
        ax.set_xlabel(f"predicted; n = {len(scores) // n_seeds} clips{times}")
    axes[0, 0].set_ylabel("true class")
    bar = figure.colorbar(image, ax=axes, shrink=0.6, pad=0.01, label="percent of the class's clips")
    figure_style.percent(bar.ax)
    protocol = f"protocol: {scores['protocol'].iloc[0]}"
    figure_style.save(figure, svg, png, synthetic=synthetic, note=f"{model_title(model)}; {protocol}")


def _label(ax, classes: list[str], shares: np.ndarray) -> None:
    size = 7 if len(classes) <= _NUMBERS_UP_TO else 4
    names = [label.replace("_", " ") for label in classes]
    ax.set_xticks(range(len(classes)), names, rotation=90, fontsize=size)
    ax.set_yticks(range(len(classes)), names, fontsize=size)
    ax.tick_params(length=0)
    if len(classes) <= _NUMBERS_UP_TO:
        for (row, column), share in np.ndenumerate(shares):
            if share >= 0.005:
                dark = "white" if share > 0.55 else "black"
                ax.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=6, color=dark)


if __name__ == "__main__":
    stage.main(plot_confusion, globals().get("snakemake"))
