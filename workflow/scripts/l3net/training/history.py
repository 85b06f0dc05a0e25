"""What others can watch while a training runs: the table of its epochs as CSV, and TensorBoard's scalars."""

from dataclasses import asdict
from pathlib import Path

import tensorflow as tf

from l3net.files import atomic
from l3net.training.checkpoint import Checkpoint, history_csv
from l3net.training.metrics import EpochMetrics


def publish_epoch(folder: Path, checkpoint: Checkpoint, metrics: EpochMetrics) -> None:
    """Write ``history.csv`` of all epochs so far, and add the latest to the scalars in ``tensorboard/``.

    Parameters
    ----------
    folder : folder of the leg's state.
    checkpoint : the record of all epochs so far.
    metrics : the numbers of the latest.
    """
    atomic.write_text(folder / "history.csv", history_csv(checkpoint))
    with tf.summary.create_file_writer(str(folder / "tensorboard")).as_default(step=metrics.epoch):
        for name, value in asdict(metrics).items():
            tf.summary.scalar(name, value)
