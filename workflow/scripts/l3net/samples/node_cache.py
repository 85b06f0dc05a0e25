"""Shards on a disk of the node: copied there once, read from there by every leg that runs on it."""

import fcntl
import json
import logging
import os
import shutil
from pathlib import Path

from l3net.runtime import atomic, sha256_of

_RESERVE = 0.05  # share of the disk that is left free
_log = logging.getLogger("l3net")


def cached_index(index: Path, folder: str | None) -> Path:
    """Return a copy of `index`, and of the shards it lists, under `folder`; `index` itself where that cannot be.

    The copy has the same content, so a leg's fingerprint stays the same. What is already there is used: another leg, or
    another task on the node, has copied it. Nothing is removed; a folder that SLURM empties after the job is right, and
    so is one that is kept for the next leg.

    Parameters
    ----------
    index : JSON of index_shards; the paths in it are relative to it.
    folder : a folder on a disk of this node, with environment variables (``%TMPDIR``, as the cluster's profile writes
        them, or ``$TMPDIR``); None: no copy.
    """
    if folder is None:
        return index
    place = Path(os.path.expandvars(folder.replace("%", "$")))
    if "$" in str(place):
        _log.warning("scratch %s names a variable that is not set here; reading the shards where they are", folder)
        return index
    try:
        target = place / f"l3net-{sha256_of(index)[:16]}"
        target.mkdir(parents=True, exist_ok=True)
        with (target / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # one copy, however many tasks of a node ask for it
            return _copy(index, target)
    except OSError as error:
        _log.warning("scratch %s cannot be used (%s); reading the shards where they are", place, error)
        return index


def _copy(index: Path, target: Path) -> Path:
    copied = target / index.name
    shards = [Path(shard["path"]) for shard in json.loads(index.read_text(encoding="utf-8"))["shards"]]
    missing = [path for path in shards if not (target / path).exists()]
    size = sum((index.parent / path).stat().st_size for path in missing)
    disk = shutil.disk_usage(target)
    if size > disk.free - _RESERVE * disk.total:
        _log.warning(
            "scratch %s: %.1f GB of shards, %.1f GB free; reading them where they are",
            target,
            size / 1e9,
            disk.free / 1e9,
        )
        return index
    for path in missing:
        with atomic.replacing(target / path) as temporary:
            shutil.copyfile(index.parent / path, temporary)
    with atomic.replacing(copied) as temporary:
        shutil.copyfile(index, temporary)
    _log.info(
        "shards of %s: %d copied to %s (%.1f GB), %d were there",
        index,
        len(missing),
        target,
        size / 1e9,
        len(shards) - len(missing),
    )
    return copied
