"""The sides of the feed's comparison, each in a process of its own: batches of images and of sound, without end.

    python -m tests.perf.feed_sides SIDE FOLDER

All read the same samples (`write_samples`): the JPEG files of a shard and a second of sound with each, in an order by
chance, and give batches of images uint8 [64, 224, 224, 3] and sounds int16 [64, 48000]. The bare sides decode the
images one after another and do nothing else; `into_batches` decodes them to where a batch has them and copies the
sound there, all of it from memory: what no feed can do without. Each reads and decodes in one thread, except that
ours reads in a process of its own. Prints the digest of the decoded images, then, for every number of batches on
standard input, the samples a CPU second of this process and its children.
"""

import hashlib
import io
import json
import os
import resource
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np

BATCH, SIZE, RATE = 64, 224, 48000
# What each side imports; a side whose packages are not installed is left out (the extra `perf` has them all).
SIDES: dict[str, tuple[str, ...]] = {
    "feed": (),
    "feed_augmented": (),
    "bare_tensorflow": (),
    "bare_libjpeg_turbo": ("simplejpeg",),
    "into_batches": ("simplejpeg",),
    "webdataset_libjpeg_turbo": ("webdataset", "simplejpeg"),
    "webdataset_pillow": ("webdataset",),
    "grain": ("grain", "array_record", "simplejpeg"),
    "torch": ("torch", "simplejpeg"),
    "gzip_hdf5": (),
}
_RAW = 1024  # samples of a published file


def installed_sides() -> list[str]:
    """Return the sides whose packages are installed."""
    return [side for side, packages in SIDES.items() if all(map(find_spec, packages))]


def write_samples(index: Path, sides: list[str]) -> None:
    """Write the samples of a shard beside its index as each side reads them.

    A tar of ``.jpg`` and ``.pcm`` (webdataset), an ArrayRecord (grain), all in one file with its edges (torch, bare
    decoding), and gzip HDF5 laid out as published: the published training code reads files of 1024 samples, each
    written by ``create_dataset(key, data=..., compression="gzip")`` alone (so h5py chooses the chunks, and level 4), in
    order and in slices of a batch.
    """
    from l3net.samples.sample import read_sample
    from l3net.samples.shard_index import read_shard_index
    from l3net.samples.shard_reader import Shard

    folder, sound = index.parent, np.empty(RATE, np.int16)
    with Shard(Path(read_shard_index(index).shards[0].path)) as shard:
        pairs = []
        for i in range(shard.n_samples):
            recipe = shard.samples[i]
            shard.window(int(recipe["sound"]), int(recipe["start"]), sound)
            pairs.append((shard.image(i).tobytes(), sound.tobytes()))
        drawn = np.random.default_rng(0).integers(0, shard.n_samples, _RAW)
        made = [read_sample(shard, int(row)) for row in drawn]
    with h5py.File(folder / "raw.h5", "w") as file:
        file.create_dataset("image", data=np.stack([s.image for s in made]), compression="gzip")
        file.create_dataset("audio", data=np.stack([s.sound[None] for s in made]), compression="gzip")
        file.create_dataset("label", data=np.array([s.recipe["label"] for s in made]), compression="gzip")
    (folder / "samples.bin").write_bytes(b"".join(part for pair in pairs for part in pair))
    np.save(folder / "edges.npy", np.cumsum([0, *(len(part) for pair in pairs for part in pair)]))
    if any(side.startswith("webdataset") for side in sides):
        with tarfile.open(folder / "samples.tar", "w") as tar:
            for i, pair in enumerate(pairs):
                for ending, content in zip(("jpg", "pcm"), pair, strict=True):
                    member = tarfile.TarInfo(f"{i:06d}.{ending}")
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
    if "grain" in sides:
        from array_record.python.array_record_module import ArrayRecordWriter

        writer = ArrayRecordWriter(str(folder / "samples.array_record"), "group_size:1")
        for jpeg, pcm in pairs:
            writer.write(len(jpeg).to_bytes(4, "little") + jpeg + pcm)
        writer.close()


class _Stored:
    """The samples as one file in memory: sample i is an image and a sound."""

    def __init__(self, folder: Path) -> None:
        self._bytes, self._edges = np.memmap(folder / "samples.bin", np.uint8), np.load(folder / "edges.npy").tolist()

    def __len__(self) -> int:
        return len(self._edges) // 2

    def jpeg(self, i: int) -> bytes:
        return self._bytes[self._edges[2 * i] : self._edges[2 * i + 1]].tobytes()

    def sound(self, i: int) -> np.ndarray:
        return self._bytes[self._edges[2 * i + 1] : self._edges[2 * i + 2]].view(np.int16)


def _feed(folder: Path) -> Iterator:
    from l3net.feed import open_feed

    return iter(open_feed(folder / "index.json", batch_size=BATCH, epoch=0, seed=1, workers=1, batches=1 << 40))


def _feed_augmented(folder: Path) -> Iterator:
    import tensorflow as tf

    from l3net.feed import prepare_batch

    augmented = tf.function(lambda batch: prepare_batch(batch, True)[:2], jit_compile=True, autograph=False)
    for batch in _feed(folder):
        yield augmented({name: values for name, values in batch.items() if values.dtype != tf.string})


def _bare(folder: Path, decode: Callable) -> Iterator:
    stored = _Stored(folder)
    jpegs = [stored.jpeg(i) for i in np.random.default_rng(0).permutation(len(stored)).tolist()]
    while True:
        for start in range(0, len(jpegs) - BATCH + 1, BATCH):
            for jpeg in jpegs[start : start + BATCH]:
                decode(jpeg)
            yield


def _into_batches(folder: Path) -> Iterator:
    import simplejpeg

    stored = _Stored(folder)
    pairs = [
        (stored.jpeg(i), stored.sound(i).copy()) for i in np.random.default_rng(0).permutation(len(stored)).tolist()
    ]
    # as many as the feed has, so that a batch is as far from the processor's cache as it is there
    batches = [(np.ones((BATCH, SIZE, SIZE, 3), np.uint8), np.ones((BATCH, RATE), np.int16)) for _ in range(7)]
    while True:
        for n, start in enumerate(range(0, len(pairs) - BATCH + 1, BATCH)):
            images, sounds = batches[n % len(batches)]
            for row, (jpeg, sound) in enumerate(pairs[start : start + BATCH]):
                sounds[row] = sound
                simplejpeg.decode_jpeg(jpeg, "RGB", buffer=images[row])
            yield images, sounds


def _by_tensorflow(jpeg: bytes) -> object:
    import tensorflow as tf

    return tf.io.decode_jpeg(jpeg, channels=3, dct_method="INTEGER_ACCURATE")


def _by_libjpeg_turbo(jpeg: bytes) -> np.ndarray:
    import simplejpeg

    return simplejpeg.decode_jpeg(jpeg)


def _by_pillow(jpeg: bytes) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(jpeg)))


def _by_us(jpeg: bytes) -> np.ndarray:
    from l3net.feed.image_decoder import decode_image

    image = np.empty((SIZE, SIZE, 3), np.uint8)
    decode_image(np.frombuffer(jpeg, np.uint8), image)
    return image


def _webdataset(folder: Path, decode: Callable) -> Iterator:
    import webdataset

    def batch(samples: list) -> tuple:
        return np.stack([image for image, _ in samples]), np.stack([sound for _, sound in samples])

    data = webdataset.WebDataset(str(folder / "samples.tar"), shardshuffle=False, empty_check=False).repeat()
    made = data.shuffle(512).to_tuple("jpg", "pcm").map_tuple(decode, lambda pcm: np.frombuffer(pcm, np.int16))
    return iter(made.batched(BATCH, collation_fn=batch))


def _grain(folder: Path) -> Iterator:
    import grain.python as grain

    def split(record: bytes) -> dict:
        end = 4 + int.from_bytes(record[:4], "little")
        return {"image": _by_libjpeg_turbo(record[4:end]), "sound": np.frombuffer(record, np.int16, RATE, end)}

    source = grain.ArrayRecordDataSource(str(folder / "samples.array_record"))
    data = grain.MapDataset.source(source).shuffle(seed=1).repeat().map(split).batch(BATCH)
    return iter(data.to_iter_dataset(grain.ReadOptions(num_threads=1, prefetch_buffer_size=2)))


def _torch(folder: Path) -> Iterator:
    import torch

    torch.set_num_threads(1)

    class Samples(torch.utils.data.Dataset):
        stored = _Stored(folder)

        def __len__(self) -> int:
            return len(self.stored)

        def __getitem__(self, i: int) -> tuple:
            image = torch.from_numpy(_by_libjpeg_turbo(self.stored.jpeg(i)))
            return image, torch.from_numpy(self.stored.sound(i).copy())

    while True:
        yield from torch.utils.data.DataLoader(Samples(), batch_size=BATCH, shuffle=True, drop_last=True)


def _gzip_hdf5(folder: Path) -> Iterator:
    while True:
        with h5py.File(folder / "raw.h5") as file:
            for start in range(0, _RAW, BATCH):
                yield [file[name][start : start + BATCH] for name in ("image", "audio", "label")]


_BATCHES: dict[str, Callable[[Path], Iterator]] = {
    "feed": _feed,
    "feed_augmented": _feed_augmented,
    "bare_tensorflow": lambda folder: _bare(folder, _by_tensorflow),
    "bare_libjpeg_turbo": lambda folder: _bare(folder, _by_libjpeg_turbo),
    "into_batches": _into_batches,
    "webdataset_libjpeg_turbo": lambda folder: _webdataset(folder, _by_libjpeg_turbo),
    "webdataset_pillow": lambda folder: _webdataset(folder, _by_pillow),
    "grain": _grain,
    "torch": _torch,
    "gzip_hdf5": _gzip_hdf5,
}


def _digest(side: str, folder: Path) -> str:
    """Return the digest of the images as the side decodes them; empty for the side that holds raw samples."""
    if side == "gzip_hdf5":
        return ""
    by = {"bare_tensorflow": _by_tensorflow, "webdataset_pillow": _by_pillow, "feed": _by_us, "feed_augmented": _by_us}
    decode = by.get(side, _by_libjpeg_turbo)
    stored, found = _Stored(folder), hashlib.sha256()
    for i in range(0, len(stored), 16):
        found.update(np.asarray(decode(stored.jpeg(i))).tobytes())
    return found.hexdigest()


def _cpu_seconds() -> float:
    """Return the CPU seconds of this process and of its children, also of those that still run."""
    own, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds


def _settled_cpu_seconds() -> float:
    """Return the CPU seconds once a side has read ahead, so that just as many batches are paid for as are taken."""
    found, before = _cpu_seconds(), -1.0
    while found - before > 0.005:
        time.sleep(0.2)
        before, found = found, _cpu_seconds()
    return found


def _serve(side: str, folder: Path) -> None:
    print(json.dumps(_digest(side, folder)), flush=True)
    batches = _BATCHES[side](folder)
    for line in sys.stdin:
        began = _settled_cpu_seconds()
        for _ in range(int(line)):
            next(batches)
        print(json.dumps(int(line) * BATCH / (_settled_cpu_seconds() - began)), flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1], Path(sys.argv[2]))
