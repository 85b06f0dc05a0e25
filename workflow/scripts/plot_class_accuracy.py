"""Plot the accuracy of every class with every embedding."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from l3net.report import (
    best_checkpoints,
    by_main_measure,
    dataset_title,
    figure_style,
    measure_name,
    read_table,
    reference_embedding,
    several_labels,
    titles_in,
)
from l3net.runtime import stage

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_NUMBERS_UP_TO = 20  # classes; of more the numbers could not be read

_COLUMNS = ["dataset", "embedding", "model", "checkpoint", "kind", "protocol", "label", "unit", "n_clips"]
_COLUMNS += ["accuracy", "ci_low", "ci_high"]


def plot_class_accuracy(
    by_class: Path, svg: Path, png: Path, *, reference: str, confidence: float = 0.95, synthetic: bool = False
) -> None:
    """Draw a panel for each data set, with a row for each class and a column for each embedding.

    Where clips have several labels, it is each class's average precision.

    Parameters
    ----------
    by_class : CSV of collect_scores.
    reference : model by whose accuracy classes are sorted; its column comes first.
    confidence : of the intervals, whose typical width is said.
    """
    scores = by_main_measure(best_checkpoints(read_table(by_class, _COLUMNS, "collect_scores")))
    first, titles = reference_embedding(scores, reference), titles_in(scores)
    means = scores.groupby(["kind", "embedding"])["accuracy"].mean().reset_index()
    means = means.assign(other=means["kind"] != "l3").sort_values(["other", "accuracy"], ascending=[True, False])
    embeddings = list(dict.fromkeys([first, *means["embedding"]]))
    datasets = sorted(scores["dataset"].unique())
    tallest = max(scores.groupby("dataset")["label"].nunique())
    width = max(figure_style.WIDTH_INCHES, len(datasets) * (1.2 + 0.25 * len(embeddings)))
    height = 2.0 + (0.26 if tallest <= _NUMBERS_UP_TO else 0.15) * tallest
    figure, axes = figure_style.panels(max(len(datasets), 1), height=height, width=width)
    for ax, dataset in zip(axes[0], datasets, strict=True):
        here = scores[scores["dataset"] == dataset]
        image = _draw(ax, here.pivot_table(index="label", columns="embedding", values="accuracy"), embeddings)
        counts = here.groupby("label")["n_clips"].max()
        labels = [f"{label.replace('_', ' ')} ({counts[label]})" for label in ax.labels]
        ax.set_yticks(range(len(labels)), labels, fontsize=7.5 if tallest <= _NUMBERS_UP_TO else 5)
        ax.set_xticks(range(len(embeddings)), [titles[name] for name in embeddings], rotation=90, fontsize=7.5)
        ax.tick_params(length=0)
        ax.set_title(dataset_title(dataset, here))
    bar = figure.colorbar(image, ax=axes, shrink=0.6, pad=0.01, label=measure_name(scores))
    figure_style.percent(bar.ax)
    note = f"protocol: {scores['protocol'].iloc[0]}; percent of a class's clips; (n): clips"
    of_one = scores[~scores["dataset"].isin(several_labels(scores))]
    if len(of_one):
        half = 50 * (of_one["ci_high"] - of_one["ci_low"]).median()
        units = " or ".join(sorted({f"{unit}s" for unit in of_one["unit"]}))
        note += f"; a {100 * confidence:g} % interval over {units} is ± {half:.0f} points in the median (each in "
        note += "tables/class_accuracy.csv)"
    figure_style.save(figure, svg, png, synthetic=synthetic, note=note)


def _draw(ax: "Axes", table: "pd.DataFrame", embeddings: list[str]) -> object:
    """Draw a table of accuracies, worst class of the first embedding at the bottom; return the image."""
    table = table.reindex(columns=embeddings)
    table = table.loc[table[embeddings[0]].sort_values(ascending=False, kind="stable").index]
    ax.labels = list(table.index)
    image = ax.imshow(table, vmin=0, vmax=1, cmap="Blues", aspect="auto")
    if len(table) <= _NUMBERS_UP_TO:
        for (row, column), share in np.ndenumerate(table.to_numpy()):
            if share == share:
                dark = "white" if share > 0.55 else "black"
                ax.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=6.5, color=dark)
    return image


if __name__ == "__main__":
    stage.main(plot_class_accuracy, globals().get("snakemake"))
