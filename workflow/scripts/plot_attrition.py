"""Plot what became of the clips that were asked for: those obtained and those lost, by reason."""

from pathlib import Path

import pandas as pd

from l3net import figures, stage

_GOOD = ("ok", "short")


def plot_attrition(attrition: Path, svg: Path, png: Path, *, synthetic: bool = False) -> None:
    """Draw a bar for each subset and split: the share of each status, with the number of clips."""
    table = pd.read_csv(attrition, keep_default_na=False)
    order = {"train": 0, "valid": 1, "test": 2}
    table = table[table.n > 0]
    counts = table.pivot_table(index=["subset", "split"], columns="status", values="n", aggfunc="sum", fill_value=0)
    rows = sorted(counts.index, key=lambda key: (key[0], order.get(key[1], 3)), reverse=True)
    counts = counts.loc[rows]
    statuses = [s for s in _GOOD if s in counts] + sorted(set(counts.columns) - set(_GOOD))
    shares = counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    figure, axes = figures.panels(1, height=1.0 + 0.34 * len(rows), width=6.0)
    ax, left = axes[0, 0], 0
    for s, status in enumerate(statuses):
        look = {"color": figures.COLOURS[s % 8] + "CC", "hatch": figures.HATCHES[s % 8], "edgecolor": "white"}
        ax.barh(range(len(rows)), shares[status], left=left, height=0.75, label=status.replace("_", " "), **look)
        left = left + shares[status].to_numpy()
    ax.set_yticks(
        range(len(rows)), [f"{subset}, {split} ({counts.loc[(subset, split)].sum()})" for subset, split in rows]
    )
    ax.set_xlim(0, 1)
    ax.set_xlabel("share of the clips asked for (%)")
    figures.percent(ax, "x")
    figures.legend_above(figure)
    figures.save(figure, svg, png, synthetic=synthetic, note="numbers in brackets: clips asked for")


if __name__ == "__main__":
    stage.main(plot_attrition, globals().get("snakemake"))
