"""One sample at a time, made from its recipe with numpy: for looking at samples, and as the oracle of the feed.

The feed's augmentation (`feed.prepare_batch`) is written for batches in TensorFlow; here the saturation is scaled in
HSV, which defines it.
"""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from l3net.media import SAMPLE_RATE
from l3net.samples.shard_reader import Shard


@dataclass(frozen=True)
class Sample:
    """A sample without augmentation.

    Attributes
    ----------
    recipe : its row in the table of samples [dtype=SAMPLE].
    image : the crop [shape=(S, S, 3), uint8].
    sound : the second of sound [shape=(48000,), int16].
    """

    recipe: np.void
    image: np.ndarray
    sound: np.ndarray


def read_sample(shard: Shard, i: int) -> Sample:
    """Read sample `i` (a row of the table) of an open shard, without augmentation."""
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
    changes = [
        lambda pixels: _scale_saturation(pixels, float(recipe["saturation"])),
        lambda pixels: np.clip(pixels + recipe["brightness"], 0, 1),
    ]
    for change in changes if recipe["saturation_first"] else reversed(changes):
        image = change(image)
    return image, sample.sound * float(recipe["gain"]) / 32768


def _scale_saturation(image: np.ndarray, factor: float) -> np.ndarray:
    from matplotlib.colors import hsv_to_rgb, rgb_to_hsv  # only looking at samples needs it, and it loads slowly

    hsv = rgb_to_hsv(image)
    hsv[..., 1] = np.minimum(hsv[..., 1] * factor, 1)
    return hsv_to_rgb(hsv)
