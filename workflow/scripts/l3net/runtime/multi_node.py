"""One stage as several processes: the tasks of a SLURM allocation, started by srun from the job Snakemake started."""

import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from l3net.errors import ConfigError, L3Error
from l3net.runtime import stage

_log = logging.getLogger("l3net")


def is_asked(tasks: int) -> bool:
    """Return whether this process is to start `tasks` processes: more than one, and it is not one of them itself."""
    return tasks > 1 and int(os.environ.get("SLURM_STEP_NUM_TASKS", "1")) == 1


def run_tasks(function: Callable[..., Any], script: Path, arguments: dict[str, Any], *, tasks: int, cpus: int) -> None:
    """Run the stage `function` of `script` in each of `tasks` tasks of this allocation, and wait; log what they say.

    Parameters
    ----------
    arguments : of `function`; they reach the tasks as its command line.
    tasks : processes, spread over the nodes of the allocation.
    cpus : of each task.

    Raises
    ------
    ConfigError
        Outside a SLURM allocation.
    L3Error
        A task failed; srun has ended the others.
    """
    if "SLURM_JOB_ID" not in os.environ:
        raise ConfigError(f"{tasks} tasks are asked for, but this is no SLURM job; set the resource tasks to 1")
    nodes = _nodes(os.environ["SLURM_JOB_ID"])
    command = ["srun", f"--nodes={len(nodes)}", f"--ntasks={tasks}", f"--cpus-per-task={cpus}", "--kill-on-bad-exit=1"]
    command += ["--label", sys.executable, str(script), *stage.options(function, arguments)]
    addresses = ",".join(f"{name}={address}" for name, address in nodes.items())
    _log.info("starting %d tasks on %s", tasks, ", ".join(nodes))
    process = subprocess.Popen(
        command,
        env={**os.environ, "L3NET_ADDRESSES": addresses},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    # What ends this job must reach the tasks: they keep their state and stop.
    before = signal.signal(signal.SIGTERM, lambda number, frame: process.send_signal(number))
    try:
        for line in process.stdout:
            _log.info("%s", line.rstrip())
        code = process.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
    if code != 0:
        raise L3Error(f"a task of {tasks} ended with exit code {code}; its last lines are in the log above")


def _nodes(job: str) -> dict[str, str]:
    """Return the names of a job's nodes with the addresses SLURM has for them, in SLURM's order."""

    def scontrol(*words: str) -> str:
        return subprocess.run(["scontrol", *words], check=True, capture_output=True, text=True).stdout

    try:
        listed = re.search(r"\bNodeList=(\S+)", scontrol("show", "job", job))
        names = scontrol("show", "hostnames", listed.group(1)).split()
        lines = scontrol("show", "node", "--oneliner", ",".join(names)).splitlines()
    except (OSError, subprocess.CalledProcessError, AttributeError) as error:
        raise L3Error(f"SLURM does not tell the nodes of job {job}: {getattr(error, 'stderr', error)}") from None
    found = {re.search(r"NodeName=(\S+)", line).group(1): re.search(r"NodeAddr=(\S+)", line).group(1) for line in lines}
    return {name: found[name] for name in names}
