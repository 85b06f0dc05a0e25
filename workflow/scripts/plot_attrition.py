"""Plot what became of the clips that were asked for, by subset and split, and by label."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from l3net.audioset import SPLITS, STATUSES, USABLE_STATUSES
from l3net.runtime import stage

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MOST_LABELS = 12


def plot_attrition(attrition: Path, by_label: Path, svg: Path, png: Path, *, synthetic: bool = False) -> None:
    """Draw the share of each status as a bar, for each subset and split and for each of the labels that lost most."""
    from l3net.report import figure_style, read_table

    counts = _counts(read_table(attrition, ["subset", "split", "status", "n"], "report_attrition"), ["subset", "split"])
    rows = sorted(counts.index, key=lambda key: (key[0], SPLITS.index(key[1])))
    labels = _counts(read_table(by_label, ["label", "subset", "status", "n"], "report_attrition"), ["label", "subset"])
    lost = labels.drop(columns=list(USABLE_STATUSES), errors="ignore").sum(axis=1)
    worst = lost[lost > 0].sort_values(ascending=False, kind="stable").index[:_MOST_LABELS]
    panels = [counts.loc[rows], labels.loc[worst]] if len(worst) else [counts.loc[rows]]
    bars = [len(panel) for panel in panels]
    height = 1.0 + 0.34 * sum(bars) / len(bars)
    figure, axes = figure_style.panels(1, len(panels), height=height, width=6.0, height_ratios=bars)
    shown = [status for status in STATUSES if any(status in panel for panel in panels)]
    for ax, panel, title in zip(axes[:, 0], panels, ["subset and split", "labels that lost most"], strict=False):
        _draw(ax, panel, shown)
        ax.set_title(title)
    axes[-1, 0].set_xlabel("share of the clips asked for (%)")
    figure_style.legend_above(figure)
    figure_style.save(figure, svg, png, synthetic=synthetic, note="numbers in brackets: clips asked for")


def _counts(table: "pd.DataFrame", keys: list[str]) -> "pd.DataFrame":
    """Return the number of clips, a row for each of `keys`, a column for each status that occurs, in their order."""
    table = table[table["n"] > 0]
    counts = table.pivot_table(index=keys, columns="status", values="n", aggfunc="sum", fill_value=0)
    return counts[[status for status in STATUSES if status in counts]]


def _draw(ax: "Axes", counts: "pd.DataFrame", shown: list[str]) -> None:
    """Draw each row of `counts` as a bar of shares; its place in `shown` is a status's look."""
    from l3net.report import figure_style

    shares, left = counts.div(counts.sum(axis=1), axis=0), np.zeros(len(counts))
    for status in counts:
        s = shown.index(status)  # where there are more than colours, the second round has other hatches
        label = status.replace("_", " ")
        y = np.flatnonzero(shares[status])  # a bar without length would still draw its edge
        look = {"height": 0.75, "label": label, **figure_style.filled(s)}
        ax.barh(y, shares[status].to_numpy()[y], left=left[y], **look)
        left = left + shares[status].to_numpy()
    names = [f"{one}, {other} ({n})" for (one, other), n in counts.sum(axis=1).items()]
    ax.set_yticks(range(len(counts)), names)
    ax.invert_yaxis()
    ax.set_xlim(0, 1.004)  # with the edge of the last bar
    figure_style.percent(ax, "x")


if __name__ == "__main__":
    stage.main(plot_attrition, globals().get("snakemake"))
