"""What of a job's words reaches the screen, and what its log."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from l3net.runtime import ON_SCREEN, logs
from l3net.runtime.logs import log_to, may_draw

LOG = logging.getLogger("l3net")


@pytest.fixture(autouse=True)
def no_handlers_stay() -> Iterator[None]:
    before, LOG.handlers = LOG.handlers, []
    yield
    for handler in LOG.handlers:
        handler.close()
    LOG.handlers = before


@pytest.mark.parametrize("told", [False, True], ids=["no console", "a console"])
def test_the_screen_gets_warnings_what_is_meant_for_it_and_errors_that_no_console_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    monkeypatch.setenv(logs.SPEAKER, logs.socket.gethostname() if told else "another machine")
    log_to(str(tmp_path / "logs" / "a.log"), "train_leg music-mel256 004")
    LOG.info("read 4 shards")
    LOG.info("epoch 3 of 4", extra=ON_SCREEN)
    LOG.warning("a state is passed over")
    LOG.error("train_leg: the loss is nan")
    errors = [] if told else ["train_leg: the loss is nan"]
    assert capsys.readouterr().err.splitlines() == [
        "train_leg music-mel256 004: epoch 3 of 4",
        "train_leg music-mel256 004: a state is passed over",
        *errors,
    ]
    kept = (tmp_path / "logs" / "a.log").read_text().splitlines()
    assert [line.split(" ", 2)[2] for line in kept] == [
        "INFO read 4 shards",
        "INFO epoch 3 of 4",
        "WARNING a state is passed over",
        "ERROR train_leg: the loss is nan",
    ]


def test_a_job_draws_no_bar_on_a_screen_that_it_shares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert may_draw()
    log_to(str(tmp_path / "a.log"), "job")
    assert not may_draw()
