"""The clock of a training, and what others can watch while it runs.

The clock knows how long steps take, how much of that is waiting for data, and when to save the state. To be watched are
a line an epoch in the log, the table of the epochs as CSV, and TensorBoard's scalars.
"""

import itertools
import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tensorflow as tf

from l3net.files import atomic
from l3net.runtime import ON_SCREEN, duration
from l3net.training.checkpoint import Checkpoint, history_csv
from l3net.training.metrics import EpochCounts, EpochMetrics

_SECONDS_BETWEEN_EPOCHS = 15.0  # that are told on the screen
_log = logging.getLogger("l3net")


class StepClock:
    """Times the steps of a process.

    The first step traces and compiles, so it counts for the seconds of its epoch and not for the images a second; of
    steps that are made several at a time, so does the first time of each number.
    """

    def __init__(self) -> None:
        self._warm: set[int] = set()
        self._step_began = self._saved_at = time.monotonic()
        self._waited = 0.0
        self._told_at = time.monotonic() - _SECONDS_BETWEEN_EPOCHS

    def batches(self, batches: Iterable[Any], n: int = 1) -> Iterator[list[Any]]:
        """Yield the batches, `n` at a time and at the end those left, and note how long they were waited for."""
        iterator = iter(batches)
        while True:
            began = time.perf_counter()
            some = list(itertools.islice(iterator, n))
            if not some:
                return
            self._waited = time.perf_counter() - began
            yield some

    def start_step(self) -> None:
        """Begin the time of the next step now; each further step begins where the one before it ends."""
        self._step_began = time.perf_counter()

    def end_steps(self, counts: EpochCounts, n: int) -> None:
        """Add the time of the `n` steps that end now to the counts of their epoch."""
        now = time.perf_counter()
        seconds, self._step_began = now - self._step_began, now
        counts.seconds += seconds
        if n in self._warm:
            counts.step_seconds += seconds
            counts.waiting += self._waited
            counts.steps += n
        else:
            what = "first step" if n == 1 else f"first {n} steps at a time"
            _log.info("%s: %.1f s (tracing, compiling)", what, seconds)
            self._warm.add(n)

    def note_save(self) -> None:
        """Note that the state has been saved now."""
        self._saved_at = time.monotonic()

    def seconds_since_save(self) -> float:
        """Return the seconds since the state was saved, or since the clock was made."""
        return time.monotonic() - self._saved_at

    def tell_epoch(self, epoch: int, last: int, metrics: EpochMetrics) -> None:
        """Tell in the log how an epoch went, and on the screen how the leg gets on.

        There stand the leg's last epoch, and of the others those that come some seconds apart.
        """
        _log.info(
            "epoch %(epoch)d: loss %(loss).4f accuracy %(accuracy).4f val_loss %(val_loss).4f "
            "val_accuracy %(val_accuracy).4f, %(images_per_second).1f images/s, waiting %(waiting_percent).0f %%",
            asdict(metrics) | {"waiting_percent": 100 * metrics.waiting_share},
        )
        now = time.monotonic()
        if epoch < last and now - self._told_at < _SECONDS_BETWEEN_EPOCHS:
            return
        self._told_at = now
        left = f", {duration((last - epoch) * metrics.seconds)} left in this leg" if epoch < last else ""
        _log.info(
            "epoch %d of %d, loss %.3f, accuracy %.1f %%, validation %.1f %%, %.0f images/s%s",
            *(epoch, last, metrics.loss, 100 * metrics.accuracy, 100 * metrics.val_accuracy),
            *(metrics.images_per_second, left),
            extra=ON_SCREEN,
        )


class EpochPublisher:
    """Lets others watch a leg: ``history.csv`` of all epochs so far, and TensorBoard's scalars in ``tensorboard/``.

    Parameters
    ----------
    folder : folder of the leg's state.
    """

    def __init__(self, folder: Path) -> None:
        self._table = folder / "history.csv"
        self._scalars = tf.summary.create_file_writer(str(folder / "tensorboard"))

    def publish(self, checkpoint: Checkpoint, metrics: EpochMetrics) -> None:
        """Write the table anew from the record of all epochs, and add the latest epoch's numbers to the scalars."""
        atomic.write_text(self._table, history_csv(checkpoint))
        with self._scalars.as_default(step=metrics.epoch):
            for name, value in asdict(metrics).items():
                tf.summary.scalar(name, value)
        self._scalars.flush()
