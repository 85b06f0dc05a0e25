"""Where the words of a stage go: into the log of its job, and to the screen what is meant for it; and reading logs.

Several jobs share one screen, so each of their lines there begins with the name of its job, and none draws a bar.
"""

import logging
import os
import re
import socket
import sys
from contextlib import suppress
from pathlib import Path

ON_SCREEN = {"on_screen": True}  # ``extra`` of what a job says on the screen too, and not in its log alone
SPEAKER = "L3NET_CONSOLE"  # in the environment of jobs: the machine whose console tells how they end
_ERROR_LINE = re.compile(r"^\d{4}-\d\d-\d\d [\d:,]+ (?:ERROR|CRITICAL) (.*)$", re.MULTILINE)
_TAIL_BYTES = 100_000
NO_WORD = "it ended without a word: killed, or out of memory?"
_LINES_SHOWN = 20
_log = logging.getLogger("l3net")


def log_to(path: str | None, job: str = "") -> None:
    """Log to standard error; with a log file, log everything to the file and to standard error what is for the screen.

    That is warnings, errors unless a console tells of them (`runtime.console`), and what is said with
    ``extra=ON_SCREEN``.

    Parameters
    ----------
    path : the log of a job; None where the stage is a command.
    job : name of the job.
    """
    _log.setLevel(logging.INFO)
    screen = logging.StreamHandler()
    screen.setFormatter(logging.Formatter("%(message)s"))
    _log.addHandler(screen)
    if path is not None:
        screen.setFormatter(_ScreenLines(job))
        screen.addFilter(_is_for_the_screen)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        file = _LogFile(path, mode="w")
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        _log.addHandler(file)


def may_draw() -> bool:
    """Return whether standard error is a terminal that no other job writes to."""
    has_file = any(isinstance(handler, logging.FileHandler) for handler in _log.handlers)
    return sys.stderr.isatty() and not has_file


class _LogFile(logging.FileHandler):
    """A job's log, which ends where its disk is full: the job's own line says so, and no traceback of logging's."""

    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        with suppress(OSError):
            super().close()


class _ScreenLines(logging.Formatter):
    """Put the name of the job before what several jobs may say at the same time; an error names its stage itself."""

    def __init__(self, job: str) -> None:
        super().__init__("%(message)s")
        self._job = job

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if record.levelno >= logging.ERROR else f"{self._job}: {text}"


def _is_for_the_screen(record: logging.LogRecord) -> bool:
    if record.levelno >= logging.ERROR:
        return not tells_how_jobs_end()
    return record.levelno >= logging.WARNING or getattr(record, "on_screen", False)


def reason_in(log: Path) -> str:
    """Return the last error that a stage wrote into its log; of an unexpected one the exception."""
    if (text := _tail(log)) is None:
        return "it wrote no log"
    if not (errors := list(_ERROR_LINE.finditer(text))):
        return NO_WORD
    message, lines = errors[-1][1], text[errors[-1].end() :].splitlines()
    behind = [line for line in lines if line.strip() and not re.match(r"\d{4}-\d\d-\d\d ", line)]
    return f"{message}: {behind[-1]}" if message.endswith("unexpected error") and behind else message


def last_lines_of(log: str) -> list[str]:
    """Return the last lines of a log, which is on a file system that a cluster's nodes share."""
    return (_tail(Path(log)) or "").splitlines()[-_LINES_SHOWN:] if log else []


def _tail(log: Path) -> str | None:
    try:
        with open(log, "rb") as file:
            file.seek(max(log.stat().st_size - _TAIL_BYTES, 0))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return None


def tells_how_jobs_end() -> bool:
    """Return whether a console on this machine tells of the job that this process is."""
    return os.environ.get(SPEAKER) == socket.gethostname()
