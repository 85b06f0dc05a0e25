"""A log whose disk is full."""

import logging
from pathlib import Path

import pytest

from l3net.runtime.logs import log_to


def test_a_log_that_cannot_be_written_says_nothing_on_the_screen(capsys: pytest.CaptureFixture) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("/dev/full is Linux's")
    log = logging.getLogger("l3net")
    before = list(log.handlers)
    log.handlers = []  # another test's screen may be closed
    try:
        log_to("/dev/full", "make_tables")
        log.error("make_tables: a.csv: the disk is full")
        assert capsys.readouterr().err == "make_tables: a.csv: the disk is full\n"
    finally:
        for handler in log.handlers:
            handler.close()
        log.handlers = before
