"""Look at samples: a contact sheet of some of them, and whether their values are distributed as they should be."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from PIL import Image
from scipy import signal, stats

from l3net import files, samples, shard_format, shard_index, shards, stage

matplotlib.use("Agg")
from matplotlib import pyplot as plt

_ROWS, _COLUMNS = 4, 8
_BINS = 10
_LABELS = {1: "match", 0: "mismatch"}
_COLOURS = {1: "tab:blue", 0: "tab:red"}


def inspect_shards(index: Path, sheet: Path, distributions: Path, *, subset: str, seed: int) -> None:
    """Draw a contact sheet of samples as the network gets them, and test the distributions of all recipes.

    Parameters
    ----------
    index : of a split.
    sheet : PNG: crops after augmentation, each with its waveform and spectrogram; matches in blue, mismatches in red.
        A small map in the corner shows the crop in its frame, and how much of the frame is stored.
    distributions : CSV: one row a quantity, with its mean, its range, what is expected, and the p value of a test of it
        (chi-squared over ten equal bins, binomial for yes or no). A fair draw falls below 0.01 once in a hundred.
    subset : its name, for the title.
    seed : of the choice of samples.

    Raises
    ------
    ShardError
        An index or shard that cannot be read.
    """
    found = shard_index.read(index)
    table = pd.DataFrame(list(_quantities(found)), columns=["quantity", "n", "mean", "min", "max", "expected", "p"])
    with files.replacing(distributions) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")
    with files.replacing(sheet) as temporary:
        _draw(_choose(found, seed), f"{subset}: {found.n_samples} samples of {found.n_clips} clips", temporary)


def _quantities(found: shard_index.ShardIndex) -> Iterator[tuple]:
    """Yield a row of the table for each quantity."""
    recipes, clips, frame_places, used = _read_tables(found)
    size = found.image_size
    for name, expected in (("label", "yes in half"), ("flip", "yes in half"), ("saturation_first", "yes in half")):
        yes = int(recipes[name].sum())
        yield name, len(recipes), yes / len(recipes), 0, 1, expected, stats.binomtest(yes, len(recipes)).pvalue
    room_y, room_x = clips["height"] - size, clips["width"] - size
    length = clips["sound_length"] - shard_format.SAMPLE_RATE
    yield _uniform("crop_y", recipes["crop_y"], room_y[recipes["clip"]])
    yield _uniform("crop_x", recipes["crop_x"], room_x[recipes["clip"]])
    yield _uniform("start", recipes["start"], length[recipes["sound"]])
    yield _flat("saturation", recipes["saturation"], 0.5, 1.5)
    yield _flat("brightness", recipes["brightness"], -32 / 255, 32 / 255)
    yield _flat("gain", recipes["gain"], 0.9, 1.1, note=", lower where the sound would clip")
    inside = frame_places[recipes["label"] == 1]
    yield (
        "frame_minus_start",
        len(inside),
        inside.mean(),
        inside.min(),
        inside.max(),
        "of matches: 0 to below 1 s",
        np.nan,
    )
    yield "clips_used", found.n_clips, used, used, used, "every clip, as picture and as sound", np.nan


def _read_tables(found: shard_index.ShardIndex) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Return what the quantities are made of.

    Returns
    -------
    All recipes (clips counted over all shards, crops over the whole frame); all clips; each sample's frame time minus
    its window's start in seconds; how many clips give both a frame and a sound.
    """
    recipes, clips, offsets, n = [], [], [], 0
    for entry in found.shards:
        with shards.Shard(Path(entry.path)) as shard:
            rows = shard.samples[:]
            offsets.append(shard.frame_times()[rows["frame"]] - rows["start"] / shard_format.SAMPLE_RATE)
            origins = shard.frame_origins()[rows["frame"]]
            rows["crop_y"] += origins[:, 0]
            rows["crop_x"] += origins[:, 1]
            rows["clip"] += n
            rows["sound"] += n
            recipes.append(rows)
            clips.append(shard.clips)
            n += shard.n_clips
    everything = np.concatenate(recipes)
    used = len(np.intersect1d(everything["clip"], everything["sound"]))
    return everything, np.concatenate(clips), np.concatenate(offsets), used


def _uniform(name: str, values: np.ndarray, last: np.ndarray) -> tuple:
    """Return the row of an integer drawn from 0 to `last`, of which each sample has its own."""
    within = np.random.default_rng(0).random(len(values))  # spreads the integers, so that every bin is as likely
    p = _chi_squared((values + within) / (last + 1.0))
    return name, len(values), values.mean(), values.min(), values.max(), "uniform over the room of each clip", p


def _flat(name: str, values: np.ndarray, low: float, high: float, note: str = "") -> tuple:
    expected = f"uniform from {low:.4g} to {high:.4g}{note}"
    p = _chi_squared((values - low) / (high - low)) if not note else np.nan
    return name, len(values), values.mean(), values.min(), values.max(), expected, p


def _chi_squared(places: np.ndarray) -> float:
    return float(stats.chisquare(np.histogram(places, _BINS, (0, 1))[0]).pvalue)


@dataclass(frozen=True)
class _Choice:
    """A sample of the sheet; width and height of its frame; place (x, y) and size of what is stored of that."""

    sample: samples.Sample
    name: str
    frame: tuple[int, int]
    origin: tuple[int, int]
    piece: tuple[int, int]


def _choose(found: shard_index.ShardIndex, seed: int) -> list[_Choice]:
    """Return as many samples as the sheet holds, matches and mismatches in turn."""
    rng = np.random.default_rng(seed)
    chosen, seen = [], set()
    while len(chosen) < min(_ROWS * _COLUMNS, found.n_samples // 4):
        with shards.Shard(Path(found.shards[rng.integers(len(found.shards))].path)) as shard:
            rows = np.flatnonzero(shard.samples["label"] == 1 - len(chosen) % 2)
            choice = _read_choice(shard, int(rng.choice(rows)))
        if choice.name not in seen:
            chosen.append(choice)
            seen.add(choice.name)
    return chosen


def _read_choice(shard: shards.Shard, i: int) -> _Choice:
    sample = samples.read(shard, i)
    clip, frame = shard.clips[sample.recipe["clip"]], int(sample.recipe["frame"])
    y, x = shard.frame_origins()[frame]
    piece = Image.open(io.BytesIO(shard.frame(frame))).size
    name = f"{shard.attributes['part']}/{sample.recipe['n']}"
    return _Choice(sample, name, (int(clip["width"]), int(clip["height"])), (int(x), int(y)), piece)


def _draw(chosen: list[_Choice], title: str, target: Path) -> None:
    figure = plt.figure(figsize=(2.2 * _COLUMNS, 3.5 * _ROWS), layout="constrained")
    figure.suptitle(
        f"{title}. Blue: frame and sound belong together; red: they do not. Waveform and spectrogram (to 12 kHz).\n"
        "Maps: the whole frame, what is stored of it (grey), the crop (outlined)."
    )
    cells = figure.subfigures(_ROWS, _COLUMNS).ravel()
    for cell, choice in zip(cells, chosen, strict=False):
        _draw_sample(cell, choice)
    figure.savefig(target, dpi=80, metadata={"Software": None})
    plt.close(figure)


def _draw_sample(cell: matplotlib.figure.SubFigure, choice: _Choice) -> None:
    image, sound = samples.augment(choice.sample)
    label = int(choice.sample.recipe["label"])
    picture, wave, spectrum = cell.subplots(3, 1, height_ratios=(4, 1, 2))
    picture.imshow(image)
    picture.set_title(f"{choice.name} {_LABELS[label]}", fontsize=8, color=_COLOURS[label])
    _draw_map(picture.inset_axes((0.02, 0.02, 0.3, 0.2), anchor="SW"), choice, _COLOURS[label])
    shown = sound[: sound.size // 400 * 400].reshape(-1, 400)
    wave.fill_between(np.arange(len(shown)), shown.min(1), shown.max(1), color=_COLOURS[label], linewidth=0)
    wave.set(ylim=(-1, 1), xlim=(0, len(shown)))
    power = signal.spectrogram(sound, shard_format.SAMPLE_RATE, nperseg=1024, noverlap=512)[2][:256]
    decibels = 10 * np.log10(np.maximum(power, 1e-14))
    spectrum.imshow(decibels, origin="lower", aspect="auto", vmin=decibels.max() - 80, cmap="magma")
    for axes in (picture, wave, spectrum):
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(color=_COLOURS[label], linewidth=1.5)


def _draw_map(axes: plt.Axes, choice: _Choice, colour: str) -> None:
    """Draw the frame, the piece of it that is stored, and the crop."""
    width, height = choice.frame
    (x, y), recipe, size = choice.origin, choice.sample.recipe, len(choice.sample.image)
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal", xticks=[], yticks=[], facecolor="black")
    axes.add_patch(plt.Rectangle((x, y), *choice.piece, facecolor="grey"))
    crop = (x + int(recipe["crop_x"]), y + int(recipe["crop_y"]))
    axes.add_patch(plt.Rectangle(crop, size, size, fill=False, edgecolor=colour, linewidth=1.5))
    axes.spines[:].set(color="white", linewidth=0.8)


if __name__ == "__main__":
    stage.main(inspect_shards, globals().get("snakemake"))
