"""Progress in a log."""

import logging

import pytest

from l3net.runtime.progress import track_progress


def test_progress_without_a_terminal_logs_a_last_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="l3net"):
        assert list(track_progress([1, 2, 3], "cutting", unit="clips")) == [1, 2, 3]
    assert [r.getMessage().split(",")[0] for r in caplog.records] == ["cutting: 3 of 3 clips"]
