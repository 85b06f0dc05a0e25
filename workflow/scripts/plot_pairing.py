"""Plot how well frames and sounds are matched when they were paired rightly, and with the published code's fault."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from l3net.report import figure_style, model_title, read_tables
from l3net.runtime import stage

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ["model", "trained_on", "tested_on", "n", "accuracy", "ci_low", "ci_high", "n_units"]
_COLUMNS_OF_OFFSETS = ["pairing", "seconds", "n"]


def plot_pairing(scores: list[Path], offsets: list[Path], svg: Path, png: Path, *, synthetic: bool = False) -> None:
    """Draw when a matching frame is shown after its window's start, and each model's accuracy on both kinds of samples.

    Parameters
    ----------
    scores, offsets : as `evaluate_pairing` writes them, of every model.
    """
    accuracy = read_tables(scores, _COLUMNS, "evaluate_pairing")
    models, pairings = accuracy["model"].unique(), accuracy["trained_on"].unique()
    figure, axes = figure_style.panels(1 + len(models), height=2.8)
    _draw_offsets(axes[0, 0], read_tables(offsets, _COLUMNS_OF_OFFSETS, "evaluate_pairing"), pairings)
    for ax, model in zip(axes[0, 1:], models, strict=True):
        _draw_accuracy(ax, accuracy[accuracy["model"] == model], pairings)
        ax.set_title(model_title(model))
        ax.sharey(axes[0, 1])
    axes[0, 1].set_ylabel("accuracy (%)")
    figure_style.accuracy_axis(axes[0, 1], 0.5, accuracy["ci_low"])
    figure_style.legend_above(figure, "samples / trained on")
    n, n_clips = int(accuracy["n"].min()), int(accuracy["n_units"].min())
    note = f"audio-visual correspondence; n = {n} or more test samples of {n_clips} or more clips a point; "
    note += "bars: intervals over clips"
    figure_style.save(figure, svg, png, synthetic=synthetic, note=note)


def _draw_offsets(ax, offsets: "pd.DataFrame", pairings) -> None:
    """Draw the share of matching samples by whole seconds from the window's start to the frame."""
    width = 0.8 / len(pairings)
    for i, pairing in enumerate(pairings):
        here = offsets[offsets["pairing"] == pairing].groupby("seconds")["n"].sum()
        x = here.index + (i - (len(pairings) - 1) / 2) * width
        ax.bar(x, here / here.sum(), width, label=pairing, **figure_style.filled(i))
    ax.set_title("frame after the start")
    ax.set_xlabel("whole seconds")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_ylabel("matching samples (%)")
    ax.grid(axis="y")
    figure_style.percent(ax)


def _draw_accuracy(ax, accuracy: "pd.DataFrame", pairings) -> None:
    """Draw a point with its interval for each pairing trained on, at each pairing tested on."""
    for i, trained in enumerate(pairings):
        here = accuracy[accuracy["trained_on"] == trained].set_index("tested_on").loc[list(pairings)]
        x = np.arange(len(pairings)) + (i - (len(pairings) - 1) / 2) * 0.3
        bars = [here["accuracy"] - here["ci_low"], here["ci_high"] - here["accuracy"]]
        ax.errorbar(x, here["accuracy"], bars, fmt=figure_style.MARKERS[i], color=figure_style.COLOURS[i], capsize=3)
    ax.set_xticks(range(len(pairings)), pairings)
    ax.set_xlim(-0.6, len(pairings) - 0.4)
    ax.set_xlabel("tested on")
    figure_style.chance(ax, 0.5)
    ax.grid(axis="y")


if __name__ == "__main__":
    stage.main(plot_pairing, globals().get("snakemake"))
