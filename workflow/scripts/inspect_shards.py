"""Look at samples: a contact sheet of some of them, and whether their values are distributed as they should be."""

from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from scipy import signal

from l3net.media import SAMPLE_RATE
from l3net.runtime import atomic, stage
from l3net.samples import (
    Quantity,
    Sample,
    Shard,
    ShardIndex,
    augment_sample,
    check_distributions,
    read_sample,
    read_shard_index,
)

matplotlib.use("Agg")
from matplotlib import pyplot as plt

_ROWS, _COLUMNS = 4, 8
_BINS = 20
_LABELS = {1: "match", 0: "mismatch"}
_COLOURS = {1: "tab:blue", 0: "tab:red"}


def inspect_shards(index: Path, sheet: Path, distributions: Path, *, subset: str, seed: int) -> None:
    """Draw a contact sheet of samples as the network gets them, and test the distributions of all recipes.

    Parameters
    ----------
    index : of a split.
    sheet : PNG: crops after augmentation, each with its waveform and spectrogram; matches in blue, mismatches in red.
        A small map in the corner shows the crop in its frame. Below, how the recipes of all samples are distributed.
    distributions : CSV: one row a quantity, with its mean, its range, what is expected, and the p value of a test of it
        (`l3net.distributions`).
    subset : its name, for the title.
    seed : of the choice of samples.

    Raises
    ------
    ShardError
        An index or shard that cannot be read.
    """
    found = read_shard_index(index)
    checked = list(check_distributions(found))
    table = pd.DataFrame([asdict(row) for row in checked]).drop(columns="places")
    with atomic.replacing(distributions) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")
    with atomic.replacing(sheet) as temporary:
        title = f"{subset}: {found.n_samples} samples of {found.n_clips} clips"
        _draw(_choose(found, seed), checked, title, temporary)


@dataclass(frozen=True)
class _Choice:
    """A sample of the sheet; width and height of its frame."""

    sample: Sample
    name: str
    frame: tuple[int, int]


def _choose(found: ShardIndex, seed: int) -> list[_Choice]:
    """Return as many samples as the sheet holds, matches and mismatches in turn."""
    rng = np.random.default_rng(seed)
    chosen, seen = [], set()
    while len(chosen) < min(_ROWS * _COLUMNS, found.n_samples // 4):
        with Shard(Path(found.shards[rng.integers(len(found.shards))].path)) as shard:
            rows = np.flatnonzero(shard.samples["label"] == 1 - len(chosen) % 2)
            choice = _read_choice(shard, int(rng.choice(rows)))
        if choice.name not in seen:
            chosen.append(choice)
            seen.add(choice.name)
    return chosen


def _read_choice(shard: Shard, i: int) -> _Choice:
    sample = read_sample(shard, i)
    clip = shard.clips[sample.recipe["clip"]]
    return _Choice(sample, f"{shard.part}/{sample.recipe['n']}", (int(clip["width"]), int(clip["height"])))


def _draw(chosen: list[_Choice], checked: list[Quantity], title: str, target: Path) -> None:
    figure = plt.figure(figsize=(2.2 * _COLUMNS, 3.5 * _ROWS + 2), layout="constrained")
    figure.suptitle(
        f"{title}. Blue: frame and sound belong together; red: they do not. Waveform and spectrogram (to 12 kHz).\n"
        "Maps: the crop in its frame."
    )
    above, below = figure.subfigures(2, 1, height_ratios=(3.5 * _ROWS, 2))
    for cell, choice in zip(above.subfigures(_ROWS, _COLUMNS).ravel(), chosen, strict=False):
        _draw_sample(cell, choice)
    _draw_distributions(below, checked)
    figure.savefig(target, dpi=80, metadata={"Software": None})
    plt.close(figure)


def _draw_distributions(strip: matplotlib.figure.SubFigure, checked: list[Quantity]) -> None:
    """Draw a histogram of each quantity over its range, the level of a fair draw across it; shares as text."""
    spread = [row for row in checked if row.places is not None]
    *histograms, words = strip.subplots(1, len(spread) + 1)
    for axes, row in zip(histograms, spread, strict=True):
        axes.hist(row.places, _BINS, (0, 1), color="tab:grey")
        axes.axhline(row.n / _BINS, color="black", linewidth=1)
        test = "" if np.isnan(row.p) else f"  p = {row.p:.2g}"
        axes.set_title(f"{row.quantity}{test}", fontsize=8)
        axes.set(xlim=(0, 1), xticks=[], yticks=[], xlabel=f"{_short(row.min)} to {_short(row.max)}")
    shares = [row for row in checked if row.places is None and row.quantity != "clips_used"]
    lines = [f"{row.quantity}: {row.mean:.3f}  p = {row.p:.2g}" for row in shares]
    lines += [f"clips used: {row.mean:.0f} of {row.n}" for row in checked if row.quantity == "clips_used"]
    words.text(0, 0.5, "\n".join(lines), fontsize=8, va="center", linespacing=1.8)
    words.axis("off")


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _draw_sample(cell: matplotlib.figure.SubFigure, choice: _Choice) -> None:
    image, sound = augment_sample(choice.sample)
    label = int(choice.sample.recipe["label"])
    picture, wave, spectrum = cell.subplots(3, 1, height_ratios=(4, 1, 2))
    picture.imshow(image)
    picture.set_title(f"{choice.name} {_LABELS[label]}", fontsize=8, color=_COLOURS[label])
    _draw_map(picture.inset_axes((0.02, 0.02, 0.3, 0.2), anchor="SW"), choice, _COLOURS[label])
    shown = sound[: sound.size // 400 * 400].reshape(-1, 400)
    wave.fill_between(np.arange(len(shown)), shown.min(1), shown.max(1), color=_COLOURS[label], linewidth=0)
    wave.set(ylim=(-1, 1), xlim=(0, len(shown)))
    power = signal.spectrogram(sound, SAMPLE_RATE, nperseg=1024, noverlap=512)[2][:256]
    decibels = 10 * np.log10(np.maximum(power, 1e-14))
    spectrum.imshow(decibels, origin="lower", aspect="auto", vmin=decibels.max() - 80, cmap="magma")
    for axes in (picture, wave, spectrum):
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(color=_COLOURS[label], linewidth=1.5)


def _draw_map(axes: plt.Axes, choice: _Choice, colour: str) -> None:
    """Draw the frame and the crop in it."""
    (width, height), recipe, size = choice.frame, choice.sample.recipe, len(choice.sample.image)
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal", xticks=[], yticks=[], facecolor="black")
    crop = (int(recipe["crop_x"]), int(recipe["crop_y"]))
    axes.add_patch(plt.Rectangle(crop, size, size, facecolor="grey", edgecolor=colour, linewidth=1.5))
    axes.spines[:].set(color="white", linewidth=0.8)


if __name__ == "__main__":
    stage.main(inspect_shards, globals().get("snakemake"))
