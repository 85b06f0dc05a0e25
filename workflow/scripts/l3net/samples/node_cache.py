"""Copies of shards on a disk of the node: made once, and read by every leg that runs there."""

import json
import logging
import os
import shutil
from pathlib import Path

from l3net.files import atomic, sha256_of
from l3net.runtime import lock_file

_SHARE_LEFT_FREE = 0.05  # of the disk
_log = logging.getLogger("l3net")


def cached_index(index: Path, folder: str | None) -> Path:
    """Copy `index` and the shards it lists to `folder` and return the copy; where that fails, return `index` itself.

    The copy has the same content, so a leg's fingerprint stays the same. Files that another leg, or another task on the
    node, has copied are not copied again. Nothing is removed: `folder` may be one that SLURM empties after the job, or
    one that is kept for the next leg.

    Parameters
    ----------
    index : JSON file written by index_shards; the paths in it are relative to it.
    folder : folder on a disk of this node. It may hold environment variables, written ``$TMPDIR`` or, as the cluster's
        profile writes them, ``%TMPDIR``. None copies nothing.
    """
    if folder is None:
        return index
    expanded = Path(os.path.expandvars(folder.replace("%", "$")))
    if "$" in str(expanded):
        _log.warning("node_cache %s names a variable that is not set here; reading the shards where they are", folder)
        return index
    try:
        target = expanded / f"l3net-{sha256_of(index)[:16]}"
        target.mkdir(parents=True, exist_ok=True)
        with (target / ".lock").open("w") as lock:
            # However many tasks of a node ask, one of them copies; without locks each may, under names of their own.
            lock_file(lock, without="tasks that start together on a node may each copy the shards")
            return _copy_into(target, index)
    except OSError as error:
        _log.warning("node_cache %s cannot be used (%s); reading the shards where they are", expanded, error)
        return index


def _copy_into(target: Path, index: Path) -> Path:
    copied = target / index.name
    shards = [Path(shard["path"]) for shard in json.loads(index.read_text(encoding="utf-8"))["shards"]]
    missing = [path for path in shards if not _has_size_of(target / path, index.parent / path)]
    n_bytes = sum((index.parent / path).stat().st_size for path in missing)
    disk = shutil.disk_usage(target)
    if n_bytes > disk.free - _SHARE_LEFT_FREE * disk.total:
        _log.warning(
            "node_cache %s: the shards take %.1f GB and %.1f GB are free; reading the shards where they are",
            target,
            n_bytes / 1e9,
            disk.free / 1e9,
        )
        return index
    for path in missing:
        with atomic.replacing(target / path) as temporary:
            shutil.copyfile(index.parent / path, temporary)
    with atomic.replacing(copied) as temporary:
        shutil.copyfile(index, temporary)
    _log.info(
        "copied %d shards of %s to %s (%.1f GB); %d were there already",
        len(missing),
        index,
        target,
        n_bytes / 1e9,
        len(shards) - len(missing),
    )
    return copied


def _has_size_of(copy: Path, original: Path) -> bool:
    """Return whether a copy is there in its whole length; its content is compared when a training first opens it."""
    return copy.is_file() and copy.stat().st_size == original.stat().st_size
