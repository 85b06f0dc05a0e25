"""The largest batch of which a step of training fits the memory of this machine's first GPU.

As a command it prints JSON: ``python -m l3net.training.largest_batch --precision mixed_bfloat16``.
"""

import argparse
import json
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from l3net.devices import open_strategy
from l3net.feed import prepare_batch
from l3net.media import SAMPLE_RATE
from l3net.models import build_l3
from l3net.training.batch_norm import FusedBatchNormalization
from l3net.training.optimizer import LearningRate, make_optimizer
from l3net.training.step import training_step

_MOST = 4096


def largest_batch(fits: Callable[[int], bool], most: int = _MOST) -> int:
    """Return the largest power of two, up to `most`, of which ``fits(n)`` is true; 0 where not even 1 does."""
    largest, n = 0, 1
    while n <= most and fits(n):
        largest, n = n, 2 * n
    return largest


def step_fits(batch_size: int, *, front_end: str, image_size: int, width: float, precision: str) -> bool:
    """Make two steps, since the second holds what the first has left, and return whether memory was enough."""
    try:
        model = build_l3(
            front_end, image_size=image_size, width=width, precision=precision, batch_norm=FusedBatchNormalization
        )
        optimizer = make_optimizer(model, LearningRate(1e-5), precision)
        update = training_step(
            model, optimizer, open_strategy("single"), prepare_batch, batch_size=batch_size, augment=True, xla=False
        )
        for _ in range(2):
            float(update(_batch(batch_size, image_size))[0])
    except (tf.errors.ResourceExhaustedError, MemoryError):
        return False
    finally:
        keras.utils.clear_session(free_memory=True)
    return True


def _batch(n: int, size: int) -> dict[str, tf.Tensor]:
    """Return a batch of noise in the shape in which the feed hands it over."""
    rng = np.random.default_rng(0)
    return {
        "image": tf.constant(rng.integers(0, 256, (n, size, size, 3), np.uint8)),
        "audio": tf.constant(rng.integers(-(2**15), 2**15, (n, SAMPLE_RATE), np.int16)),
        "label": tf.constant(rng.integers(0, 2, n, np.int32)),
        **{name: tf.ones(n) for name in ("gain", "saturation", "brightness")},
        **{name: tf.zeros(n, bool) for name in ("flip", "saturation_first")},
        "sample_id": tf.constant(["noise"] * n),
    }


def main() -> None:
    """Try batches of doubling size, and print the largest that fits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--front-end", default="mel256")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--precision", default="mixed_bfloat16")
    network = vars(parser.parse_args())
    found = {"has_gpu": bool(tf.config.list_physical_devices("GPU")), "largest": 0, "memory": 0.0}
    if found["has_gpu"]:
        found["largest"] = largest_batch(lambda n: step_fits(n, **network))
        found["memory"] = tf.config.experimental.get_memory_info("GPU:0")["peak"] / 1e9
    found["network"] = f"{network['front_end']}, {network['image_size']} pixels, width {network['width']:g}"
    print(json.dumps(found | {"network": f"{found['network']}, {network['precision']}"}))


if __name__ == "__main__":
    main()
