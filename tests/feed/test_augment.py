"""The augmentation of batches against that of one sample at a time."""

import numpy as np

from l3net.feed.augment import prepare_batch
from l3net.samples.sample import Sample, augment_sample


def test_augmentation_on_every_colour_equals_the_oracle() -> None:
    rng = np.random.default_rng(0)
    n = 12
    colours = rng.integers(0, 256, (n, 40, 40, 3)).astype(np.uint8)
    colours[:, :4] = colours[:, :4, :, :1]  # greys
    batch = {
        "image": colours,
        "audio": np.zeros((n, 4), np.int16),
        "label": np.zeros(n, np.int32),
        "flip": np.arange(n) % 2 == 0,
        "saturation": np.linspace(0.5, 1.5, n).astype(np.float32),
        "brightness": np.linspace(-32 / 255, 32 / 255, n)[::-1].astype(np.float32),
        "saturation_first": np.arange(n) % 3 == 0,
        "gain": np.ones(n, np.float32),
    }
    image = prepare_batch(batch, True)[0].numpy()
    for i in range(n):
        names = ("flip", "saturation", "brightness", "saturation_first", "gain")
        recipe = {name: batch[name][i] for name in names}
        expected, _ = augment_sample(Sample(recipe, colours[i], batch["audio"][i]))
        assert np.abs((image[i] + 1) * 127.5 - expected * 255).max() < 0.01
    plain = prepare_batch(batch, False)[0].numpy()
    assert np.allclose((plain + 1) * 127.5, colours, atol=1e-4)
