"""Prints the losses of 20 steps at one global batch, as JSON; a test compares them over ways to spread the batch.

    python -m tests.stages.device_curves DATA STRATEGY PRECISION RATE

With STRATEGY mirrored, over two logical CPU devices; multi_worker, over the processes that SLURM's variables tell of;
compiled, on one device with the whole step compiled by XLA; leg and compiled_leg, on one device with the batch norms
that a leg takes without XLA and with it.
PRECISION float32 is what is trained with; float64, of spectrograms and all layers, tells what is wrong from what is
rounded, as Adam makes large steps of small differences.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import tensorflow as tf

from l3net.devices.strategies import open_strategy
from l3net.devices.switches import set_switches
from l3net.feed.augment import prepare_batch
from l3net.feed.pipeline import open_feed
from l3net.models import l3, spectrogram
from l3net.models.l3 import build_l3
from l3net.models.spectrogram import Spectrogram
from l3net.training.batch_norm import batch_norm_for
from l3net.training.optimizer import LearningRate, make_optimizer
from l3net.training.step import training_step

BATCH, STEPS = 8, 20


def main(data: Path, name: str, precision: str, rate: float) -> None:
    """Train on `data` and print the losses."""
    if name == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    xla, is_leg = name.startswith("compiled"), name.endswith("leg")
    strategy = open_strategy("single" if xla or is_leg else name)
    set_switches(tf32=True, deterministic=False, xla=xla)
    make = in_float64() if precision == "float64" else make_optimizer
    with strategy.scope():
        model = build_l3(
            "mel128",
            image_size=32,
            width=1 / 16,
            hop_length=1936,
            batch_norm_momentum=0.9,
            synchronised_batch_norm=not is_leg,
            **({"batch_norm": batch_norm_for(xla)} if is_leg else {}),
        )
        optimizer = make(model, LearningRate(rate), "float32")
    update = training_step(model, optimizer, strategy, prepare_batch, batch_size=BATCH, augment=True, xla=xla)
    order = {"batch_size": BATCH, "epoch": 0, "seed": 0, "workers": 0, "batches": STEPS}
    batches = open_feed(data / "train.json", place=strategy.experimental_distribute_dataset, **order)
    losses = [float(update(batch)[0]) / BATCH for batch in batches]
    print(json.dumps({"replicas": strategy.num_replicas_in_sync, "losses": losses}))


def in_float64():
    """Let every layer of this process compute in float64; return what makes an optimizer that does (Keras' own)."""
    keras.config.set_floatx("float64")
    transform, wide = Spectrogram.transform, SimpleNamespace(**vars(keras.ops))
    wide.cast = lambda values, dtype: keras.ops.cast(values, "float64" if dtype == "float32" else dtype)
    spectrogram.ops, Spectrogram.transform = wide, lambda self, sound, dtype: transform(self, sound, "float64")
    l3._Layers.__call__ = lambda self, kind, *args, name, dtype=None, **options: kind(
        *args, name=name, dtype="float64", **options
    )

    def make(model, rate, precision):
        optimizer = keras.optimizers.Adam(rate)
        optimizer.build(model.trainable_variables)
        return optimizer

    return make


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4]))
