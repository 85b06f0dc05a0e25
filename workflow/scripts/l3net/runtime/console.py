"""What a run shows on the screen: a line for each job that ends, and what went wrong as the last line.

Snakemake gives its messages to a logger plugin (``snakemake_logger_plugin_l3net``), which asks `Console` for the lines
to print. A message is known by the name of its event; its fields are Snakemake's.
"""

import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from l3net.runtime.logs import NO_WORD, last_lines_of, reason_in

REPORT = "L3NET_REPORT"  # in the environment: how the report of this run is made
# What Snakemake says of its own work; all else that it says is passed on.
_OF_ITS_OWN = (
    "Using workflow specific profile",
    "Config file ",  # such as that it is extended by the command line; an error begins so where it cannot be read
    "Assuming unrestricted shared filesystem",
    "Building DAG of jobs",
    "Using shell",
    "assuming unrestricted shared filesystem",
    "host: ",
    "Group jobs: inactive",
    "Conda environments: ignored",
    "Singularity containers: ignored",
    "Select jobs to execute",
    "Execute ",
    "Touching output file",
    "Removing temporary output",
    "Workflow finished",
    "Loading script code for rule",
)
# What it says as errors because of others, which are told by themselves.
_OF_OTHER_ERRORS = (
    "Shutting down, this might take some time",
    "Exiting because a job execution failed",
    "Will exit after finishing currently running jobs",
    "At least one job did not complete successfully",
    "Removing output files of failed job",
    "Complete log(s):",
    "Trying to restart job",
)
_LOCKED = (
    "{folder} is locked: another snakemake is at work here, or one was killed; where none is (pgrep -af snakemake), "
    "remove the lock by snakemake --unlock, then give the same command again"
)
_RULES_NAMED = 5


@dataclass
class _Job:
    """A job that was started: what it is called, where its log is, and when it was started."""

    name: str
    log: str
    began: float


@dataclass
class Console:
    """Turns the messages of one run of Snakemake into lines.

    Attributes
    ----------
    journal : what also wants to know when jobs begin, end and fail (`runs.Journal`); None for nobody.
    shows_logs : whether the last lines of a failed job's log are shown (``--show-failed-logs``).
    failed : what went wrong in each job that failed and was not tried again with success, by its number.
    """

    shows_logs: bool = False
    journal: Any = None
    failed: dict[int, str] = field(default_factory=dict)
    _jobs: dict[int, _Job] = field(default_factory=dict)
    _n_done: int = 0
    _n_jobs: int = 0
    _began: float | None = None
    _error: str = ""
    _last: str = ""
    _report: str = ""

    def lines(self, event: str | None, fields: dict[str, Any], text: str, *, is_error: bool = False) -> list[str]:
        """Return the lines to print for a message.

        Parameters
        ----------
        event : name of Snakemake's event; None for a plain message.
        fields : the event's fields.
        text : the message.
        is_error : whether the message tells of an error.
        """
        tellers = {
            "run_info": self._tell_jobs,
            "job_info": self._note_job,
            "job_finished": self._tell_end,
            "job_error": self._tell_failure,
            "group_error": self._tell_group,
        }
        if event in tellers:
            found = tellers[event](fields)
        elif is_error:
            found = self._tell_error(text)
        elif event is None:
            found = self._tell_text(text)
        else:
            found = []
        self._last = found[-1] if found else self._last
        return found

    def last_lines(self) -> list[str]:
        """Return what is to stand at the end of a run's output: the errors, unless they stand there already.

        Where there are none it is how to make the report.
        """
        errors = [*self.failed.values()] + ([self._error] if self._error else [])
        if not errors:
            return [self._report] if self._report else []
        if len(errors) == 1 and self._last == errors[0]:
            return []
        head = [f"{len(self.failed)} jobs failed; the same command goes on:"] if len(self.failed) > 1 else []
        return head + errors

    def _note(self, what: str, *facts: Any) -> None:
        if self.journal is not None:
            getattr(self.journal, what)(*facts)

    def _tell_text(self, text: str) -> list[str]:
        if text == os.environ.get(REPORT):
            self._report = text
            return []
        if text.startswith("Nothing to be done"):
            self._report = os.environ.get(REPORT, "")
        if text.startswith("Elapsed time"):
            return [] if self.failed or self._began is None else [self._how_it_ended(time.monotonic() - self._began)]
        return (
            []
            if text.strip().startswith(_OF_ITS_OWN + _OF_OTHER_ERRORS)
            else [line for line in text.splitlines() if line.strip()]
        )

    def _how_it_ended(self, seconds: float) -> str:
        done = f"{self._n_done} of {self._n_jobs} jobs done"
        if self._error or (self._n_done < self._n_jobs and not self._report and os.environ.get(REPORT)):
            # An interruption, or an error outside the jobs: a run that succeeds has named its report before.
            return f"stopped after {duration(seconds)}, {done}; the same command goes on"
        if self._n_done >= self._n_jobs:
            return f"done in {duration(seconds)}"
        # Snakemake plans the later of two rules, and ends with success when the earlier one is done.
        return f"{done} in {duration(seconds)}: where --until names several rules, the run ends at the first of them"

    def _tell_jobs(self, fields: dict[str, Any]) -> list[str]:
        stats = {name: n for name, n in fields["stats"].items() if name != "total"}
        self._note("begin", stats)
        first, self._n_jobs = self._n_jobs == 0, sum(stats.values())
        self._began = self._began or time.monotonic()
        named = sorted(stats, key=lambda name: -stats[name])[:_RULES_NAMED]
        others = self._n_jobs - sum(stats[name] for name in named)
        counts = [f"{stats[name]} {name}" for name in named] + ([f"{others} others"] if others else [])
        return [f"{counted(self._n_jobs, 'job')}: {', '.join(counts)}"] if first else []

    def _note_job(self, fields: dict[str, Any]) -> list[str]:
        wildcards = " ".join(str(value) for value in (fields.get("wildcards") or {}).values() if str(value))
        log = next(iter(fields.get("log") or []), "")
        name = f"{fields['rule_name']} {wildcards}".strip()
        self._jobs[fields["jobid"]] = _Job(name, log, time.monotonic())
        self._note("started", fields["jobid"], fields["rule_name"], name, log)
        return []

    def _tell_end(self, fields: dict[str, Any]) -> list[str]:
        number = fields["job_id"]
        self._n_done += 1
        self._note("ended", number)
        self.failed.pop(number, None)
        job = self._jobs.get(number)
        if job is None:
            return []
        seconds = time.monotonic() - job.began
        return [f"{time.strftime('%H:%M:%S')} {self._n_done} of {self._n_jobs}  {job.name}  {duration(seconds)}"]

    def _tell_failure(self, fields: dict[str, Any]) -> list[str]:
        number = fields["jobid"]
        log = next(iter(fields.get("log") or []), "")
        name = self._jobs[number].name if number in self._jobs else fields["rule_name"]
        reason = reason_in(Path(log)) if log else "it has no log"
        self.failed[number] = f"{name} failed: {reason.removeprefix(fields['rule_name'] + ': ')} (log: {log or 'none'})"
        self._note("failed", number, self.failed[number])
        return ([f"  {line}" for line in last_lines_of(log)] if self.shows_logs else []) + [self.failed[number]]

    def _tell_group(self, fields: dict[str, Any]) -> list[str]:
        """Tell the jobs of a group of one cluster job whose logs hold an error; where none does, all of them."""
        jobs = fields["job_error_info"]
        guilty = [job for job in jobs if any(reason_in(Path(log)) != NO_WORD for log in job.get("log") or [])]
        return [line for job in guilty or jobs for line in self._tell_failure(job)]

    def _tell_error(self, text: str) -> list[str]:
        """Tell an error of Snakemake without the places in its own code; that of a job is told by the job."""
        text = _LOCKED.format(folder=Path.cwd()) if "Directory cannot be locked" in text else text
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        lines = [line for line in lines if not re.match(r'  File "|\w+(Error|Exception)( in (file|rule) .*)?:?$', line)]
        if not lines or "returned non-zero exit status" in text or lines[-1].startswith(_OF_OTHER_ERRORS):
            return []
        self._error = lines[-1]
        return lines


def counted(n: int, thing: str) -> str:
    """Write a number of things: ``1 video``, ``2 videos``."""
    return f"{n} {thing}{'' if n == 1 else 's'}"


def duration(seconds: float) -> str:
    """Write a time as people say it: ``32 s``, ``12 min``, ``3.4 h``, ``2.1 days``."""
    for unit, size in (("days", 86_400), ("h", 3600)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
