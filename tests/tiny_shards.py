"""Small shards written in a moment, for tests of training: clips of two or more kinds, told by colour and by pitch."""

import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

from l3net.files.kept import sha256_of
from l3net.media.rates import SAMPLE_RATE
from l3net.samples.shard_format import SAMPLE
from l3net.samples.shard_index import IndexedShard, ShardIndex, write_shard_index
from l3net.samples.shard_reader import Shard
from l3net.samples.shard_writer import ShardWriter

SIZE = 32  # pixels of a frame and of the crop
SECONDS = 3  # of a clip
MIDS = ["/m/0dog", "/m/0horn", "/m/0bell", "/m/0rain"]


def write_split(
    folder: Path, split: str, *, n_clips: int = 8, share: int = 8, kinds: int = 2, seed: int = 0, shuffled: bool = False
) -> Path:
    """Write one shard and its index, ``{split}.json``; return the index.

    A sample corresponds where the sound is of the clip of the frame; else it is of a clip of another kind. With
    `shuffled`, labels are drawn anew and say nothing.
    """
    rng = np.random.default_rng([seed, *split.encode()])
    path = folder / f"{split}.h5"
    folder.mkdir(parents=True, exist_ok=True)
    attributes = {"part": 0, "parts": 10, "subset": "music", "image_size": SIZE, "sample_rate": SAMPLE_RATE}
    writer = ShardWriter(path, attributes)
    for clip in range(n_clips):
        kind = clip % kinds
        images = [_image(kind, kinds, rng) for _ in range(share)]
        fields = {"ytid": f"clip{clip:07d}", "end_seconds": float(SECONDS), "row": clip, "width": SIZE, "height": SIZE}
        writer.add_clip(images, _sound(kind, rng), MIDS[kind], **fields)
    writer.finish(_samples(n_clips, share, kinds, shuffled, rng), [])
    index = folder / f"{split}.json"
    with Shard(path) as shard:
        entry = IndexedShard(path.name, sha256_of(path), shard.n_samples, n_clips)
        made = ShardIndex(
            subset="music",
            split=split,
            image_size=SIZE,
            sample_rate=SAMPLE_RATE,
            samples_per_clip=share,
            n_samples=shard.n_samples,
            n_clips=n_clips,
            largest_image_bytes=shard.largest_image(),
            shards=[entry],
        )
    write_shard_index(made, index)
    return index


def index_again(index: Path) -> None:
    """Write the digests of the shards of an index anew, after a test has changed them."""
    fields = json.loads(index.read_text())
    for shard in fields["shards"]:
        shard["sha256"] = sha256_of(index.parent / shard["path"])
    index.write_text(json.dumps(fields))


def _image(kind, kinds, rng):
    pixels = rng.integers(0, 120, (SIZE, SIZE, 3))
    pixels[..., kind % 3] += 120 if kind < 3 else 0
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()


def _sound(kind, rng):
    t = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    tone = 8000 * np.sin(2 * np.pi * 400 * 3**kind * rng.uniform(0.9, 1.1) * t)
    return (tone + rng.normal(0, 300, t.size)).astype(np.int16)


def _samples(n_clips, share, kinds, shuffled, rng):
    rows = np.zeros(n_clips * share, SAMPLE)
    rows["n"] = np.arange(rows.size)
    rows["clip"] = rows["sound"] = rows["n"] // share
    rows["frame"] = rng.integers(0, 2, rows.size)
    rows["time"] = rows["frame"] + 0.5
    rows["label"] = rows["n"] % 2
    mismatched = rows["label"] == 0
    step = rng.integers(1, kinds, rows.size)
    rows["sound"][mismatched] = (rows["clip"] + step)[mismatched] % n_clips
    rows["start"] = rng.integers(0, (SECONDS - 1) * SAMPLE_RATE, rows.size)
    rows["flip"] = rng.integers(0, 2, rows.size)
    rows["saturation"], rows["gain"] = rng.uniform(0.5, 1.5, rows.size), rng.uniform(0.9, 1.1, rows.size)
    rows["brightness"] = rng.uniform(-32 / 255, 32 / 255, rows.size)
    rows["saturation_first"] = rng.integers(0, 2, rows.size)
    if shuffled:
        rows["label"] = rng.permutation(rows["label"])
    return rows
