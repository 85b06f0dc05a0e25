"""Writes the gradients of one contrastive step at one global batch, in float64; a test compares them over devices.

    python -m tests.stages.device_gradients DATA DEVICES TARGET

DEVICES logical CPU devices, or 0 for the processes that SLURM's variables tell of. A step of plain gradient descent at
a rate of 1 moves each weight by its gradient.
"""

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from l3net.devices.strategies import open_strategy
from l3net.feed.augment import prepare_batch
from l3net.feed.pipeline import open_feed
from l3net.models.l3 import build_l3
from l3net.training.step import training_step
from tests.stages.device_curves import in_float64

BATCH = 8


def main(data: Path, devices: int, target: Path) -> None:
    """Make one step on `data` and write by how much each weight moved."""
    if devices > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * devices)
    strategy = open_strategy({0: "multi_worker", 1: "single"}.get(devices, "mirrored"))
    in_float64()
    with strategy.scope():
        size = {"image_size": 32, "width": 1 / 16, "hop_length": 1936}
        model = build_l3("mel128", **size, synchronised_batch_norm=True, objective="contrastive")
        optimizer = keras.optimizers.SGD(1.0)
        optimizer.build(model.trainable_variables)
    options = {"objective": "contrastive", "batch_size": BATCH, "augment": True, "xla": False}
    update = training_step(model, optimizer, strategy, prepare_batch, **options)
    before = [np.asarray(variable) for variable in model.trainable_variables]
    order = {"batch_size": BATCH, "epoch": 0, "seed": 0, "workers": 0, "batches": 1}
    for batch in open_feed(data / "train.json", place=strategy.experimental_distribute_dataset, **order):
        loss = float(update(batch)[0])
    moved = {v.path: old - np.asarray(v) for v, old in zip(model.trainable_variables, before, strict=True)}
    np.savez(target, loss=loss, replicas=strategy.num_replicas_in_sync, **moved)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
