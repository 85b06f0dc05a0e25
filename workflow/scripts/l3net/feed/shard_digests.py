"""Comparing shards with the digests of their index: each shard once, however many readers, epochs and legs open it."""

import os
from contextlib import suppress
from pathlib import Path

from l3net.errors import ShardError
from l3net.files import sha256_of, stable_hash
from l3net.runtime import lock_file
from l3net.samples import IndexedShard

_compared: set[str] = set()  # by this process


def demand_digest(entry: IndexedShard, index: str, marks: Path | None) -> None:
    """Compare a shard with the SHA-256 that its index has, unless that was done since the file was last written.

    Parameters
    ----------
    entry : the shard, as the index describes it.
    index : path of the index, for messages.
    marks : folder in which a file for each shard says that it was compared, so that other readers and later legs need
        not do it; a reader waits while another compares. None remembers what this process has compared.

    Raises
    ------
    ShardError
        The shard is missing, cannot be read, or has another digest.
    """
    try:
        status = Path(entry.path).stat()
        fact = f"{entry.sha256} {status.st_size} {status.st_mtime_ns} {entry.path}"
        if fact in _compared:
            return
        if marks is None:
            _compare(entry, index)
        else:
            _compare_once(entry, index, fact, marks)
    except FileNotFoundError:
        raise ShardError(f"{entry.path} does not exist; make it (make_shard)") from None
    except OSError as error:
        raise ShardError(f"{entry.path} cannot be read: {error.strerror or error}") from None
    _compared.add(fact)


def _compare_once(entry: IndexedShard, index: str, fact: str, marks: Path) -> None:
    try:
        marks.mkdir(parents=True, exist_ok=True)
        mark = open(marks / f"{stable_hash(fact):016x}", "a+", encoding="utf-8", errors="replace")  # noqa: SIM115
    except OSError:  # a folder that cannot be written to; the comparison is what matters
        _compare(entry, index)
        return
    with mark:
        lock_file(mark, without="readers may compare a shard with its digest more than once")
        mark.seek(0)
        if mark.read(len(fact) + 1) != fact:
            _compare(entry, index)
            with suppress(OSError):  # a full disk, which is no fault of the shard
                mark.truncate(0)
                os.write(mark.fileno(), fact.encode())


def _compare(entry: IndexedShard, index: str) -> None:
    if (found := sha256_of(Path(entry.path))) != entry.sha256:
        raise ShardError(
            f"{entry.path} is not the shard that {index} describes: its SHA-256 begins {found[:12]}, expected "
            f"{entry.sha256[:12]}; make the shard again (-R make_shard), or the index where the shard is right "
            "(-R index_shards); remove a copy in train.node_cache"
        )
