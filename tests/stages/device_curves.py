"""Prints the losses of 20 steps at one global batch, as JSON; a test compares them over ways to spread the batch.

    python -m tests.stages.device_curves DATA STRATEGY

With STRATEGY mirrored, over two logical CPU devices; multi_worker, over the processes that SLURM's variables tell of.
"""

import json
import sys
from pathlib import Path

import tensorflow as tf

from l3net import devices, feed, networks, steps

BATCH, STEPS = 8, 20
# The paper's. At ten times it two devices differ by up to 2.6e-4 within 20 steps (docs/training.md).
RATE = 1e-5


def main(data: Path, name: str) -> None:
    """Train on `data` and print the losses."""
    if name == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = devices.open_strategy(name)
    with strategy.scope():
        model = networks.build_l3(
            "mel128",
            image_size=32,
            width=1 / 16,
            hop_length=1936,
            batch_norm_momentum=0.9,
            synchronised_batch_norm=True,
        )
        optimizer = steps.make_optimizer(model, steps.LearningRate(RATE), "float32")
    update = steps.training_step(model, optimizer, strategy, feed.prepare, batch_size=BATCH, augment=True, xla=False)
    batches = feed.open_feed(data / "train.json", batch_size=BATCH, epoch=0, seed=0, workers=0, batches=STEPS)
    losses = [float(update(batch)[0]) / BATCH for batch in strategy.experimental_distribute_dataset(batches)]
    print(json.dumps({"replicas": strategy.num_replicas_in_sync, "losses": losses}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
