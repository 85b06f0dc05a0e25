"""The pauses that all workers share: they double, end the job, and start over after an answer."""

import pytest

from l3net.acquisition.backoff import Backoff, GaveUp, Pace
from l3net.audioset.clip import ClipFailure

BLOCK = ClipFailure("rate_limited", "x")


def test_pauses_double_and_then_the_job_gives_up() -> None:
    backoff = Backoff(Pace(give_up_after=3, back_off_seconds=0.05))
    moments = []
    for _ in range(3):
        asked_at = backoff.wait()
        moments.append(asked_at)
        backoff.report(ClipFailure("bot_check", "x"), asked_at)
    assert moments[1] - moments[0] >= 0.05
    assert moments[2] - moments[1] >= 0.10
    assert backoff.gave_up == "bot_check"
    with pytest.raises(GaveUp):
        backoff.wait()


def test_an_answer_between_blocks_starts_over() -> None:
    backoff = Backoff(Pace(give_up_after=2, back_off_seconds=0.0))
    for failure in [BLOCK, None, BLOCK, ClipFailure("removed", "x")] * 3:
        backoff.report(failure, backoff.wait())
    assert backoff.gave_up is None


def test_blocks_of_requests_that_were_under_way_count_once() -> None:
    backoff = Backoff(Pace(give_up_after=2, back_off_seconds=0.0))
    asked = [backoff.wait() for _ in range(8)]
    for asked_at in asked:
        backoff.report(BLOCK, asked_at)
    assert backoff.gave_up is None


def test_what_only_seems_a_block_pauses_from_the_third_in_a_row_and_ends_the_job() -> None:
    backoff = Backoff(Pace(give_up_after=4, back_off_seconds=0.05))
    unexplained, moments = ClipFailure("rate_limited", "unavailable", is_certain=False), []
    for _ in range(4):
        moments.append(backoff.wait())
        backoff.report(unexplained, moments[-1])
    assert moments[2] - moments[0] < 0.05 < moments[3] - moments[2]
    assert backoff.gave_up == "rate_limited"


def test_a_pace_is_given_by_name() -> None:
    with pytest.raises(TypeError, match="positional"):
        Pace(2, 3)
