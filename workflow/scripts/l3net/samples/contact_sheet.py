"""A sheet of samples as the network gets them, above histograms of how all recipes of a split are distributed."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Rectangle
from scipy import signal

from l3net.media import SAMPLE_RATE
from l3net.samples.distributions import Quantity
from l3net.samples.sample import Sample, augment_sample, read_sample
from l3net.samples.shard_index import ShardIndex
from l3net.samples.shard_reader import Shard

_ROWS, _COLUMNS = 4, 8
_BINS = 20
_LABELS = {1: "match", 0: "mismatch"}
_COLOURS = {1: "tab:blue", 0: "tab:red"}
_MARK = {"size": 13, "color": "#D55E00", "weight": "bold", "ha": "center", "va": "top"}
# How the quantities of recipes are called, with their units.
_NAMES = {
    "label": "share of matches",
    "flip": "share of mirrored images",
    "saturation_first": "saturation before brightness",
    "crop_y": "crop from top (pixels)",
    "crop_x": "crop from left (pixels)",
    "start": "window's start (at 48 kHz)",
    "saturation": "saturation (factor)",
    "brightness": "brightness (added)",
    "gain": "gain of sound (factor)",
    "frame_minus_start": "frame after start (s)",
    "frame_minus_start_of_mismatches": "the same of mismatches (mean)",
}


@dataclass(frozen=True)
class _ChosenSample:
    """A sample of the sheet with its name; width and height are of the scaled frame, in pixels."""

    sample: Sample
    name: str
    frame_width: int
    frame_height: int


def draw_contact_sheet(
    index: ShardIndex, quantities: list[Quantity], target: Path, *, subset: str, seed: int, synthetic: bool = False
) -> None:
    """Draw the sheet as PNG.

    Each crop stands above its waveform and spectrogram after augmentation, matches in blue and mismatches in red; a
    small map in the corner shows the crop in its frame.

    Parameters
    ----------
    index : the split whose samples are shown.
    quantities : how the recipes of all its samples are distributed.
    target : the file to write, normally a temporary name.
    subset : name of the subset, for the title.
    seed : seed of the choice of samples.
    synthetic : say above the sheet that its data is synthetic.

    Raises
    ------
    ShardError
        A shard cannot be read.
    """
    figure = Figure(figsize=(2.2 * _COLUMNS, 3.5 * _ROWS + 2), layout="constrained")
    figure.suptitle(
        "\n" * synthetic + f"{subset}: {index.n_samples} samples of {index.n_clips} clips. "
        "Match (blue): frame and sound belong together; mismatch (red): they do not. Below each frame: waveform, "
        "spectrogram to 12 kHz.\n"
        "Numbers: part / sample. Small map: the crop in its frame. Last row: values of all recipes, the level of a "
        "fair draw, and p of a test of it."
    )
    if synthetic:
        figure.text(0.5, 0.997, "SYNTHETIC DATA", **_MARK)  # in the line that the title leaves free
    above, below = figure.subfigures(2, 1, height_ratios=(3.5 * _ROWS, 2))
    for cell, chosen in zip(above.subfigures(_ROWS, _COLUMNS).ravel(), _choose_samples(index, seed), strict=False):
        _draw_sample(cell, chosen)
    _draw_distributions(below, quantities)
    figure.savefig(target, dpi=80, metadata={"Software": None})


def _choose_samples(index: ShardIndex, seed: int) -> list[_ChosenSample]:
    """Read as many samples as the sheet holds, matches and mismatches in turn."""
    rng = np.random.default_rng(seed)
    chosen, names = [], set()
    while len(chosen) < min(_ROWS * _COLUMNS, index.n_samples // 4):
        with Shard(Path(index.shards[rng.integers(len(index.shards))].path)) as shard:
            rows = np.flatnonzero(shard.samples["label"] == 1 - len(chosen) % 2)
            candidate = _read_chosen(shard, int(rng.choice(rows)))
        if candidate.name not in names:
            chosen.append(candidate)
            names.add(candidate.name)
    return chosen


def _read_chosen(shard: Shard, i: int) -> _ChosenSample:
    sample = read_sample(shard, i)
    clip = shard.clips[sample.recipe["clip"]]
    return _ChosenSample(sample, f"{shard.part}/{sample.recipe['n']}", int(clip["width"]), int(clip["height"]))


def _draw_sample(cell: SubFigure, chosen: _ChosenSample) -> None:
    image, sound = augment_sample(chosen.sample)
    label = int(chosen.sample.recipe["label"])
    picture, wave, spectrum = cell.subplots(3, 1, height_ratios=(4, 1, 2))
    picture.imshow(image)
    picture.set_title(f"{chosen.name} {_LABELS[label]}", fontsize=8, color=_COLOURS[label])
    _draw_map(picture.inset_axes((0.02, 0.02, 0.3, 0.2), anchor="SW"), chosen, _COLOURS[label])
    shown = sound[: sound.size // 400 * 400].reshape(-1, 400)
    wave.fill_between(np.arange(len(shown)), shown.min(1), shown.max(1), color=_COLOURS[label], linewidth=0)
    wave.set(ylim=(-1, 1), xlim=(0, len(shown)))
    power = signal.spectrogram(sound, SAMPLE_RATE, nperseg=1024, noverlap=512)[2][:256]
    decibels = 10 * np.log10(np.maximum(power, 1e-14))
    spectrum.imshow(decibels, origin="lower", aspect="auto", vmin=decibels.max() - 80, cmap="magma")
    for axes in (picture, wave, spectrum):
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(color=_COLOURS[label], linewidth=1.5)


def _draw_map(axes: Axes, chosen: _ChosenSample, colour: str) -> None:
    """Draw the outline of the frame and the crop in it."""
    recipe, size = chosen.sample.recipe, len(chosen.sample.image)
    limits = {"xlim": (0, chosen.frame_width), "ylim": (chosen.frame_height, 0)}
    axes.set(**limits, aspect="equal", xticks=[], yticks=[], facecolor="black")
    corner = (int(recipe["crop_x"]), int(recipe["crop_y"]))
    axes.add_patch(Rectangle(corner, size, size, facecolor="grey", edgecolor=colour, linewidth=1.5))
    axes.spines[:].set(color="white", linewidth=0.8)


def _draw_distributions(strip: SubFigure, quantities: list[Quantity]) -> None:
    """Draw a histogram of each quantity over its range with the level of a fair draw; write shares as text."""
    spread = [row for row in quantities if row.places is not None]
    *histograms, words = strip.subplots(1, len(spread) + 1)
    for axes, row in zip(histograms, spread, strict=True):
        axes.hist(row.places, _BINS, (0, 1), color="tab:grey")
        axes.axhline(row.n / _BINS, color="black", linewidth=1)
        test = "" if np.isnan(row.p) else f"p = {row.p:.2g}"
        axes.set_title(f"{_NAMES.get(row.quantity, row.quantity)}\n{test}", fontsize=8)
        axes.set(xlim=(0, 1), xticks=[], yticks=[], xlabel=f"{_short(row.min)} to {_short(row.max)}")
    shares = [row for row in quantities if row.places is None and row.quantity != "clips_used"]
    lines = [f"{_NAMES.get(row.quantity, row.quantity)}: {row.mean:.3f}  p = {row.p:.2g}" for row in shares]
    lines += [f"clips used: {row.mean:.0f} of {row.n}" for row in quantities if row.quantity == "clips_used"]
    words.text(0, 0.5, "\n".join(lines), fontsize=8, va="center", linespacing=1.8)
    words.axis("off")


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
