"""One sample at a time, re-made from its recipe with numpy: for looking at samples, and as the oracle of the feed.

The feed's augmentation (`feed.prepare`) is written for batches in TensorFlow; here the saturation takes the detour over
HSV that defines it.
"""

import io
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import hsv_to_rgb, rgb_to_hsv
from PIL import Image

from l3net.media import SAMPLE_RATE
from l3net.samples.shard_reader import Shard


@dataclass(frozen=True)
class Sample:
    """One sample: its recipe, the image [shape=(S, S, 3), uint8], the second of sound [shape=(48000,), int16]."""

    recipe: np.void
    image: np.ndarray
    sound: np.ndarray


def read_sample(shard: Shard, i: int) -> Sample:
    """Return sample `i` (row of the table) of an open shard, without augmentation."""
    recipe = shard.samples[i]
    image = np.asarray(Image.open(io.BytesIO(shard.image(i).data)).convert("RGB"))
    sound = np.empty(SAMPLE_RATE, np.int16)
    shard.window(int(recipe["sound"]), int(recipe["start"]), sound)
    return Sample(recipe, image, sound)


def augment_sample(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """Return the image [float, 0 to 1] and the sound [float, -1 to 1) as the sample's recipe changes them."""
    recipe = sample.recipe
    image = sample.image[:, ::-1] if recipe["flip"] else sample.image
    image = image / 255.0
    steps = [lambda x: _saturate(x, float(recipe["saturation"])), lambda x: np.clip(x + recipe["brightness"], 0, 1)]
    for step in steps if recipe["saturation_first"] else reversed(steps):
        image = step(image)
    return image, sample.sound * float(recipe["gain"]) / 32768


def _saturate(image: np.ndarray, factor: float) -> np.ndarray:
    hsv = rgb_to_hsv(image)
    hsv[..., 1] = np.minimum(hsv[..., 1] * factor, 1)
    return hsv_to_rgb(hsv)
