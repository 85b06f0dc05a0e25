"""The clock of a training, with a time that the test sets."""

from types import SimpleNamespace

import pytest

from l3net.training import clock
from l3net.training.metrics import EpochCounts


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
    for number in steps.batches(slow_batches(now, [5.0, 1.0, 2.0])):
        now.seconds += [30.0, 3.0, 4.0][number]
        steps.end_step(counts)
    assert counts == EpochCounts(seconds=45.0, steps=2, step_seconds=10.0, waiting=3.0)


def test_what_passes_between_steps_is_left_out_after_a_new_start(now: SimpleNamespace) -> None:
    counts, steps = EpochCounts(), clock.StepClock()
    steps.start_step()
    now.seconds += 1.0
    steps.end_step(counts)
    now.seconds += 50.0  # a save
    steps.start_step()
    now.seconds += 2.0
    steps.end_step(counts)
    assert counts.seconds == 3.0


def test_seconds_since_the_last_save(now: SimpleNamespace) -> None:
    steps = clock.StepClock()
    now.seconds += 7.0
    assert steps.seconds_since_save() == 7.0
    steps.note_save()
    now.seconds += 2.0
    assert steps.seconds_since_save() == 2.0
