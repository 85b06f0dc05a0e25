"""Plot which classes are taken for which, with every embedding on every data set, or how well each is found."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from l3net.report import display_name, embedding_titles, figure_style, read_table
from l3net.runtime import stage
from l3net.vectors import has_label_sets, ranking_by_class

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_NUMBERS_UP_TO = 12


def plot_confusion(
    predictions: list[Path], svg: Path, png: Path, *, identities: dict, reference: str, synthetic: bool = False
) -> None:
    """Draw a matrix for each embedding (row) and data set: of each true class the percentage predicted as each class.

    Where clips have several labels, no class is taken for another: a bar for each class is its average precision, and a
    line across it what a guess has, the share of the clips that have the class.

    Parameters
    ----------
    predictions : CSVs of classify_dataset.
    identities : for each embedding by its name the ``model`` it was taken from, where it is ours.
    reference : name of the embedding that comes first.
    """
    columns = ["dataset", "embedding", "kind", "protocol", "seed", "label", "predicted"]
    found, protocols, kinds = {}, set(), {}
    for path in predictions:
        scores = read_table(path, columns, "classify_dataset")
        found[scores["dataset"].iloc[0], scores["embedding"].iloc[0]] = scores
        protocols |= set(scores["protocol"])
        kinds[scores["embedding"].iloc[0]] = scores["kind"].iloc[0]
    datasets, embeddings = (sorted({key[k] for key in found}) for k in (0, 1))
    embeddings.sort(key=lambda name: (name != reference, name not in identities or not identities[name], name))
    titles = embedding_titles({name: {**identities.get(name, {}), "kind": kind} for name, kind in kinds.items()})
    several, image = {dataset for (dataset, _), scores in found.items() if has_label_sets(scores)}, None
    figure, axes = figure_style.panels(len(datasets), len(embeddings), height=3.0, width=3.2 * len(datasets))
    for row, name in enumerate(embeddings):
        for column, dataset in enumerate(datasets):
            ax = axes[row, column]
            if (dataset, name) not in found:
                ax.set_visible(False)
                continue
            if dataset in several:
                _draw_precisions(ax, found[dataset, name])
            else:
                image = _draw(ax, found[dataset, name])
            ax.set_title(f"{titles[name]}\n{display_name(dataset)}", fontsize=9)
        axes[row, 0].set_ylabel("class" if datasets[0] in several else "true class")
    for ax, dataset in zip(axes[-1], datasets, strict=True):
        ax.set_xlabel("average precision (%)" if dataset in several else "predicted class")
    if image is not None:
        bar = figure.colorbar(image, ax=axes[0], shrink=0.8, pad=0.01, label="percent of the class's clips")
        figure_style.percent(bar.ax)
    sizes = ", ".join(f"{display_name(dataset)} n = {_n_clips(found, dataset)} clips" for dataset in datasets)
    note = f"protocol: {' '.join(sorted(protocols))}; {sizes}"
    if several:
        note += "; bars: average precision of each class, lines: of a guess, the share of clips that have the class"
    figure_style.save(figure, svg, png, synthetic=synthetic, note=note)


def _n_clips(found: dict, dataset: str) -> str:
    """Return the clips of a data set, and how often each was classified."""
    scores = next(table for (of, _), table in found.items() if of == dataset)
    n_seeds = scores["seed"].nunique()
    return f"{len(scores) // n_seeds}" + (f" × {n_seeds} seeds" if n_seeds > 1 else "")


def _draw(ax: "Axes", scores: "pd.DataFrame") -> object:
    """Draw one matrix; return the image."""
    import pandas as pd

    classes = sorted(set(scores["label"]))
    counts = pd.crosstab(scores["label"], scores["predicted"]).reindex(index=classes, columns=classes, fill_value=0)
    shares = counts.to_numpy() / counts.to_numpy().sum(axis=1, keepdims=True)
    image = ax.imshow(shares, vmin=0, vmax=1, cmap="Blues")
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
    return image


def _draw_precisions(ax: "Axes", scores: "pd.DataFrame") -> None:
    """Draw the average precision of each class, the mean over seeds, and that of a guess."""
    import pandas as pd

    ranked = pd.concat([ranking_by_class(own) for _, own in scores.groupby("seed")])
    ranked = ranked.groupby("label").mean().sort_index(ascending=False)
    size = 7 if len(ranked) <= _NUMBERS_UP_TO else 4
    names = [f"{label.replace('_', ' ')} ({n:.0f})" for label, n in ranked["n_clips"].items()]
    ax.set_yticks(range(len(ranked)), names, fontsize=size)
    bars = ax.barh(range(len(ranked)), ranked["average_precision"].fillna(0), height=0.7, **figure_style.filled(0))
    for y, (bar, (precision, guess)) in enumerate(
        zip(bars, ranked[["average_precision", "prevalence"]].to_numpy(), strict=True)
    ):
        ax.plot([guess, guess], [y - 0.45, y + 0.45], color="black", lw=1.4)
        if len(ranked) <= _NUMBERS_UP_TO:
            text = "none" if precision != precision else f"{100 * precision:.0f}"
            ax.text(max(bar.get_width(), guess) + 0.015, y, text, va="center", fontsize=6)
    ax.set_xlim(0, 1.08)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
    figure_style.percent(ax, "x")


if __name__ == "__main__":
    stage.main(plot_confusion, globals().get("snakemake"))
