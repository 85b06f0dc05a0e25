"""Errors of the file system as one line each, which says what to do."""

import errno
import os
import re

from l3net.errors import one_line

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SYSTEM_ERRORS = {
    errno.ENOSPC: "the disk is full; make room, or write to another disk, then run again",
    errno.EDQUOT: "your quota of the disk is used up; make room, or write to another disk, then run again",
    errno.EFBIG: "the file would be larger than the limit of this shell or disk; raise it (ulimit -f), then run again",
    errno.EROFS: "the file system is read-only; write elsewhere, or have it mounted for writing",
    errno.EACCES: "permission denied; give yourself the right to it, or name another folder",
    errno.EPERM: "operation not permitted; give yourself the right to it, or name another folder",
    errno.ENAMETOOLONG: "the name is too long for the file system, which takes 255 bytes at most; choose a shorter one",
    errno.EIO: "the disk reports an error (EIO); see the system's log, then run again",
    errno.EINTR: "was being written when a signal came; run again to go on",
    errno.ENOLCK: "the file system has no service for locks (errno 37)",
}


def file_system_line(error: Exception, targets: list[str] = ()) -> str:
    """Return one line that says which file an error of the file system is about, what is wrong, and what to do.

    Parameters
    ----------
    targets : the files that may be meant where the error names none.
    """
    said = " ".join(str(getattr(error, "strerror", None) or error).split())[:200]
    number, named = system_errno(error), getattr(error, "filename", None)
    where = named if isinstance(named, str) else ", ".join(map(str, targets[:3]))
    what = _SYSTEM_ERRORS.get(number, said)
    return one_line(f"{where}: {what}" if where else what)


def system_errno(error: Exception) -> int | None:
    """Return the system's number of an error; None where it is not of the system, as errors of the network are.

    HDF5 and polars tell the number in their text only, and TensorFlow, whose errors are of another kind, the system's
    words for it, or what Python said in a function that it called.
    """
    if isinstance(error, OSError):
        if error.errno is None and (found := re.search(r"(?:errno = |os error )(\d+)", str(error))):
            return int(found[1])
        return error.errno
    if type(error).__module__.startswith("tensorflow."):
        if found := re.search(r"OSError: \[Errno (\d+)\]", str(error)):
            return int(found[1])
        return next((number for number in _SYSTEM_ERRORS if f"; {os.strerror(number)}" in str(error)), None)
    return None
