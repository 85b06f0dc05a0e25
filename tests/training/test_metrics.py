"""The numbers of an epoch, from what was counted in it."""

from dataclasses import fields

import pytest

from l3net.configuration import Train
from l3net.training.checkpoint import Checkpoint
from l3net.training.metrics import HISTORY, TIMINGS, EpochCounts, EpochMetrics, Validation

SETTINGS = Train(batches_per_epoch=10, batch_size=8)
COUNTS = EpochCounts(batches=10, loss=40.0, right=60, seconds=33.0, steps=9, step_seconds=18.0, waiting=4.5)


def test_numbers_of_an_epoch() -> None:
    found = COUNTS.metrics(SETTINGS, epoch=3, validation=Validation(0.7, 0.5), learning_rate=0.1)
    assert (found.loss, found.accuracy) == (0.5, 0.75)
    assert (found.val_loss, found.val_accuracy) == (0.7, 0.5)
    assert (found.epoch, found.samples_seen, found.learning_rate) == (3, 240, 0.1)
    assert (found.images_per_second, found.waiting_share, found.seconds) == (4.0, 0.25, 33.0)


def test_every_number_is_kept_in_the_history_or_in_the_timings() -> None:
    assert sorted([*HISTORY, *TIMINGS]) == sorted(field.name for field in fields(EpochMetrics))
    checkpoint = Checkpoint({"epoch": 2, "subset": "music"}, {})
    checkpoint.add_epoch(COUNTS.metrics(SETTINGS, epoch=3, validation=Validation(0.7, 0.5), learning_rate=0.1))
    assert checkpoint.history["accuracy"] == [0.75]
    assert checkpoint.timings["seconds"] == [33.0]
    assert checkpoint.metadata == {"epoch": 3, "samples_seen": 240, "subset": "music"}


def test_counts_come_back_from_the_position_of_a_state() -> None:
    assert EpochCounts(**COUNTS.as_position()) == COUNTS
    assert EpochCounts().as_position() == {}


def test_an_epoch_of_one_untimed_step_has_no_rate() -> None:
    found = EpochCounts(batches=1).metrics(SETTINGS, epoch=1, validation=Validation(0, 0), learning_rate=0.1)
    assert found.images_per_second == pytest.approx(0.0)
