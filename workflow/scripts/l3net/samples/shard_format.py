"""The layout of a shard: version, tables, conventions. docs/formats.md describes every field.

Sound in samples at 48 kHz; frame times in seconds from the clip's start; of frames, the crops that samples show;
clips in the order of the list, their samples one after another, as many of every clip.
"""

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
LEFT_OUT = ("ytid", "start_seconds", "end_seconds", "reason")
