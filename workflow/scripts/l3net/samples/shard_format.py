"""The tables of a shard and their conventions. docs/formats.md describes every field.

Sound is counted in samples at 48 kHz, frame times in seconds from the clip's start. Of frames a shard holds the crops
that its samples show. Clips stand in the order of the list; the samples of one clip follow each other, and every clip
has the same number of them.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from l3net.media import SAMPLE_RATE

SHARD_FORMAT = "l3net-shard"
SHARD_VERSION = 3
CLIP = np.dtype(
    [
        ("ytid", "S11"),
        ("start_seconds", "<f8"),
        ("end_seconds", "<f8"),
        ("row", "<i4"),
        ("width", "<i2"),
        ("height", "<i2"),
        ("sound_start", "<i8"),
        ("sound_length", "<i8"),
    ]
)
SAMPLE = np.dtype(
    [
        ("n", "<i8"),
        ("clip", "<i4"),
        ("frame", "<i4"),
        ("time", "<f8"),
        ("sound", "<i4"),
        ("start", "<i4"),
        ("label", "u1"),
        ("crop_y", "<i2"),
        ("crop_x", "<i2"),
        ("flip", "u1"),
        ("saturation", "<f4"),
        ("brightness", "<f4"),
        ("saturation_first", "u1"),
        ("gain", "<f4"),
    ]
)


class LeftOutClip(NamedTuple):
    """A usable clip of the part that the shard does not hold, and why; the fields are the columns of its table."""

    ytid: str
    start_seconds: float
    end_seconds: float
    reason: str


class ShardTables(NamedTuple):
    """All of a shard but its sound and its images, of which it has the lengths.

    Attributes
    ----------
    clips, samples : the tables [dtype=CLIP, dtype=SAMPLE].
    ends : where each image begins in ``images/jpeg``, and where the last one ends [shape=(n_samples + 1,)].
    labels : the labels of each clip.
    left_out : the usable clips that are not in the shard.
    n_jpeg_bytes, n_sound : lengths of ``images/jpeg`` and ``sound/pcm``.
    attributes : attributes of the file.
    """

    clips: np.ndarray
    samples: np.ndarray
    ends: np.ndarray
    labels: list[str]
    left_out: list[LeftOutClip]
    n_jpeg_bytes: int
    n_sound: int
    attributes: Mapping[str, Any]


def misfits(tables: ShardTables) -> list[str]:
    """Return the names of what does not fit the rest of a shard; none where all does.

    What is compared with settings is compared where the shard's attributes have them.
    """
    clips, rows, ends, n_clips = tables.clips, tables.samples, tables.ends, len(tables.clips)
    share = len(rows) // max(n_clips, 1)
    lengths, attributes = clips["sound_length"], tables.attributes
    points_inside = within(rows["clip"], n_clips - 1) and within(rows["sound"], n_clips - 1)
    fits = {
        "images": len(ends) == len(rows) + 1 and ends[0] == 0,
        "JPEG bytes": ends[-1] == tables.n_jpeg_bytes and not (np.diff(ends) <= 0).any(),
        "sound": lengths.sum() == tables.n_sound
        and np.array_equal(clips["sound_start"], np.cumsum(lengths) - lengths)
        and bool((lengths >= SAMPLE_RATE).all()),
        "clips of recipes": np.array_equal(rows["clip"], np.arange(len(rows)) // max(share, 1)),
        "windows of recipes": points_inside and within(rows["start"], lengths[rows["sound"]] - SAMPLE_RATE),
        "augmentations of recipes": _are_augmentations(rows),
        "table of clips": bool((clips["row"][1:] > clips["row"][:-1]).all() and (clips["ytid"] != b"").all()),
        "labels of clips": len(tables.labels) == n_clips,
        "clips left out": not {clip[:3] for clip in tables.left_out} & {_key(clip) for clip in clips},
        "counts": attributes.get("n_samples", len(rows)) == len(rows) and attributes.get("n_clips", n_clips) == n_clips,
    }
    if points_inside and "samples_per_clip" in attributes and n_clips:
        numbers = np.repeat(clips["row"].astype(np.int64) * share, share) + np.tile(np.arange(share), n_clips)
        fits["numbers of recipes"] = attributes["samples_per_clip"] == share and np.array_equal(rows["n"], numbers)
        fits["labels of recipes"] = _are_right_labels(clips, rows, attributes)
        size, seen = attributes["image_size"], clips[rows["clip"]]
        fits["crops of recipes"] = within(rows["crop_x"], seen["width"] - size) and within(
            rows["crop_y"], seen["height"] - size
        )
    return [name for name, right in fits.items() if not right]


def within(values: np.ndarray, last: np.ndarray | int) -> bool:
    """Return whether every value is from 0 to `last`."""
    return bool(((values >= 0) & (values <= last)).all())


def _are_right_labels(clips: np.ndarray, rows: np.ndarray, attributes: Mapping[str, Any]) -> bool:
    """Return whether every match hears its own clip and every mismatch another one, or, hard, its own."""
    is_own, is_match = rows["sound"] == rows["clip"], rows["label"] == 1
    is_same = is_own
    if attributes.get("recipe_version", 1) > 1:  # the first recipes drew any other clip, also one of the same video
        is_same = clips["ytid"][rows["sound"]] == clips["ytid"][rows["clip"]]
    is_hard = is_own & (float(attributes.get("hard_negatives", 0.0)) > 0)
    return bool(np.where(is_match, is_own, ~is_same | is_hard).all())


def _are_augmentations(rows: np.ndarray) -> bool:
    """Return whether the values of every recipe are of the ranges that recipes are drawn from."""
    small = np.float32(1e-4)
    flags = all(within(rows[name], 1) for name in ("label", "flip", "saturation_first"))
    ranges = {"saturation": (0.5, 1.5), "brightness": (-32 / 255, 32 / 255), "gain": (0.0, 1.1), "time": (0.0, np.inf)}
    inside = [
        ((rows[name] >= low - small) & (rows[name] <= high + small)).all() for name, (low, high) in ranges.items()
    ]
    return flags and bool(all(inside) and np.isfinite(rows["time"]).all() and (rows["frame"] >= 0).all())


def _key(clip: np.void) -> tuple[str, float, float]:
    return clip["ytid"].decode(errors="replace"), float(clip["start_seconds"]), float(clip["end_seconds"])
