"""The journal of a run: a line of JSON for each job that is started, ends or fails (``logs/{run}/jobs.jsonl``).

Snakemake's console writes it; each start of the workflow begins it anew. A line that
a kill cut short, or that is damaged, is passed over.
"""

import json
import os
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = "L3NET_RUN_LOGS"  # in the environment: the folder of the run's logs, once the configuration is read
_NAME = "jobs.jsonl"
# What a line of each kind holds, and of which types; what else it holds is not read.
_TIME: dict[str, Any] = {"time": int | float}
_FACTS = {
    "began": {**_TIME, "jobs": dict, "pid": int, "host": str},
    "started": {**_TIME, "number": int, "rule": str, "name": str, "log": str},
    "ended": {**_TIME, "number": int},
    "failed": {**_TIME, "number": int, "reason": str},
    "over": _TIME,
}
_MOST_TIME, _MOST_PID = 1e11, 1 << 31  # what the calendar and the system can take


class Journal:
    """Writes down the jobs of this process' run; what cannot be written is left out, since no run should end by it."""

    def __init__(self) -> None:
        self._path: Path | None = None

    def begin(self, counts: dict[str, int]) -> None:
        """Begin the journal anew, with the number of jobs of each rule."""
        if self._path is None and (folder := os.environ.get(FOLDER)):
            self._path = Path(folder).absolute() / _NAME
            self._write("w", "began", jobs=counts, pid=os.getpid(), host=socket.gethostname())

    def started(self, number: int, rule: str, name: str, log: str) -> None:
        """Note that a job was started, or handed to a cluster."""
        self._write("a", "started", number=number, rule=rule, name=name, log=log)

    def ended(self, number: int) -> None:
        """Note that a job has ended well."""
        self._write("a", "ended", number=number)

    def failed(self, number: int, reason: str) -> None:
        """Note that a job has failed."""
        self._write("a", "failed", number=number, reason=reason)

    def end(self) -> None:
        """Note that the run has ended."""
        self._write("a", "over")

    def _write(self, mode: str, what: str, **facts: Any) -> None:
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with open(self._path, mode, encoding="utf-8") as file:
                file.write(json.dumps({"what": what, "time": time.time(), **facts}) + "\n")
        except OSError:
            self._path = None


@dataclass
class JobsSoFar:
    """What the journal of a run tells.

    Attributes
    ----------
    began, last : times of its first and its last line, in seconds since 1970.
    counts : jobs of each rule that the run has.
    running : the jobs that were started and have not ended: number -> the facts of its start.
    seconds : how long the jobs of each rule took that have ended.
    failed : reasons of the jobs that failed and were not tried again.
    is_alive : whether the process that runs the workflow lives; None on another machine than its own.
    """

    began: float
    last: float
    counts: dict[str, int]
    running: dict[int, dict[str, Any]] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    is_over: bool = False
    is_alive: bool | None = None

    @property
    def n_jobs(self) -> int:
        """How many jobs the run has."""
        return sum(self.counts.values())

    @property
    def n_done(self) -> int:
        """How many of them have ended well."""
        return sum(map(len, self.seconds.values()))


def read_journal(folder: Path) -> JobsSoFar | None:
    """Read the journal in a folder of logs; None where there is none."""
    try:
        lines = (folder / _NAME).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    so_far = None
    for line in lines:
        if (entry := _entry(line)) is None:
            continue
        if entry["what"] == "began":
            so_far = JobsSoFar(entry["time"], entry["time"], entry["jobs"])
            so_far.is_alive = _is_alive(entry["pid"]) if entry["host"] == socket.gethostname() else None
        elif so_far is not None:
            _add(so_far, entry)
    return so_far


def _entry(line: str) -> dict[str, Any] | None:
    """Return what a line tells; None of one that is cut short or that `Journal` did not write."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or (facts := _FACTS.get(str(entry.get("what")))) is None:
        return None
    if not all(isinstance(entry.get(name), kinds) for name, kinds in facts.items()):
        return None
    is_sound = 0 <= entry["time"] < _MOST_TIME and 0 < entry.get("pid", 1) < _MOST_PID
    return entry if is_sound and all(isinstance(n, int) for n in entry.get("jobs", {}).values()) else None


def _add(so_far: JobsSoFar, entry: dict[str, Any]) -> None:
    so_far.last = entry["time"]
    if entry["what"] == "over":
        so_far.is_over = True
        return
    number = entry["number"]
    if entry["what"] == "started":
        so_far.running[number] = entry
        so_far.failed.pop(number, None)
        return
    start = so_far.running.pop(number, None)
    if entry["what"] == "failed":
        so_far.failed[number] = entry["reason"]
    elif start is not None:
        so_far.seconds.setdefault(start["rule"], []).append(entry["time"] - start["time"])


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
