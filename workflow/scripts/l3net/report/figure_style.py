"""One look for all figures, as SVG and PNG: readable in print and for the colour-blind.

Colours are those of Okabe and Ito, always in one order. Whatever a colour says, a marker, hatch, line style or label
says too. Figures of synthetic data are marked as such. Widths are those of a two-column paper. matplotlib is imported
where it is used, since it is slow to import.
"""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from l3net.files import atomic
from l3net.report.figure_text import escape_undrawable, font_families
from l3net.report.labels import chances, dataset_title, display_name, measure_name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "ooo", "+++", "---")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = ("-", "--", ":", "-.")
WIDTH_INCHES = 7.2
_NOTE_CHARACTERS_PER_INCH = 19
_STYLE = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "hatch.linewidth": 0.8,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "svg.hashsalt": "l3net",  # the same data gives the same bytes
    "text.parse_math": False,  # a $ in a name is a $
}


def panels(
    n_columns: int, n_rows: int = 1, *, height: float = 2.8, width: float = WIDTH_INCHES, **kwargs
) -> tuple["Figure", np.ndarray]:
    """Make a figure; return it with its axes [shape=(n_rows, n_columns)].

    Parameters
    ----------
    height : of one row, in inches.
    width : of the figure, in inches.
    kwargs : as ``matplotlib.pyplot.subplots`` takes them.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({**_STYLE, "font.family": font_families(), "axes.prop_cycle": matplotlib.cycler(color=COLOURS)})
    figure, axes = plt.subplots(
        n_rows, n_columns, figsize=(width, height * n_rows), squeeze=False, layout="constrained", **kwargs
    )
    return figure, axes


def save(figure: "Figure", svg: Path, png: Path, *, synthetic: bool, note: str = "") -> None:
    """Write a figure as SVG and PNG.

    Parameters
    ----------
    synthetic : say above the figure that its data is synthetic.
    note : what it shows; stands below it.
    """
    import matplotlib.pyplot as plt

    if note:
        line = int(figure.get_figwidth() * _NOTE_CHARACTERS_PER_INCH)
        figure.supxlabel(textwrap.fill(note, line), fontsize=7, color="#444444", x=0.01, ha="left", ma="left")
    if synthetic:
        figure.suptitle("SYNTHETIC DATA", fontsize=8, color=COLOURS[3], weight="bold", x=0.01, ha="left")
    escape_undrawable(figure)
    for path, metadata in ((svg, {"Date": None}), (png, {"Software": None})):
        with atomic.replacing(path) as temporary:
            figure.savefig(temporary, metadata=metadata, facecolor="white")
    plt.close(figure)


def tint(colour: str, share: float = 0.33) -> str:
    """Return a colour mixed with white, opaque: where a fill is transparent, SVG draws its hatch transparent too."""
    parts = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - share * (255 - part)):02X}" for part in parts)


def filled(k: int, *, share: float = 0.33) -> dict[str, str]:
    """Return how the k-th kind of bar or box is filled: a tint, with the edge and the hatch in the colour itself."""
    colour = COLOURS[k % len(COLOURS)]
    hatch = HATCHES[(k + k // len(COLOURS)) % len(HATCHES)]
    return {"facecolor": tint(colour, share), "edgecolor": colour, "hatch": hatch}


def boxes_over_folds(scores: "pd.DataFrame", places: str, groups: str, *, legend: str) -> "Figure":
    """Draw a panel for each data set: boxes over folds, seeds averaged.

    Parameters
    ----------
    scores : accuracies of the embeddings shown.
    places, groups : columns of it whose values are places from left to right, and boxes beside each other at each.
    legend : the title of the legend of the groups.
    """
    datasets = sorted(scores["dataset"].unique())
    figure, axes = panels(max(len(datasets), 1), height=3.4, sharey=True)
    names = [sorted(scores[column].unique()) for column in (places, groups)]
    for ax, dataset in zip(axes[0], datasets, strict=True):
        here = scores[scores["dataset"] == dataset]
        values = {
            key: found.groupby("fold")["accuracy"].mean().tolist() for key, found in here.groupby([places, groups])
        }
        grouped_boxes(ax, values, *names)
        chance(ax, chances(here)[dataset])
        accuracy_axis(ax, chances(here)[dataset], here["accuracy"])
        ax.set_title(dataset_title(dataset, here))
    axes[0, 0].set_ylabel(measure_name(scores))
    legend_above(figure, legend)
    return figure


def grouped_boxes(
    ax: "Axes", values: dict[tuple[str, str], Sequence[float]], places: list[str], groups: list[str]
) -> None:
    """Draw a box for each place and group, with every value as a point and the mean as a diamond.

    A single value is a marker of its group.

    Parameters
    ----------
    values : for (place, group) the values of a box.
    places : from left to right.
    groups : beside each other at each place, and in the legend.
    """
    width = 0.8 / max(len(groups), 1)
    rng = np.random.default_rng(0)
    for g, group in enumerate(groups):
        for p, place in enumerate(places):
            found = np.asarray(values.get((place, group), ()), float)
            if not found.size:
                continue
            x = p + (g - (len(groups) - 1) / 2) * width
            colour = COLOURS[g % len(COLOURS)]
            if found.size == 1:  # a data set of one fold: a box would be a line that says nothing of its group
                mark = {"marker": MARKERS[g % len(MARKERS)], "s": 42, "zorder": 3}
                ax.scatter(
                    [x], found, color=tint(colour, 0.6), edgecolor=colour, lw=1.2, label=display_name(group), **mark
                )
                continue
            look = {"boxprops": filled(g), "medianprops": {"color": "black", "linewidth": 1.4}}
            look |= {part: {"color": colour} for part in ("whiskerprops", "capprops")}
            box = ax.boxplot([found], positions=[x], widths=width * 0.8, patch_artist=True, showfliers=False, **look)
            box["boxes"][0].set_label(display_name(group))
            xs = x + rng.uniform(-0.2, 0.2, found.size) * width
            ax.scatter(xs, found, s=9, color=colour, edgecolor="white", lw=0.4, zorder=3)
            ax.scatter([x], [found.mean()], marker="D", s=16, color="white", edgecolor="black", lw=0.8, zorder=4)
    ax.set_xticks(range(len(places)), [display_name(place) for place in places])
    ax.set_xlim(-0.6, len(places) - 0.4)
    ax.grid(axis="y")


def percent(ax: "Axes", axis: str = "y") -> None:
    """Label an axis of fractions in percent."""
    from matplotlib.ticker import PercentFormatter

    getattr(ax, f"{axis}axis").set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=""))


def legend_above(figure: "Figure", title: str = "") -> None:
    """Put one legend above all panels, with each entry of any of them once."""
    shown = {}
    for ax in figure.axes:
        handles, labels = ax.get_legend_handles_labels()
        shown |= dict(zip(labels, handles, strict=True))
    if shown:
        figure.legend(
            shown.values(), shown.keys(), loc="outside upper right", ncols=min(len(shown), 6), title=title or None
        )


def chance(ax: "Axes", share: float, axis: str = "y") -> None:
    """Draw a line at the accuracy that guessing gives; `axis` is the one that accuracy is on."""
    look = {"color": "#555555", "lw": 0.9, "ls": (0, (4, 3)), "zorder": 1}
    text = {"fontsize": 7, "color": "#555555"}
    if axis == "y":
        ax.axhline(share, **look)
        place = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "bottom"}
        ax.annotate("chance", (1, share), **place, **text)
    else:
        ax.axvline(share, **look)
        place = {"xycoords": ("data", "axes fraction"), "xytext": (2, 1), "textcoords": "offset points"}
        ax.annotate("chance", (share, 1), **place, ha="center", va="bottom", **text)


def accuracy_axis(ax: "Axes", chance_share: float, values: Sequence[float], axis: str = "y") -> None:
    """Let an axis of accuracies begin at chance where nothing lies below it and chance is half or more, else at 0."""
    lowest = min((value for value in values if value == value), default=0.0)
    start = chance_share if chance_share >= 0.5 and lowest >= chance_share else 0.0
    getattr(ax, f"set_{axis}lim")(start, 1.0)
    percent(ax, axis)
