"""A logger plugin of Snakemake (``--logger l3net``): a line for each job, and an error as the last line.

Dry runs, ``--verbose`` and ``--printshellcmds`` show what Snakemake itself would. ``--quiet`` shows errors alone.
"""

import os
import socket
import sys
from logging import ERROR, LogRecord

from snakemake.logging import DefaultFilter, DefaultFormatter
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.base import LogHandlerBase

from l3net.runs import Journal
from l3net.runtime import console, logs


class LogHandler(LogHandlerBase):
    """Print the lines that `l3net.runtime.console.Console` makes of Snakemake's messages."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        settings = self.common_settings
        self._stream = sys.stdout if settings.stdout else sys.stderr
        self._quiet = set(settings.quiet or ())
        self._is_plain = settings.dryrun or settings.verbose or settings.debug_dag or settings.printshellcmds
        self._journal = Journal()
        self._console = console.Console(
            shows_logs=settings.show_failed_logs, journal=None if settings.dryrun else self._journal
        )
        self._is_closed = False
        # As Snakemake shows it: for what is asked of it in its own words.
        self._formatter = DefaultFormatter(settings.quiet, settings.show_failed_logs)
        self._filter = DefaultFilter(
            self._quiet, settings.debug_dag, settings.verbose, settings.dryrun, settings.printshellcmds
        )
        if not self._is_plain:
            os.environ[logs.SPEAKER] = socket.gethostname()

    def emit(self, record: LogRecord) -> None:
        """Print what a message is worth, at once."""
        try:
            event, is_error = getattr(record, "event", None), record.levelno >= ERROR
            of_a_job = str(event) in ("job_error", "group_error")
            name = None if event is None else str(event)
            lines = self._console.lines(name, record.__dict__, str(record.msg or ""), is_error=is_error)
            if self._is_plain and (not is_error or of_a_job):
                if self._filter.filter(record) and (text := self._formatter.format(record)) not in ("", "None"):
                    self._print([text])
                return
            is_silenced = not is_error and (
                self._quiet & {Quietness.ALL, Quietness.PROGRESS} or getattr(record, "quietness", None) in self._quiet
            )
            if not is_silenced:
                self._print(lines)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """End the output with what went wrong."""
        if not self._is_closed:
            self._is_closed = True
            self._journal.end()
            self._print(self._console.last_lines())
        super().close()

    def _print(self, lines: list[str]) -> None:
        for line in lines:
            print(line, file=self._stream, flush=True)
