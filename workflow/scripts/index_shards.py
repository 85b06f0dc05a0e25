"""Index the shards of a subset and split: counts, digests, and a check that they belong together."""

import os
from pathlib import Path

from l3net.audioset import split_of
from l3net.errors import ShardError
from l3net.runtime import sha256_of, stage, track_progress
from l3net.samples import IndexedShard, Shard, ShardIndex, write_shard_index

_SHARED = ("subset", "parts", "image_size", "short_side", "sample_rate", "samples_per_clip", "pairing", "seed")


def index_shards(shards: list[Path], index: Path) -> None:
    """Write the index of the shards of one split as JSON (docs/formats.md). Shards without samples are left out.

    Parameters
    ----------
    shards : HDF5 files written by make_shard with the same settings.
    index : JSON file to write.

    Raises
    ------
    ShardError
        A damaged shard; shards with different settings, or of different splits; no sample at all.
    """
    entries, seen, largest = [], {}, 0
    for path in track_progress(shards, "indexing", unit="shards"):
        entry, attributes, image = _examine(Path(path), Path(index).parent)
        for name, value in attributes.items():
            first, known = seen.setdefault(name, (path, value))
            if known != value:
                raise ShardError(
                    f"{path} has {name} {value}, {first} has {known}; expected shards of one split made with the same "
                    "settings: make them again (-R make_shard)"
                )
        entries.append(entry)
        largest = max(largest, image)
    settings = {name: value for name, (_, value) in seen.items()}
    if not any(entry.n_samples for entry in entries):
        raise ShardError(
            f"{index}: none of {len(entries)} shards holds a sample; expected two usable clips or more in a part"
        )
    write_shard_index(_index(entries, settings, largest), Path(index))


def _examine(path: Path, folder: Path) -> tuple[IndexedShard, dict[str, object], int]:
    """Return a shard's entry, the settings it must share with the others, and its largest image in bytes."""
    with Shard(path) as shard:
        shard.check()
        attributes = {name: _plain(shard.attributes[name]) for name in _SHARED}
        attributes["split"] = split_of(int(shard.attributes["part"]), int(shard.attributes["parts"]))
        n_samples, n_clips, image = shard.n_samples, shard.n_clips, shard.largest_image()
    entry = IndexedShard(
        path=os.path.relpath(path, folder), sha256=sha256_of(path), n_samples=n_samples, n_clips=n_clips
    )
    return entry, attributes, image


def _index(entries: list[IndexedShard], settings: dict[str, object], largest: int) -> ShardIndex:
    return ShardIndex(
        subset=settings["subset"],
        split=settings["split"],
        image_size=settings["image_size"],
        sample_rate=settings["sample_rate"],
        samples_per_clip=settings["samples_per_clip"],
        n_samples=sum(entry.n_samples for entry in entries),
        n_clips=sum(entry.n_clips for entry in entries),
        largest_image_bytes=largest,
        shards=[entry for entry in entries if entry.n_samples],
    )


def _plain(value: object) -> object:
    return value.item() if hasattr(value, "item") else value


if __name__ == "__main__":
    stage.main(index_shards, globals().get("snakemake"))
