"""What others can watch of a training: the table of its epochs as CSV, and TensorBoard's scalars."""

from dataclasses import asdict, fields
from pathlib import Path

from l3net.runtime import atomic
from l3net.training.checkpoint import Checkpoint
from l3net.training.metrics import EpochMetrics

COLUMNS = tuple(field.name for field in fields(EpochMetrics))


def history_csv(checkpoint: Checkpoint) -> str:
    """Return the epochs of a checkpoint as CSV, a line for each, with the columns `COLUMNS`."""
    table = {**checkpoint.history, **checkpoint.timings}
    rows = zip(*(table[column] for column in COLUMNS), strict=True)
    return "\n".join([",".join(COLUMNS), *(",".join(f"{value:.10g}" for value in row) for row in rows)]) + "\n"


def publish_epoch(folder: Path, checkpoint: Checkpoint, metrics: EpochMetrics) -> None:
    """Write ``history.csv`` of all epochs so far, and add the latest to the scalars in ``tensorboard/``.

    Parameters
    ----------
    folder : folder of the leg's state.
    checkpoint : the record of all epochs so far.
    metrics : the numbers of the latest.
    """
    import tensorflow as tf

    atomic.write_text(folder / "history.csv", history_csv(checkpoint))
    with tf.summary.create_file_writer(str(folder / "tensorboard")).as_default(step=metrics.epoch):
        for name, value in asdict(metrics).items():
            tf.summary.scalar(name, value)
