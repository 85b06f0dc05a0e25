"""Runs work in a process forked from this one, under limits, killed at a moment of one's choice; says how it ended.

Forking is quick where this process has imported what the work needs and has run nothing of it: no thread may be alive.
A child ends through the C library's exit, so that what HDF5 does when a process ends is seen too.
"""

import atexit
import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

UNEXPECTED = 70  # exit code of work that ended with an exception that nothing turned into a line


@dataclass(frozen=True)
class Ending:
    """How a process ended.

    Attributes
    ----------
    code : the exit code; of a process that a signal ended, minus the signal.
    said : what it wrote to standard error and standard output.
    seconds : how long it ran.
    killed : the signal it was sent came before it had ended.
    hung : it ran longer than it was given.
    """

    code: int
    said: str
    seconds: float
    killed: bool = False
    hung: bool = False


def forked(
    work: Callable[[], object],
    *,
    kill: int | None = None,
    after_seconds: float = 0.0,
    limit_seconds: float = 180.0,
    file_bytes: int | None = None,
    memory_bytes: int | None = None,
) -> Ending:
    """Run `work` in a child process and wait for its end.

    Parameters
    ----------
    kill : the signal that the child is sent `after_seconds`; None sends none.
    limit_seconds : a child that runs longer is ended and counts as hung.
    file_bytes : the largest file the child may write.
    memory_bytes : address space that the child may take beyond this process'.
    """
    with tempfile.TemporaryFile() as said:
        started = time.monotonic()
        child = os.fork()
        if child == 0:
            _run(work, said.fileno(), file_bytes, memory_bytes)
        watched = os.pidfd_open(child)
        try:
            killed = hung = False
            if kill is not None and not _ends(watched, after_seconds):
                killed = True
                signal.pidfd_send_signal(watched, kill)
            if not _ends(watched, limit_seconds):
                hung = True
                os.kill(child, signal.SIGKILL)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            seconds = time.monotonic() - started
        finally:
            os.close(watched)
            _end_group(child)
        said.seek(0)
        return Ending(code, said.read().decode(errors="replace"), seconds, killed, hung)


def _ends(watched: int, seconds: float) -> bool:
    """Wait for the process behind a descriptor; return whether it has ended in time."""
    return bool(select.select([watched], [], [], seconds)[0])


def _end_group(child: int) -> None:
    """End what a killed child had started and nobody waits for."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left
        os.killpg(child, signal.SIGKILL)


def _run(work: Callable[[], object], output: int, file_bytes: int | None, memory_bytes: int | None) -> None:
    """Run `work` in this child and end it."""
    code = UNEXPECTED
    try:
        os.setsid()
        os.dup2(output, 1)
        os.dup2(output, 2)
        if file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
        if memory_bytes is not None:
            resource.setrlimit(resource.RLIMIT_AS, (_address_space() + memory_bytes,) * 2)
        work()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            ctypes.CDLL(None).exit(code)


def _address_space() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
