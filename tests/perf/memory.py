"""The memory of the process that is measured; this module imports nothing that would add to it."""

from pathlib import Path


def peak_megabytes() -> float:
    """Return the largest memory of this process since it began its program.

    ``ru_maxrss`` is no such figure: it is at least what the parent held when it forked, and exec keeps it.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
