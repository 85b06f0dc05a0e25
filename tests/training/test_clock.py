"""The clock of a training, with a time that the test sets."""

import logging
from types import SimpleNamespace

import pytest

from l3net.configuration import Train
from l3net.training import clock
from l3net.training.metrics import EpochCounts, Validation


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The time; a test moves it on."""
    time = SimpleNamespace(seconds=100.0)
    told = SimpleNamespace(perf_counter=lambda: time.seconds, monotonic=lambda: time.seconds)
    monkeypatch.setattr(clock, "time", told)
    return time


def slow_batches(now: SimpleNamespace, waits: list[float]):
    """Yield a batch after each wait."""
    for number, seconds in enumerate(waits):
        now.seconds += seconds
        yield number


def test_the_first_step_counts_for_the_seconds_only(now: SimpleNamespace) -> None:
    counts, steps = EpochCounts(), clock.StepClock()
    steps.start_step()
    for (number,) in steps.batches(slow_batches(now, [5.0, 1.0, 2.0])):
        now.seconds += [30.0, 3.0, 4.0][number]
        steps.end_steps(counts, 1)
    assert counts == EpochCounts(seconds=45.0, steps=2, step_seconds=10.0, waiting=3.0)


def test_of_several_steps_at_a_time_the_first_of_each_number_counts_for_the_seconds_only(now: SimpleNamespace) -> None:
    counts, steps, seen = EpochCounts(), clock.StepClock(), []
    for waits in ([1.0, 1.0, 1.0, 1.0, 5.0], [2.0, 2.0, 3.0, 3.0, 7.0]):  # two epochs of five
        steps.start_step()
        for some in steps.batches(slow_batches(now, waits), 2):
            seen.append(some)
            now.seconds += 10.0
            steps.end_steps(counts, len(some))
    assert seen == [[0, 1], [2, 3], [4]] * 2
    # Of two at a time all but the first call, of one at a time the second.
    assert counts == EpochCounts(seconds=86.0, steps=7, step_seconds=59.0, waiting=19.0)


def test_what_passes_between_steps_is_left_out_after_a_new_start(now: SimpleNamespace) -> None:
    counts, steps = EpochCounts(), clock.StepClock()
    steps.start_step()
    now.seconds += 1.0
    steps.end_steps(counts, 1)
    now.seconds += 50.0  # a save
    steps.start_step()
    now.seconds += 2.0
    steps.end_steps(counts, 1)
    assert counts.seconds == 3.0


def test_seconds_since_the_last_save(now: SimpleNamespace) -> None:
    steps = clock.StepClock()
    now.seconds += 7.0
    assert steps.seconds_since_save() == 7.0
    steps.note_save()
    now.seconds += 2.0
    assert steps.seconds_since_save() == 2.0


def test_the_screen_is_told_of_epochs_seconds_apart_and_of_the_last(
    now: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    counts = EpochCounts(batches=2, loss=8.0, right=12, seconds=30.0, steps=2, step_seconds=4.0)
    settings = Train(batches_per_epoch=2, batch_size=8)
    told = clock.StepClock()
    with caplog.at_level(logging.INFO, logger="l3net"):
        for epoch, seconds in ((1, 0.0), (2, 1.0), (3, 20.0), (4, 1.0)):
            now.seconds += seconds
            measured = counts.metrics(settings, epoch=epoch, validation=Validation(0.4, 0.8125), learning_rate=1e-3)
            told.tell_epoch(epoch, 4, measured)
    assert sum("val_loss 0.4000" in record.getMessage() for record in caplog.records) == 4  # the log has every epoch
    assert [record.getMessage() for record in caplog.records if getattr(record, "on_screen", False)] == [
        "epoch 1 of 4, loss 0.500, accuracy 75.0 %, validation 81.2 %, 4 images/s, 90 s left in this leg",
        "epoch 3 of 4, loss 0.500, accuracy 75.0 %, validation 81.2 %, 4 images/s, 30 s left in this leg",
        "epoch 4 of 4, loss 0.500, accuracy 75.0 %, validation 81.2 %, 4 images/s",
    ]
