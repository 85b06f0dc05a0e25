"""Running one stage as several processes: the tasks of a SLURM allocation, which srun starts from Snakemake's job."""

import functools
import inspect
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


def runs_in_tasks(function: Callable[..., None]) -> Callable[..., None]:
    """Let a stage run in several tasks that work together, where its argument ``tasks`` asks for more than one.

    Called in Snakemake's job, the stage then starts the tasks, each with the same arguments and ``threads`` CPUs, and
    waits for them; called in one of the tasks, it does its work.
    """

    @functools.wraps(function)
    def in_tasks(*args: Any, **options: Any) -> None:
        given = inspect.signature(function).bind(*args, **options)
        given.apply_defaults()
        tasks, n_running = given.arguments["tasks"], int(os.environ.get("SLURM_STEP_NUM_TASKS", "1"))
        if tasks > 1 and n_running == 1:
            # Snakemake runs a copy of the script that begins with the job's own settings; ``__file__`` is the script.
            script = Path(function.__globals__["__file__"])
            run_tasks(function, script, given.arguments, tasks=tasks, cpus=given.arguments["threads"])
        else:
            function(*args, **options)

    return in_tasks


def run_tasks(function: Callable[..., Any], script: Path, arguments: dict[str, Any], *, tasks: int, cpus: int) -> None:
    """Run a stage in each of `tasks` tasks of this SLURM allocation, wait for them, and log what they print.

    Parameters
    ----------
    function : the stage.
    script : its script, which is a command.
    arguments : arguments of the stage; they reach the tasks as its command line.
    tasks : number of processes, spread over the nodes of the allocation.
    cpus : number of CPUs of each task.

    Raises
    ------
    ConfigError
        This is no SLURM job.
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
    # SIGTERM must reach the tasks, so that they save their state before they stop.
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
    """Ask SLURM for the names of a job's nodes and their addresses; they come in SLURM's order."""

    def scontrol(*words: str) -> str:
        return subprocess.run(["scontrol", *words], check=True, capture_output=True, text=True).stdout

    try:
        listed = re.search(r"\bNodeList=(\S+)", scontrol("show", "job", job))
        names = scontrol("show", "hostnames", listed.group(1)).split()
        lines = scontrol("show", "node", "--oneliner", ",".join(names)).splitlines()
    except (OSError, subprocess.CalledProcessError, AttributeError) as error:
        raise L3Error(f"SLURM does not name the nodes of job {job}: {getattr(error, 'stderr', error)}") from None
    found = {re.search(r"NodeName=(\S+)", line).group(1): re.search(r"NodeAddr=(\S+)", line).group(1) for line in lines}
    return {name: found[name] for name in names}
