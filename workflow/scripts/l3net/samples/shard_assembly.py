"""Assembling the shard of one part: decoding its clips, drawing their recipes, pairing frames with sounds."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from l3net.audioset import CLIP_KEY, USABLE_STATUSES, clip_path, part_of, read_clip_list, read_manifest
from l3net.errors import ClipError, ConfigError, ShardError
from l3net.media import FPS, SAMPLE_RATE, read_outline
from l3net.runtime import describe, track_progress
from l3net.samples.crops import decode_crops
from l3net.samples.recipes import RECIPE_VERSION, Recipes
from l3net.samples.shard_format import SAMPLE, LeftOutClip
from l3net.samples.shard_reader import Shard
from l3net.samples.shard_writer import ShardWriter

# Samples; Matroska gives times in milliseconds, so its last packet of sound may seem to end that much later.
_CONTAINER_STEP = 48
_log = logging.getLogger("l3net")


@dataclass(frozen=True)
class ShardSettings:
    """How the shard of a part is made.

    Parameters
    ----------
    recipes : draws the samples.
    parts : number of parts that the clip list is divided into.
    short_side : pixels of the shorter side of the scaled frames.
    jpeg_quality : quality of the images, 1 to 100.

    Raises
    ------
    ConfigError
        The crop is larger than the frame.
    """

    recipes: Recipes
    parts: int
    short_side: int
    jpeg_quality: int

    def __post_init__(self) -> None:
        if self.recipes.image_size > self.short_side:
            raise ConfigError(
                f"samples.image_size is {self.recipes.image_size} but samples.short_side {self.short_side}; "
                "expected a crop within the frame"
            )

    def attributes(self) -> dict[str, Any]:
        """Return the attributes of the shard's file: these settings, and where the shard comes from."""
        settings = {
            **asdict(self.recipes),
            "parts": self.parts,
            "short_side": self.short_side,
            "jpeg_quality": self.jpeg_quality,
        }
        return {**settings, "recipe_version": RECIPE_VERSION, "sample_rate": SAMPLE_RATE, **describe(**settings)}


class ShardCounts(NamedTuple):
    """How much an assembled shard holds."""

    n_samples: int
    n_clips: int
    n_left_out: int


@dataclass(frozen=True)
class _PreparedClip:
    """A decoded clip and the recipes that were drawn for it; width and height are of its scaled frames."""

    recipes: np.ndarray
    images: list[bytes]
    pcm: np.ndarray
    width: int
    height: int


def read_part(clip_list: Path, manifest: Path, *, part: int, parts: int, split: str = "hash") -> pd.DataFrame:
    """Read a part's clips of a subset, in the list's order, with their ``status`` and their ``row`` among them.

    Parameters
    ----------
    clip_list, manifest : CSV of the subset's clips (select_clips), and of the part's (fetch_clips).
    part, parts : number of the part, and how many there are.
    split : how videos are dealt into parts. Unless by their hash, the part's clips are those of its manifest.

    Raises
    ------
    ClipError
        One of them cannot be read.
    """
    table, status = read_clip_list(clip_list), read_manifest(manifest)[[*CLIP_KEY, "status"]]
    if split == "hash":
        table = table[[part_of(ytid, parts) == part for ytid in table["ytid"]]]
    return table.merge(status, on=CLIP_KEY, how="left" if split == "hash" else "inner").rename_axis("row").reset_index()


def assemble_shard(path: Path, clips: pd.DataFrame, settings: ShardSettings, *, store: Path) -> ShardCounts:
    """Write the samples of a part's clips as one HDF5 file, and read it back to see that it is whole.

    Memory holds one clip's sound and images (about 4 MB for 10 s at 224 pixels) and the recipes, whatever the part's
    size. A clip that cannot be used is left out with the reason.

    Parameters
    ----------
    path : the file to write, normally a temporary name.
    clips : the part's clips, as `read_part` returns them.
    settings : how the shard is made.
    store : folder of the clips' files.

    Raises
    ------
    ShardError
        The written file does not read back.
    """
    usable = clips[clips["status"].isin(USABLE_STATUSES)]
    writer = ShardWriter(path, settings.attributes())
    try:
        drawn, left_out = _add_clips(writer, list(usable.itertuples(index=False)), settings, store)
        if drawn and len(set(writer.clips["ytid"])) == 1:
            left_out += _leave_out_only_video(writer.clips)
            drawn.clear()
            writer.clear()
        samples = _pair_and_limit(writer, settings.recipes, drawn)
        writer.finish(samples, left_out)
    finally:
        writer.close()
    _verify(path, len(samples))
    return ShardCounts(len(samples), len(drawn), len(left_out))


def _add_clips(
    writer: ShardWriter, clips: Iterable[Any], settings: ShardSettings, store: Path
) -> tuple[list[np.ndarray], list[LeftOutClip]]:
    """Decode the clips into the shard; return the recipes of each, and the clips left out."""
    drawn, left_out = [], []
    for clip in track_progress(clips, "decoding", unit="clips"):
        path = clip_path(store, clip.ytid, clip.start_seconds, clip.end_seconds)
        key: Mapping[str, Any] = {column: getattr(clip, column) for column in CLIP_KEY}
        try:
            prepared = _prepare_clip(path, clip.row, settings)
        except ClipError as error:
            _log.warning("left out: %s", error)
            left_out.append(LeftOutClip(**key, reason=str(error).removeprefix(f"{path}: ")))
            continue
        size = {"width": prepared.width, "height": prepared.height}
        writer.add_clip(prepared.images, prepared.pcm, clip.labels, row=clip.row, **size, **key)
        drawn.append(prepared.recipes)
    return drawn, left_out


def _leave_out_only_video(clips: np.ndarray) -> list[LeftOutClip]:
    """Leave out the clips of a part that holds one video only, because a mismatch takes its sound from another."""
    reason = "its part holds no other video to mismatch it with"
    _log.warning("left out: %d clips of %s, the only video: %s", len(clips), clips[0]["ytid"].decode(), reason)
    return [LeftOutClip(clip["ytid"].decode(), *clip.tolist()[1:3], reason) for clip in clips]


def _prepare_clip(path: Path, row: int, settings: ShardSettings) -> _PreparedClip:
    """Draw the recipes of a clip, then decode what they show and its whole sound.

    Raises
    ------
    ClipError
        The clip is shorter than a second, or decodes to something else than its container says.
    """
    outline = read_outline(path)
    n_sound = _seen_and_heard(path, outline.times, outline.n_sound)
    width, height = outline.scaled(settings.short_side)
    recipes = settings.recipes.draw(row, outline.times, n_sound, (width, height))
    decoded = decode_crops(
        path,
        recipes["frame"],
        np.stack([recipes["crop_y"], recipes["crop_x"]], 1),
        image_size=settings.recipes.image_size,
        short_side=settings.short_side,
        jpeg_quality=settings.jpeg_quality,
    )
    if not np.allclose(decoded.times, recipes["time"], atol=1e-3):
        raise ClipError(f"{path}: frames decode at other times than the container says")
    if len(decoded.pcm) < n_sound - _CONTAINER_STEP:
        raise ClipError(f"{path}: decodes to {len(decoded.pcm)} samples of sound; expected {n_sound}")
    pcm = np.pad(decoded.pcm, (0, max(0, n_sound - len(decoded.pcm))), mode="edge")[:n_sound]
    return _PreparedClip(recipes, decoded.images, pcm, width, height)


def _seen_and_heard(path: Path, times: np.ndarray, n_sound: int) -> int:
    """Return how many samples of the sound have a picture beside them."""
    seconds = times[-1] + 1 / FPS if len(times) else 0.0
    n = min(n_sound, round(seconds * SAMPLE_RATE))
    if n < SAMPLE_RATE:
        raise ClipError(f"{path}: {n / SAMPLE_RATE:.2f} s of picture with sound; expected a second or more")
    return n


def _pair_and_limit(writer: ShardWriter, recipes: Recipes, drawn: list[np.ndarray]) -> np.ndarray:
    """Pair the recipes of all clips with sounds and limit their gains; return the table of samples."""
    if not drawn:
        return np.zeros(0, SAMPLE)
    clips = writer.clips
    for number, (of_clip, row) in enumerate(zip(drawn, clips["row"], strict=True)):
        recipes.pair_with_sounds(of_clip, number, int(row), clips["sound_length"], clips["ytid"])
    samples = np.concatenate(drawn)
    writer.limit_gains(samples)
    return samples


def _verify(path: Path, n_samples: int) -> None:
    with Shard(path) as written:
        written.check()
        if (found := written.n_samples) != n_samples:
            raise ShardError(f"{path} reads back with {found} samples; expected {n_samples}: is the disk full?")
