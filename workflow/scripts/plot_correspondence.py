"""Plot how well every model tells which sound belongs to a picture."""

from pathlib import Path

from l3net.report import display_name, figure_style, model_title, read_table
from l3net.runtime import stage

_CHANCE = 0.5

_COLUMNS = ["model", "train_subset", "test_subset", "n", "n_units", "accuracy", "ci_low", "ci_high"]


def plot_correspondence(avc: Path, svg: Path, png: Path, *, confidence: float = 0.95, synthetic: bool = False) -> None:
    """Draw a panel for each subset that was tested on and a row for each model: accuracy with its interval.

    Parameters
    ----------
    avc : CSV of make_avc_table.
    confidence : of the intervals.
    """
    table = read_table(avc, _COLUMNS, "make_avc_table")
    models, subsets = list(dict.fromkeys(table["model"]))[::-1], sorted(table["test_subset"].unique())
    width = figure_style.WIDTH_INCHES if len(subsets) > 1 else 5.0
    figure, axes = figure_style.panels(len(subsets), height=1.3 + 0.3 * len(models), width=width, sharey=True)
    for ax, subset in zip(axes[0], subsets, strict=True):
        here = table[table["test_subset"] == subset].set_index("model")
        for y, model in enumerate(models):
            row = here.loc[model]
            own = row["train_subset"] == subset
            label, k = ("tested on the subset trained on", 0) if own else ("tested on another subset", 1)
            ends = [[max(row["accuracy"] - row["ci_low"], 0)], [max(row["ci_high"] - row["accuracy"], 0)]]
            look = {"fmt": figure_style.MARKERS[k], "color": figure_style.COLOURS[k], "elinewidth": 1.6, "capsize": 3}
            ax.errorbar([row["accuracy"]], [y], xerr=ends, label=label, **look)
        figure_style.chance(ax, _CHANCE, "x")
        figure_style.accuracy_axis(ax, _CHANCE, here["ci_low"], "x")
        ax.set_title(f"tested on {display_name(subset)}", pad=12)
        ax.set_xlabel("accuracy (%)")
        ax.grid(axis="x")
    axes[0, 0].set_yticks(range(len(models)), [model_title(model) for model in models])
    axes[0, 0].set_ylim(-0.6, len(models) - 0.4)
    figure_style.legend_above(figure)
    sizes = "; ".join(
        f"{subset}: {int(rows['n'].max())} samples of {int(rows['n_units'].max())} clips"
        for subset, rows in table.groupby("test_subset")
    )
    note = f"audio-visual correspondence; bars: {100 * confidence:g} % intervals over clips; dashed: chance; {sizes}"
    figure_style.save(figure, svg, png, synthetic=synthetic, note=note)


if __name__ == "__main__":
    stage.main(plot_correspondence, globals().get("snakemake"))
