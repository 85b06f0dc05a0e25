"""The training loop, from top to bottom: epochs of updates, a validation after each, and what is kept of them.

Source: the paper, section 3.2, and the published training code: Adam, the best epoch by validation accuracy.
"""

import logging
import math
import time
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from l3net.devices import intra_op_threads, is_chief, one_line_out_of_memory, open_strategy, set_switches
from l3net.errors import L3Error
from l3net.feed import Feed, one_line_errors, prepare_batch
from l3net.models import build_l3
from l3net.runtime import Progress, StopRequests
from l3net.training.batch_norm import batch_norm_for
from l3net.training.checkpoint import Checkpoint, write_checkpoint
from l3net.training.clock import EpochPublisher, StepClock
from l3net.training.leg import Leg, find_start
from l3net.training.metrics import EpochCounts, Validation
from l3net.training.model_state import capture_variables, freeze_parts, restore_variables
from l3net.training.optimizer import LearningRate, make_optimizer
from l3net.training.step import several_steps, training_step, validation_step

_log = logging.getLogger("l3net")


class Interrupted(L3Error):
    """A training was asked to stop; its state is saved, and the next run goes on from there."""


class Diverged(L3Error):
    """The loss or a weight of a training is not a finite number."""


class _Step(NamedTuple):
    """A step that was made: the sum of its losses, its right answers, the ids of its samples, its batch's number."""

    loss: tf.Tensor
    right: tf.Tensor
    sample_ids: Any
    number: int


def run_leg(leg: Leg) -> Checkpoint | None:
    """Run a leg to its end; return its checkpoint, or None in a process that does not write (several workers).

    Raises
    ------
    Interrupted
        SIGTERM or SIGINT came; the state is saved.
    Diverged, ConfigError
        The loss is not a finite number (the state saved before that is kept); a batch does not fit the memory.
    """
    strategy, s = open_strategy(leg.settings.strategy), leg.settings
    set_switches(tf32=s.tf32, deterministic=s.deterministic, xla=s.xla)
    keras.utils.set_random_seed(leg.seed % 2**32)
    with StopRequests() as stop, one_line_errors(), one_line_out_of_memory("train.batch_size", s.batch_size):
        return _Training(leg, strategy, stop).run()


class _Training:
    """A leg under way: the live model and optimizer, the record of all epochs so far, the counts of the present one."""

    def __init__(self, leg: Leg, strategy: tf.distribute.Strategy, stop: StopRequests) -> None:
        self.leg, self.settings, self.strategy, self.stop = leg, leg.settings, strategy, stop
        s = self.settings
        with strategy.scope():
            self.model = build_l3(**leg.network, batch_norm=batch_norm_for(s.xla))
            freeze_parts(self.model, s.freeze)
            self.optimizer = make_optimizer(self.model, LearningRate.of(s), s.precision)
        step = training_step(
            self.model,
            self.optimizer,
            strategy,
            prepare_batch,
            objective=s.objective,
            batch_size=s.batch_size,
            augment=s.augment,
            xla=s.xla,
        )
        self.update = several_steps(step, s.steps_per_call)
        self.measure = validation_step(self.model, strategy, prepare_batch, objective=s.objective, xla=s.xla)
        self.train = self._open_feed(leg.train, s.batches_per_epoch)
        self.valid = self._open_feed(leg.valid, s.validation_batches)
        self.writes, self.clock, self.last_step = is_chief(strategy), StepClock(), None
        self.publisher = EpochPublisher(leg.state) if self.writes else None
        self._start()

    def _start(self) -> None:
        """Go on from the leg's state or from the checkpoint before it, where there is one."""
        leg, fingerprint, threads = self.leg, self.leg.fingerprint(), intra_op_threads()
        self.record = start = find_start(leg, fingerprint, threads) or Checkpoint(metadata={"epoch": 0}, weights={})
        if start.weights:
            for live, values in ((self.model, start.weights), (self.optimizer, start.optimizer)):
                restore_variables(live.variables, values, leg.state, finite=self.settings.stop_on_nan)
        elif leg.initial:
            leg.give_initial(self.model, leg.network, leg.initial)
        self.counts = EpochCounts(**self.record.position)
        self.record.metadata = {**leg.metadata(), **self.record.metadata, "fingerprint": fingerprint}
        self.record.provenance = leg.provenance(threads)
        if self.writes:
            leg.remove_partial_saves()

    def run(self) -> Checkpoint | None:
        """Train to the leg's last epoch."""
        for epoch in range(self.record.metadata["epoch"] + 1, self.leg.epoch + 1):
            self._train_epoch(epoch)
            began = time.perf_counter()
            validation = self._validate()
            self.counts.seconds += time.perf_counter() - began
            self._end_epoch(epoch, validation)
            if epoch < self.leg.epoch:
                self._stop_if_asked()
                self._save()
        del self.record.metadata["fingerprint"]
        return self._snapshot() if self.writes else None

    def _train_epoch(self, epoch: int) -> None:
        """Make the updates of an epoch that are still to be made."""
        s, counts, pending = self.settings, self.counts, []
        batches = self.train.epoch(epoch - 1, counts.batches)
        with Progress(f"epoch {epoch} of {self.leg.epoch}", s.batches_per_epoch - counts.batches, "batches") as bar:
            self.clock.start_step()
            for some in self.clock.batches(batches, s.steps_per_call):
                results = enumerate(zip(self.update(some), some, strict=True), counts.batches + 1)
                made = [_Step(*sums, batch["sample_id"], number) for number, (sums, batch) in results]
                self.last_step = made[-1]
                # Losses are read one call late, so that an accelerator never waits for Python.
                self._count(epoch, pending)
                pending = made
                counts.batches += len(some)
                self.clock.end_steps(counts, len(some))
                bar.advance(len(some))
                if self.stop.received or self.clock.seconds_since_save() > s.save_every_seconds:
                    self._count(epoch, pending)
                    pending = []
                    self._stop_if_asked()
                    self._save()
                    self.clock.start_step()
            self._count(epoch, pending)

    def _count(self, epoch: int, steps: list[_Step]) -> None:
        """Add the losses and right answers of steps to the counts, unless a loss is not a finite number."""
        for step in steps:
            loss = float(step.loss)
            if not math.isfinite(loss):
                self._diverge(f"the loss is {loss} in epoch {epoch}", step)
            self.counts.loss += loss
            self.counts.right += int(step.right)

    def _validate(self) -> Validation:
        """Measure the model on the validation samples, the same ones after every epoch."""
        s, loss, right = self.settings, 0.0, 0
        for batch in self.valid.epoch(0):
            batch_loss, batch_right = self.measure(batch)
            loss, right = loss + float(batch_loss), right + int(batch_right)
            self._stop_if_asked()
        n_samples = s.validation_batches * s.batch_size
        return Validation(loss / n_samples, right / n_samples)

    def _end_epoch(self, epoch: int, validation: Validation) -> None:
        """Write the epoch into the record, keep the weights if they are the best so far, and let others watch."""
        record, rate = self.record, float(self.optimizer.learning_rate)
        metrics = self.counts.metrics(self.settings, epoch=epoch, validation=validation, learning_rate=rate)
        if validation.accuracy > max(record.history["val_accuracy"], default=-1.0):
            record.best, record.best_epoch = capture_variables(self.model.variables), epoch
        record.add_epoch(metrics)
        self.counts = EpochCounts()
        self.clock.tell_epoch(epoch, self.leg.epoch, metrics)
        if self.publisher:
            self.publisher.publish(record, metrics)

    def _stop_if_asked(self) -> None:
        """Save the state and stop, where a signal asked for it."""
        if self.stop.received:
            self._save()
            done = self.record.metadata["epoch"]
            raise Interrupted(f"stopped by {self.stop.received} after epoch {done}; run it again to go on from there")

    def _save(self) -> None:
        """Write the state."""
        if self.writes:
            write_checkpoint(self.leg.state_file, self._snapshot())
        self.clock.note_save()

    def _snapshot(self) -> Checkpoint:
        """Return the record with the present weights and optimizer, unless a weight is not a finite number."""
        # An update can spoil the weights after a loss that was finite; the next loss tells, but too late for the state.
        self.record.weights = capture_variables(self.model.variables)
        for name, values in self.record.weights.items():
            if not np.isfinite(values).all():
                self._diverge(f"{name} holds values that are not finite numbers", self.last_step)
        self.record.optimizer = capture_variables(self.optimizer.variables)
        self.record.position = self.counts.as_position()
        return self.record

    def _diverge(self, what: str, step: _Step | None) -> None:
        """Stop for numbers that are not finite, unless the configuration says to go on."""
        if not self.settings.stop_on_nan:
            return
        parts = self.strategy.experimental_local_results(step.sample_ids) if step else ()
        names = ", ".join(name.decode() for part in parts for name in part.numpy())
        number = step.number if step else self.counts.batches
        raise Diverged(
            f"{what}, in or before batch {number}; the last good state is kept in {self.leg.state}; "
            f"lower train.learning_rate or look at the batch's samples: {names}"
        )

    def _open_feed(self, index: Path, batches: int) -> Feed:
        """Open shards, to be read in epochs of so many batches, onto the devices where there are several."""
        s, on_one = self.settings, self.strategy is tf.distribute.get_strategy()
        place = None if on_one else self.strategy.experimental_distribute_dataset
        reading = {"workers": s.feed_workers, "marks": self.leg.marks, "place": place, "held": 2 * s.steps_per_call}
        return Feed(index, batch_size=s.batch_size, seed=self.leg.seed, batches=batches, **reading)
