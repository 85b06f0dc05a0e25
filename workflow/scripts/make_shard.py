"""Make the shard of one part: decode its clips once, keep what is used of frames and sounds, write the recipes."""

import logging
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from l3net.audioset import CLIP_KEY, USABLE_STATUSES, clip_path, part_of, read_clip_list, read_manifest
from l3net.errors import ClipError, ConfigError, ShardError
from l3net.media import FPS, SAMPLE_RATE, read_outline
from l3net.runtime import atomic, provenance, stage, track_progress
from l3net.samples import SAMPLE, Recipes, Shard, ShardWriter, decode_crops, limit_gains

# Samples; Matroska gives times in milliseconds, so its last packet of sound may seem to end that much later.
_CONTAINER_STEP = 48
_log = logging.getLogger("l3net")
_FRAME_SECONDS = 1 / FPS


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
    the samples of the others do not change by it, except the sound of negatives that would have come from it. Memory
    holds one clip's sound and images (about 4 MB for 10 s at 224 pixels) and the recipes, whatever the part's size.

    Parameters
    ----------
    clips : CSV of the subset's clips (select_clips).
    manifest : CSV of the part's clips (fetch_clips).
    shard : HDF5 file to write.
    store : folder of the clips.
    seed : of everything that is drawn.
    subset : its name.
    part, parts : which of how many hash slices.
    samples_per_clip : samples drawn of each clip.
    frames_per_clip : distinct frames used of a clip, at most.
    short_side : pixels of the shorter side of the scaled frames.
    jpeg_quality : 1 to 100, of the images.
    image_size : pixels of the square crop.
    pairing : overlapping | last_frame.
    hard_negatives : share of the negatives whose sound is of their own clip, at another time.

    Raises
    ------
    ConfigError
        Settings that exclude each other.
    ShardError
        When the written file does not read back.
    """
    if image_size > short_side:
        raise ConfigError(
            f"samples.image_size is {image_size} but samples.short_side {short_side}; expected a crop within the frame"
        )
    recipes = Recipes(
        seed=seed,
        subset=subset,
        part=part,
        samples_per_clip=samples_per_clip,
        frames_per_clip=frames_per_clip,
        image_size=image_size,
        pairing=pairing,
        hard_negatives=hard_negatives,
    )
    settings = {**asdict(recipes), "parts": parts, "short_side": short_side, "jpeg_quality": jpeg_quality}
    rows = _clips_of_part(clips, manifest, part, parts)
    with atomic.replacing(shard) as temporary:
        attributes = {**settings, "sample_rate": SAMPLE_RATE, **provenance.describe(**settings)}
        writer = ShardWriter(temporary, attributes)
        try:
            homes, left_out = _add_clips(writer, recipes, rows, Path(store), short_side, jpeg_quality)
            if len(homes) == 1:
                left_out.append((*writer.clip_key(0), "alone in its part: no other clip to mismatch it with"))
                homes.clear()
                writer.clear()
            writer.finish(_complete(writer, recipes, homes), left_out)
        finally:
            writer.close()
        _verify(temporary, len(homes) * samples_per_clip)
    _log.info(
        "%s: %d samples of %d clips, %d clips left out", shard, len(homes) * samples_per_clip, len(homes), len(left_out)
    )


def _clips_of_part(clips: Path, manifest: Path, part: int, parts: int) -> pd.DataFrame:
    """Return the part's clips of the subset, in the list's order, with their status; ``row`` counts all of them."""
    table = read_clip_list(clips)
    table = table[[part_of(ytid, parts) == part for ytid in table["ytid"]]].reset_index(drop=True)
    status = read_manifest(manifest)[[*CLIP_KEY, "status"]]
    return table.merge(status, on=CLIP_KEY, how="left").rename_axis("row").reset_index()


def _add_clips(
    writer: ShardWriter,
    recipes: Recipes,
    rows: pd.DataFrame,
    store: Path,
    short_side: int,
    jpeg_quality: int,
) -> tuple[list[np.ndarray], list[tuple[str, float, float, str]]]:
    """Decode the usable clips into the shard; return the recipes of each, and the clips left out with the reason."""
    homes, left_out = [], []
    usable = rows[rows["status"].isin(USABLE_STATUSES)]
    for clip in track_progress(list(usable.itertuples(index=False)), "decoding", unit="clips"):
        path = clip_path(store, clip.ytid, clip.start_seconds, clip.end_seconds)
        try:
            outline = read_outline(path)
            n_sound = _covered(path, outline.times, outline.n_sound)
            size = outline.scaled(short_side)
            home = recipes.home(clip.row, outline.times, n_sound, size)
            decoded = decode_crops(
                path,
                home["frame"],
                np.stack([home["crop_y"], home["crop_x"]], 1),
                image_size=recipes.image_size,
                short_side=short_side,
                jpeg_quality=jpeg_quality,
            )
            if not np.allclose(decoded.times, home["time"], atol=1e-3):
                raise ClipError(f"{path}: frames decode at other times than the container says")
            if len(decoded.pcm) < n_sound - _CONTAINER_STEP:
                raise ClipError(f"{path}: decodes to {len(decoded.pcm)} samples of sound; expected {n_sound}")
            pcm = np.pad(decoded.pcm, (0, max(0, n_sound - len(decoded.pcm))), mode="edge")[:n_sound]
        except ClipError as error:
            _log.warning("left out: %s", error)
            left_out.append((clip.ytid, clip.start_seconds, clip.end_seconds, str(error).removeprefix(f"{path}: ")))
            continue
        fields = {
            "ytid": clip.ytid,
            "start_seconds": clip.start_seconds,
            "end_seconds": clip.end_seconds,
            "row": clip.row,
        }
        writer.add_clip(decoded.images, pcm, clip.labels, width=size[0], height=size[1], **fields)
        homes.append(home)
    return homes, left_out


def _covered(path: Path, times: np.ndarray, n_sound: int) -> int:
    """Return how many samples of the sound the picture covers."""
    seconds = times[-1] + _FRAME_SECONDS if len(times) else 0.0
    n = min(n_sound, round(seconds * SAMPLE_RATE))
    if n < SAMPLE_RATE:
        raise ClipError(f"{path}: {n / SAMPLE_RATE:.2f} s of picture with sound; expected a second or more")
    return n


def _complete(writer: ShardWriter, recipes: Recipes, homes: list[np.ndarray]) -> np.ndarray:
    """Pair the recipes with sounds and limit their gains; return the table of samples."""
    if not homes:
        return np.zeros(0, SAMPLE)
    lengths = writer.clip_field("sound_length")
    for clip, (home, row) in enumerate(zip(homes, writer.clip_field("row"), strict=True)):
        recipes.pair(home, clip, int(row), lengths)
    table = np.concatenate(homes)
    for clip in range(len(homes)):
        limit_gains(table, clip, writer.pcm(clip))
    return table


def _verify(path: Path, n_samples: int) -> None:
    with Shard(path) as written:
        written.check()
        if written.n_samples != n_samples:
            raise ShardError(
                f"{path} reads back with {written.n_samples} samples; expected {n_samples}: is the disk full?"
            )


if __name__ == "__main__":
    stage.main(make_shard, globals().get("snakemake"))
