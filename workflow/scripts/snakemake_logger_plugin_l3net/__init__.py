"""A logger plugin of Snakemake (``--logger l3net``): a line for each job, and an error as the last line.

Dry runs, ``--verbose`` and ``--printshellcmds`` show what Snakemake itself would. ``--quiet`` shows errors alone.
"""

import os
import socket
import sys
from logging import ERROR, LogRecord
from pathlib import Path

from snakemake.logging import DefaultFilter, DefaultFormatter
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.base import LogHandlerBase

from l3net.runs import Journal
from l3net.runtime import console, logs

# In what Snakemake says where it cannot read a file of configuration: its own line, or the place in its code.
_UNREAD = ("Config file must be ", "Config file is not ", "common/configfile.py")
_PROFILES = ("profiles/default/config.yaml", "workflow/profiles/default/config.yaml")


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
            text = str(record.msg or "")
            if is_error and any(sign in text for sign in _UNREAD):
                text = _fault_of_files(sys.argv[1:]) or text
            lines = self._console.lines(name, record.__dict__, text, is_error=is_error)
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


def _fault_of_files(arguments: list[str]) -> str | None:
    """Return what is wrong with the first file of configuration that is broken, in one line; None where none is.

    Snakemake names no file, and ends before the Snakefile is read.
    """
    from l3net.configuration import fault_of_file

    files = _configuration_files(arguments) or _files_of_the_profile()
    return next(filter(None, map(fault_of_file, [*files, "config.yaml"])), None)


def _configuration_files(arguments: list[str]) -> list[str]:
    """Return the files that a command line names behind ``--configfile``."""
    files, is_among_them = [], False
    for word in arguments:
        if word.startswith("-"):
            option, _, value = word.partition("=")
            is_among_them = option.startswith("--configf")
            files += [value] if is_among_them and value else []
        elif is_among_them:
            files.append(word)
    return files


def _files_of_the_profile() -> list[str]:
    import yaml

    profile = next((path for path in map(Path, _PROFILES) if path.is_file()), None)
    named = yaml.safe_load(profile.read_text(encoding="utf-8")).get("configfile", []) if profile else []
    return [named] if isinstance(named, str) else named
