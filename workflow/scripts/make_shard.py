"""Make the shard of one part: decode its clips once, keep the crops and sounds that samples use, write the recipes."""

import logging
from pathlib import Path

from l3net import samples
from l3net.files import atomic
from l3net.runtime import stage

_log = logging.getLogger("l3net")


def make_shard(
    clips: Path,
    manifest: Path,
    shard: Path,
    *,
    store: Path,
    seed: int,
    subset: str,
    part: int,
    parts: int,
    split: str = "hash",
    samples_per_clip: int = 253,
    frames_per_clip: int = 300,
    short_side: int = 256,
    jpeg_quality: int = 90,
    image_size: int = 224,
    pairing: str = "overlapping",
    hard_negatives: float = 0.0,
) -> None:
    """Write the samples of one part of a subset as one HDF5 file (docs/formats.md).

    A clip that cannot be decoded, or is shorter than a second, is left out with the reason in the table ``left_out``;
    the samples of the others stay the same, except the sound of negatives that would have come from it.

    Parameters
    ----------
    clips : CSV of the subset's clips (select_clips).
    manifest : CSV of the part's clips (fetch_clips).
    shard : HDF5 file to write.
    store : folder of the clips.
    seed : seed of everything that is drawn.
    subset : name of the subset.
    part, parts : number of the part, and how many parts there are.
    split : how videos are dealt into parts: hash | balanced | column.
    samples_per_clip : number of samples drawn of each clip.
    frames_per_clip : number of distinct frames used of a clip, at most.
    short_side : pixels of the shorter side of the scaled frames.
    jpeg_quality : quality of the images, 1 to 100.
    image_size : pixels of the square crop's side.
    pairing : overlapping | clip | last_frame.
    hard_negatives : share of the negatives whose sound is of their own clip, at another time.

    Raises
    ------
    ConfigError
        Settings exclude each other.
    ClipError
        The list or the manifest cannot be read.
    ShardError
        The written file does not read back.
    """
    recipes = samples.Recipes(
        seed=seed,
        subset=subset,
        part=part,
        samples_per_clip=samples_per_clip,
        frames_per_clip=frames_per_clip,
        image_size=image_size,
        pairing=pairing,
        hard_negatives=hard_negatives,
    )
    settings = samples.ShardSettings(recipes, parts, short_side, jpeg_quality)
    of_part = samples.read_part(clips, manifest, part=part, parts=parts, split=split)
    with atomic.replacing(shard) as temporary:
        counts = samples.assemble_shard(temporary, of_part, settings, store=Path(store))
    _log.info(
        "%s: %d samples of %d clips, %d clips left out", shard, counts.n_samples, counts.n_clips, counts.n_left_out
    )


if __name__ == "__main__":
    stage.main(make_shard, globals().get("snakemake"))
