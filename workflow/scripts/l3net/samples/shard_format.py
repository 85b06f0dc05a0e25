"""The tables of a shard and their conventions. docs/formats.md describes every field.

Sound is counted in samples at 48 kHz, frame times in seconds from the clip's start. Of frames a shard holds the crops
that its samples show. Clips stand in the order of the list; the samples of one clip follow each other, and every clip
has the same number of them.
"""

from typing import NamedTuple

import numpy as np

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
