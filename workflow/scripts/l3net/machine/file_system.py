"""Disks: the room where results and clips go, whether locks work there, and the shared memory of the feed."""

import errno
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

from l3net.machine.finding import Finding

_DEMO_GIGABYTES = 2
_SHM_GIGABYTES = 1.0


def examine_disk(subject: str, folder: Path) -> Finding:
    """Tell the room at a folder that may not be there yet."""
    there = _nearest(folder)
    free, kind = shutil.disk_usage(there).free / 1e9, _kind_of(there)
    found = f"{folder}: {free:.0f} GB free{f', {kind}' if kind else ''}"
    if not os.access(there, os.W_OK):
        return Finding(subject, "bad", f"{folder}: {there} cannot be written", "choose a folder of your own, or a link")
    if free < _DEMO_GIGABYTES:
        return Finding(subject, "bad", found, "make room: the demo takes 1 GB, the paper 2.6 TB (docs/scale.md)")
    return Finding(subject, "good", found)


def examine_locks(folder: Path) -> Finding:
    """Try both kinds of locks on a file beside the results."""
    there = _nearest(folder)
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(file, fcntl.LOCK_UN)
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL):
            return Finding("locks", "bad", f"{there}: {error.strerror}", "choose a folder that can be written")
        advice = (
            "one run at a time here, as nothing keeps a second one out; fetch with audioset.store on a disk with locks"
        )
        return Finding("locks", "note", f"{there}: its file system has no lock service ({error.strerror})", advice)
    return Finding("locks", "good", f"{there}: flock and lockf work")


def examine_shared_memory(folder: Path = Path("/dev/shm")) -> Finding:
    """Tell the shared memory through which the feed's processes hand batches over."""
    if not folder.is_dir():
        advice = "train.feed_workers: 0 reads in the training's own process"
        return Finding("shared memory", "note", f"no {folder}", advice)
    free = shutil.disk_usage(folder).free / 1e9
    advice = "a container: docker run --shm-size=4g; or train.feed_workers: 0" if free < _SHM_GIGABYTES else ""
    return Finding("shared memory", "note" if advice else "good", f"{folder}: {free:.1f} GB free", advice)


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest above it that is there."""
    folder = folder.absolute()
    while not folder.is_dir():
        folder = folder.parent
    return folder


def _kind_of(folder: Path, mounts: Path = Path("/proc/mounts")) -> str:
    """Return the kind of the file system that a folder is on, such as nfs4; empty where the machine does not tell."""
    try:
        lines = [line.split() for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return ""
    at = {Path(line[1].replace("\\040", " ")): line[2] for line in lines if len(line) > 2}
    return next((at[place] for place in [folder.resolve(), *folder.resolve().parents] if place in at), "")
