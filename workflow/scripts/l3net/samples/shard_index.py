"""The index of a split: its shards with their counts and digests, as one small JSON file.

Training depends on this file, not on the hundreds of shards behind it. Paths are relative to the index.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from l3net.errors import ShardError
from l3net.runtime import atomic

INDEX_VERSION = 2


@dataclass(frozen=True)
class IndexedShard:
    """One shard: its path (relative in the file, absolute after `read`), digest and counts."""

    path: str
    sha256: str
    n_samples: int
    n_clips: int


@dataclass(frozen=True)
class ShardIndex:
    """The shards of a subset and split. Every clip has `samples_per_clip` samples."""

    subset: str
    split: str
    image_size: int
    sample_rate: int
    samples_per_clip: int
    n_samples: int
    n_clips: int
    largest_image_bytes: int
    shards: list[IndexedShard]
    format_version: int = INDEX_VERSION


def write_shard_index(index: ShardIndex, path: Path) -> None:
    """Write an index as JSON, whole or not at all."""
    atomic.write_text(path, json.dumps(asdict(index), indent=1) + "\n")


def read_shard_index(path: Path) -> ShardIndex:
    """Return the index at `path`, with absolute paths of the shards.

    Raises
    ------
    ShardError
        A file that is missing, no index, of another format version, without samples, or whose shards are gone.
    """
    path = Path(path)
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        if (version := fields["format_version"]) != INDEX_VERSION:
            raise ShardError(
                f"{path} has index format version {version}; this code reads version {INDEX_VERSION}: "
                "make it again (-R index_shards)"
            )
        shards = [IndexedShard(**shard) for shard in fields.pop("shards")]
        index = ShardIndex(**fields, shards=[_absolute(shard, path.parent) for shard in shards])
    except FileNotFoundError:
        raise ShardError(f"{path} does not exist; make it (index_shards)") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ShardError(f"{path} is not an index of shards (JSON written by index_shards): {error}") from None
    if missing := [shard.path for shard in index.shards if not Path(shard.path).is_file()]:
        raise ShardError(
            f"{path} names {len(missing)} shards that are gone, first {missing[0]}; make them again (make_shard)"
        )
    return index


def _absolute(shard: IndexedShard, folder: Path) -> IndexedShard:
    return IndexedShard(**{**asdict(shard), "path": str((folder / shard.path).resolve())})
