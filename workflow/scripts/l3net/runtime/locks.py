"""Locks of files between processes, which not every file system has."""

import fcntl
import logging
from typing import IO

_log = logging.getLogger("l3net")
_said: set[str] = set()


def lock_file(file: IO, *, wait: bool = True, without: str) -> bool:
    """Lock `file` until it is closed; return False where another process holds it, or where there are no locks.

    A file system without a lock service (NFS without lockd, errno 37) is said once, and work goes on.

    Parameters
    ----------
    wait : whether to wait while another process holds it.
    without : what is not done, or done differently, where there are no locks; for the log.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        if without not in _said:
            _said.add(without)
            _log.warning("%s: this file system has no locks (%s): %s", file.name, error.strerror, without)
        return False
    return True
