"""Index the shards of a subset and split: counts, digests, and a check that they belong together."""

from pathlib import Path

from l3net import samples
from l3net.runtime import stage, track_progress


def index_shards(shards: list[Path], index: Path) -> None:
    """Write the index of the shards of one split as JSON (docs/formats.md). Shards without samples are left out.

    Parameters
    ----------
    shards : HDF5 files written by make_shard with the same settings.
    index : JSON file to write.

    Raises
    ------
    ShardError
        A shard is damaged, shards have different settings or are of different splits, or none has a sample.
    """
    paths = track_progress(shards, "indexing", unit="shards")
    samples.write_shard_index(samples.index_of_shards(paths, Path(index)), Path(index))


if __name__ == "__main__":
    stage.main(index_shards, globals().get("snakemake"))
