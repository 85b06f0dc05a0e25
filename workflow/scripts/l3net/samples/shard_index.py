"""The index of a split: its shards with their counts and digests, as one small JSON file.

Training depends on this file, not on the hundreds of shards behind it. Paths are relative to the index.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from l3net.audioset import split_of
from l3net.errors import ShardError
from l3net.files import Fields, atomic, read_fields, sha256_of
from l3net.samples.shard_reader import Shard

INDEX_VERSION = 2
_SHARED = ("subset", "parts", "image_size", "short_side", "sample_rate", "samples_per_clip", "pairing", "seed")
# Ranges of the numbers in an index. A batch makes room for `largest_image_bytes` of each of its images.
_LIMITS = {
    "image_size": (1, 4320),
    "sample_rate": (1, 1_000_000),
    "samples_per_clip": (1, 1_000_000),
    "n_samples": (1,),
    "n_clips": (1,),
    "largest_image_bytes": (1, 64 << 20),
}
_FIRST_RECIPES = {"recipe_version": 1}  # of shards from before recipes had versions


@dataclass(frozen=True)
class IndexedShard:
    """One shard: its path (relative in the file, absolute once it is read), digest and counts."""

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

    def pairing(self) -> str:
        """Return how the samples pair frame and sound (`recipes.PAIRINGS`), as the first shard says."""
        with Shard(Path(self.shards[0].path)) as shard:
            return str(shard.attributes["pairing"])


@dataclass(frozen=True)
class _ExaminedShard:
    """A shard's entry, the settings that all shards of a split share, and its largest image in bytes."""

    entry: IndexedShard
    settings: dict[str, Any]
    largest_image_bytes: int


def index_of_shards(paths: Iterable[Path], target: Path) -> ShardIndex:
    """Examine the shards of one split and make their index; shards without samples are left out.

    Parameters
    ----------
    paths : HDF5 files written by make_shard with the same settings.
    target : the file that the index will be written to; the paths in it are relative to its folder.

    Raises
    ------
    ShardError
        A shard is damaged, shards have different settings or are of different splits, or none has a sample.
    """
    examined: list[_ExaminedShard] = []
    first_path = None
    for path in paths:
        examined.append(_examine(Path(path), target.parent))
        first_path = first_path or path
        for name, known in examined[0].settings.items():
            if (value := examined[-1].settings[name]) != known:
                raise ShardError(
                    f"{path} has {name} {value}, {first_path} has {known}; expected shards of one split made with the "
                    "same settings: make them again (-R make_shard)"
                )
    entries = [shard.entry for shard in examined]
    if not any(entry.n_samples for entry in entries):
        raise ShardError(
            f"{target}: none of {len(entries)} shards holds a sample; expected a part with usable clips of two videos"
        )
    settings = examined[0].settings
    return ShardIndex(
        subset=settings["subset"],
        split=settings["split"],
        image_size=settings["image_size"],
        sample_rate=settings["sample_rate"],
        samples_per_clip=settings["samples_per_clip"],
        n_samples=sum(entry.n_samples for entry in entries),
        n_clips=sum(entry.n_clips for entry in entries),
        largest_image_bytes=max(shard.largest_image_bytes for shard in examined),
        shards=[entry for entry in entries if entry.n_samples],
    )


def write_shard_index(index: ShardIndex, path: Path) -> None:
    """Write an index as JSON, whole or not at all."""
    atomic.write_text(path, json.dumps(asdict(index), indent=1) + "\n")


def read_shard_index(path: Path) -> ShardIndex:
    """Read the index at `path`; the paths of its shards become absolute.

    Raises
    ------
    ShardError
        The file is missing, is no index, has another format version, or names shards that are gone.
    """
    path = Path(path)
    what = "an index of shards (JSON written by index_shards)"
    found = read_fields(path, ShardError, what, missing="make it (index_shards)")
    if (version := found.whole("format_version")) != INDEX_VERSION:
        raise ShardError(
            f"{path} has index format version {version}; this code reads version {INDEX_VERSION}: "
            "make it again (-R index_shards)"
        )
    found.only(*(field.name for field in fields(ShardIndex)))
    index = ShardIndex(
        subset=found.text("subset", longest=100),
        split=found.text("split", longest=100),
        shards=[_indexed_shard(entry, n, path) for n, entry in enumerate(found.array("shards"))],
        **{name: found.whole(name, *limits) for name, limits in _LIMITS.items()},
    )
    if not index.shards:
        raise ShardError(f"{path} names no shard; make it again (-R index_shards)")
    if missing := [shard.path for shard in index.shards if not Path(shard.path).is_file()]:
        raise ShardError(
            f"{path} names {len(missing)} shards that are gone, first {missing[0]}; make them again (make_shard)"
        )
    return index


def _examine(path: Path, folder: Path) -> _ExaminedShard:
    with Shard(path) as shard:
        shard.check()
        attributes = {**_FIRST_RECIPES, **shard.attributes}
        settings = {name: _as_python(attributes[name]) for name in (*_SHARED, *_FIRST_RECIPES)}
        settings["split"] = split_of(int(shard.attributes["part"]), int(shard.attributes["parts"]))
        n_samples, n_clips, largest_image = shard.n_samples, shard.n_clips, shard.largest_image()
    entry = IndexedShard(
        path=os.path.relpath(path, folder), sha256=sha256_of(path), n_samples=n_samples, n_clips=n_clips
    )
    return _ExaminedShard(entry, settings, largest_image)


def _indexed_shard(values: Any, number: int, index: Path) -> IndexedShard:
    """Return an entry of an index, its path absolute."""
    found = Fields(values, f"{index}: shard {number}", ShardError)
    found.only(*(field.name for field in fields(IndexedShard)))
    return IndexedShard(
        path=str((index.parent / found.text("path", longest=4096)).resolve()),
        sha256=found.text("sha256", longest=64),
        n_samples=found.whole("n_samples", 1),
        n_clips=found.whole("n_clips", 1),
    )


def _as_python(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
