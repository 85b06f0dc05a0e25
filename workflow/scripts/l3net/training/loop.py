"""The training loop, from top to bottom: epochs of updates, a validation after each, and what is kept of them.

Source: the paper, section 3.2, and the published training code: Adam, the best epoch by validation accuracy.
"""

import logging
import math
import time
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from l3net.errors import L3Error
from l3net.feed import one_line_errors, open_feed, prepare_batch
from l3net.models import build_l3
from l3net.runtime import Progress, StopRequests, atomic, describe
from l3net.samples import read_shard_index
from l3net.training.checkpoint import Checkpoint, history_csv, write_checkpoint
from l3net.training.devices import is_chief, open_strategy
from l3net.training.leg import Leg, find_start
from l3net.training.model_state import capture_variables, restore_variables
from l3net.training.optimizer import LearningRate, make_optimizer
from l3net.training.step import training_step, validation_step

_log = logging.getLogger("l3net")
_SECONDS = ("seconds", "step_seconds", "waiting")


class Interrupted(L3Error):
    """A training that was asked to stop; its state is kept, and the next run goes on from there."""


class Diverged(L3Error):
    """A training whose loss is no number."""


def run_leg(leg: Leg) -> Checkpoint | None:
    """Run a leg to its end; return its checkpoint, or None in a process that does not write (several workers).

    Raises
    ------
    Interrupted
        SIGTERM or SIGINT came; the state is saved.
    Diverged
        The loss is no number; the state of before is kept.
    """
    strategy = open_strategy(leg.settings.strategy, deterministic=not leg.settings.xla)
    keras.utils.set_random_seed(leg.seed % 2**32)
    with StopRequests() as stop:
        return _Training(leg, strategy, stop).run()


class _Training:
    """A leg under way: the live model and optimizer, and the record of all epochs so far."""

    def __init__(self, leg: Leg, strategy: tf.distribute.Strategy, stop: StopRequests) -> None:
        self.leg, self.settings, self.strategy, self.stop = leg, leg.settings, strategy, stop
        self.writes = is_chief(strategy)
        s, self.fingerprint = leg.settings, leg.fingerprint()
        with strategy.scope():
            self.model = build_l3(**leg.network)
            rate = LearningRate(
                s.learning_rate,
                warmup_steps=s.warmup_steps,
                total_steps=s.schedule_epochs * s.batches_per_epoch if s.schedule == "cosine" else None,
            )
            self.optimizer = make_optimizer(self.model, rate, s.precision)
        self.update = training_step(
            self.model, self.optimizer, strategy, prepare_batch, batch_size=s.batch_size, augment=s.augment, xla=s.xla
        )
        self.measure = validation_step(self.model, strategy, prepare_batch, xla=s.xla)
        self.record = Checkpoint(metadata={"epoch": 0}, weights={})
        if (start := find_start(leg, self.fingerprint)) is not None:
            self.record = start
            restore_variables(self.model.variables, start.weights, leg.state)
            restore_variables(self.optimizer.variables, start.optimizer, leg.state)
        self.record.metadata = {**self._describe(), **self.record.metadata, "fingerprint": self.fingerprint}
        self.record.provenance = describe(**asdict(s), network=leg.network, seed=leg.seed)
        if self.writes:
            for leftover in leg.state.glob(".*.partial*"):  # of a save that was killed
                leftover.unlink(missing_ok=True)
        self.saved_at, self.is_warm, self.sample_ids = time.monotonic(), False, tf.constant([], tf.string)

    def _describe(self) -> dict[str, Any]:
        """Return what the network is and what it is trained on, for all who load it."""
        network = self.leg.network
        return {
            "network": network,
            "front_end": network["front_end"],
            "front_end_version": network["version"],
            "hop_length": network["hop_length"],
            "image_size": network["image_size"],
            "subset": read_shard_index(self.leg.train).subset,
            "seed": self.leg.seed,
            "precision": self.settings.precision,
            "objective": self.settings.objective,
        }

    @one_line_errors()
    def run(self) -> Checkpoint | None:
        """Train to the leg's last epoch."""
        for epoch in range(self.record.metadata["epoch"] + 1, self.leg.epoch + 1):
            self._train_epoch(epoch)
            began = time.perf_counter()
            self._note(epoch, began, *self._validate())
            if epoch < self.leg.epoch:
                self._stop_if_asked()
                self._save()
        del self.record.metadata["fingerprint"]
        return self._snapshot() if self.writes else None

    def _train_epoch(self, epoch: int) -> None:
        """Make the updates of an epoch, from where its position stands."""
        s = self.settings
        if not self.record.position:
            self.record.position = {"batches": 0, "loss": 0.0, "right": 0, "steps": 0} | dict.fromkeys(_SECONDS, 0.0)
        position, pending = self.record.position, None
        left = s.batches_per_epoch - position["batches"]
        batches = self._feed(self.leg.train, epoch - 1, s.batches_per_epoch, position["batches"])
        with Progress(f"epoch {epoch} of {self.leg.epoch}", left, "batches") as bar:
            began = time.perf_counter()
            for batch, waited in _timed(batches):
                result, self.sample_ids = self.update(batch), batch["sample_id"]
                # The loss is read one step late, so that an accelerator never waits for Python.
                self._count(epoch, pending)
                pending = (result, self.sample_ids)
                position["batches"] += 1
                began = self._clock(began, waited)
                bar.advance()
                if self.stop.received or time.monotonic() - self.saved_at > s.save_every_seconds:
                    self._count(epoch, pending)
                    pending = None
                    self._stop_if_asked()
                    self._save()
                    began = time.perf_counter()
            self._count(epoch, pending)

    def _clock(self, began: float, waited: float) -> float:
        """Add a step's seconds, and those of them spent waiting for data, to the position; return the time now.

        The first step of a process traces and compiles: its seconds count, but not for the images a second.
        """
        now, position = time.perf_counter(), self.record.position
        position["seconds"] += now - began
        if self.is_warm:
            position["step_seconds"] += now - began
            position["waiting"] += waited
            position["steps"] += 1
        else:
            _log.info("first step: %.1f s (tracing, compiling)", now - began)
            self.is_warm = True
        return now

    def _count(self, epoch: int, pending: tuple | None) -> None:
        """Add a step's loss and right answers to the position, unless the loss is no number."""
        if pending is None:
            return
        (loss, right), sample_ids = pending
        value = float(loss)
        if not math.isfinite(value):
            self._diverge(f"the loss is {value} in epoch {epoch}", sample_ids)
        self.record.position["loss"] += value
        self.record.position["right"] += int(right)

    def _diverge(self, what: str, sample_ids) -> None:
        """Stop for numbers that are none, unless told to go on."""
        if not self.settings.stop_on_nan:
            return
        local = self.strategy.experimental_local_results(sample_ids)
        names = ", ".join(name.decode() for part in local for name in part.numpy())
        raise Diverged(
            f"{what}, in or before batch {self.record.position['batches']}; the last good state is kept in "
            f"{self.leg.state}; lower train.learning_rate or look at the batch's samples: {names}"
        )

    def _validate(self) -> tuple[float, float]:
        """Return mean loss and accuracy on the validation samples, the same ones after every epoch."""
        s, loss, right = self.settings, 0.0, 0
        for batch in self._feed(self.leg.valid, 0, s.validation_batches, 0):
            batch_loss, batch_right = self.measure(batch)
            loss, right = loss + float(batch_loss), right + int(batch_right)
            self._stop_if_asked()
        samples = s.validation_batches * s.batch_size
        return loss / samples, right / samples

    def _note(self, epoch: int, began: float, val_loss: float, val_accuracy: float) -> None:
        """Write an epoch down: history, timings, the best weights so far."""
        s, record, position = self.settings, self.record, self.record.position
        samples = s.batches_per_epoch * s.batch_size
        row = {
            "epoch": epoch,
            "loss": position["loss"] / samples,
            "accuracy": position["right"] / samples,
            "val_loss": val_loss,
            "val_accuracy": val_accuracy,
            "samples_seen": epoch * samples,
            "learning_rate": float(self.optimizer.learning_rate),
            "images_per_second": position["steps"] * s.batch_size / max(position["step_seconds"], 1e-9),
            "waiting_share": position["waiting"] / max(position["step_seconds"], 1e-9),
            "seconds": position["seconds"] + time.perf_counter() - began,
        }
        if val_accuracy > max(record.history["val_accuracy"], default=-1.0):
            record.best, record.best_epoch = capture_variables(self.model.variables), epoch
        for table in (record.history, record.timings):
            for column in table:
                table[column].append(row[column])
        record.metadata, record.position = {**record.metadata, "epoch": epoch, "samples_seen": epoch * samples}, {}
        _log.info(
            "epoch %(epoch)d: loss %(loss).4f accuracy %(accuracy).4f val_loss %(val_loss).4f "
            "val_accuracy %(val_accuracy).4f, %(images_per_second).1f images/s, waiting %(waiting_percent).0f %%",
            {**row, "waiting_percent": 100 * row["waiting_share"]},
        )
        if self.writes:
            self._publish(row)

    def _publish(self, row: dict[str, Any]) -> None:
        """Let others watch: ``history.csv`` and TensorBoard's scalars in the folder of the state."""
        atomic.write_text(self.leg.state / "history.csv", history_csv(self.record))
        with tf.summary.create_file_writer(str(self.leg.state / "tensorboard")).as_default(step=row["epoch"]):
            for name, value in row.items():
                tf.summary.scalar(name, value)

    def _snapshot(self) -> Checkpoint:
        """Return the record with the present weights and optimizer, unless a weight is no number.

        (An update can spoil them after a loss that was one; the next loss would tell, but too late for the state.)
        """
        self.record.weights = capture_variables(self.model.variables)
        for name, values in self.record.weights.items():
            if not np.isfinite(values).all():
                self._diverge(f"{name} holds values that are no numbers", self.sample_ids)
        self.record.optimizer = capture_variables(self.optimizer.variables)
        return self.record

    def _save(self) -> None:
        """Write the state."""
        if self.writes:
            write_checkpoint(self.leg.state_file, self._snapshot())
        self.saved_at = time.monotonic()

    def _stop_if_asked(self) -> None:
        """Save and end, where a signal asked for it."""
        if self.stop.received:
            self._save()
            done = self.record.metadata["epoch"]
            raise Interrupted(f"stopped by {self.stop.received} after epoch {done}; run it again to go on from there")

    def _feed(self, index, epoch: int, batches: int, start: int):
        """Return an iterable of batches, already on the devices where there are several."""
        s = self.settings
        data = open_feed(
            index,
            batch_size=s.batch_size,
            epoch=epoch,
            seed=self.leg.seed,
            workers=s.feed_workers,
            batches=batches,
            start_batch=start,
        )
        return self.strategy.experimental_distribute_dataset(data)


def _timed(batches):
    """Yield each batch and the seconds waited for it."""
    iterator = iter(batches)
    while True:
        began = time.perf_counter()
        batch = next(iterator, None)
        if batch is None:
            return
        yield batch, time.perf_counter() - began
