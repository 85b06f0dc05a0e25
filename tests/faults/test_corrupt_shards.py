"""Clips and shards that are damaged: left out with a reason, or refused with one line; never a wrong sample."""

import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from l3net.errors import ShardError
from l3net.feed import batch_reader, shard_digests
from l3net.feed.batch_filler import ReadPlan
from l3net.feed.batch_reader import read_batches
from l3net.feed.reader_process import ReaderProcess
from l3net.files.kept import sha256_of
from l3net.samples.sample import read_sample
from l3net.samples.shard_index import read_shard_index
from l3net.samples.shard_reader import Shard
from tests import time_code, tiny_shards
from tests.small_store import SmallStore


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SmallStore:
    return SmallStore(tmp_path_factory.mktemp("damaged"), n_clips=4, seconds=3.0).write()


@pytest.fixture(scope="module")
def shard(store: SmallStore) -> Path:
    return store.make_shard()


@pytest.fixture
def copy(shard: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(shard, tmp_path / "part-0000.h5"))


def left_out_of(store: SmallStore, name: str) -> list[tuple[str, str]]:
    """Make a shard, check every sample of it against picture and sound, and return what is left out and why."""
    with Shard(store.make_shard(name)) as opened:
        for i in range(opened.n_samples):
            sample = read_sample(opened, i)
            seen, heard = time_code.read_picture(sample.image)[0], time_code.read_sound(sample.sound)[0]
            assert seen == int(opened.clips["ytid"][sample.recipe["clip"]][-2:])
            assert (seen == heard) == bool(sample.recipe["label"])
        return [(clip.ytid, clip.reason) for clip in opened.left_out()]


@pytest.mark.parametrize("kept", [0.0, 0.02, 0.5, 0.9])
def test_a_clip_that_is_cut_off_is_used_as_far_as_it_goes_or_left_out(store: SmallStore, kept: float) -> None:
    path, whole = store.path(1), store.path(1).read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    try:
        left_out = left_out_of(store, f"cut-{kept}.h5")
    finally:
        path.write_bytes(whole)
    assert [ytid for ytid, _ in left_out] == (["timecode-01"] if kept < 0.3 else [])
    assert all(reason and "\n" not in reason for _, reason in left_out)


@pytest.mark.parametrize("seed", range(6))
def test_a_clip_that_stops_decoding_half_way_is_left_out(store: SmallStore, seed: int) -> None:
    path, whole = store.path(1), store.path(1).read_bytes()
    damaged, rng = bytearray(whole), np.random.default_rng(seed)
    for place in rng.integers(len(whole) // 3, 2 * len(whole) // 3, 20):
        damaged[place] ^= 1 << int(rng.integers(8))
    path.write_bytes(damaged)
    try:
        left_out = left_out_of(store, "noise.h5")
    finally:
        path.write_bytes(whole)
    ((ytid, reason),) = left_out
    assert ytid == "timecode-01"
    assert "\n" not in reason


def test_a_clip_that_is_no_clip_is_left_out(store: SmallStore) -> None:
    path, whole = store.path(3), store.path(3).read_bytes()
    path.write_bytes(b"<html>not found</html>")
    try:
        ((ytid, reason),) = left_out_of(store, "html.h5")
    finally:
        path.write_bytes(whole)
    assert ytid == "timecode-03"
    assert "cannot be decoded" in reason


def test_a_shard_cut_short_is_refused(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes()[: copy.stat().st_size // 2])
    with pytest.raises(ShardError, match=r"part-0000\.h5 is not a shard: .*make it again"):
        Shard(copy)


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["images"] = np.zeros(3)
    (tmp_path / "text.h5").write_text("not HDF5")
    for name in ("other.h5", "text.h5"):
        with pytest.raises(ShardError, match=rf"{name} is not a shard"):
            Shard(tmp_path / name)
    with pytest.raises(ShardError, match=r"gone\.h5 does not exist"):
        Shard(tmp_path / "gone.h5")


def test_another_format_version_is_refused(copy: Path, store: SmallStore) -> None:
    with h5py.File(copy, "r+") as file:
        file.attrs["format_version"] = 2  # kept pieces of frames
    with pytest.raises(ShardError, match=r"has shard format version 2; this code reads version 3: make it again"):
        store.make_index(copy, name="never.json")


@pytest.mark.parametrize("table", ["images/offset", "images/jpeg", "sound/pcm", "clips", "samples"])
def test_a_shard_without_a_table_is_refused(copy: Path, table: str) -> None:
    with h5py.File(copy, "r+") as file:
        del file[table]
    with pytest.raises(ShardError, match="is not a shard"):
        Shard(copy)


@pytest.mark.parametrize(
    ("table", "field", "value", "named"),
    [
        ("samples", "sound", 4, "windows of recipes"),
        ("samples", "sound", 10**6, "windows of recipes"),
        ("samples", "start", 3 * 48000, "windows of recipes"),
        ("samples", "clip", 1, "clips of recipes"),
        ("samples", "clip", 10**6, "clips of recipes"),
        ("clips", "sound_length", 5, "sound"),
        ("clips", "sound_start", 3 * 48000, "sound"),
        ("clips", "sound_start", -1, "sound"),
        ("clips", "row", 3, "table of clips"),
        ("clips", "ytid", b"", "table of clips"),
        ("clips", "width", 71, "crops of recipes"),
        ("samples", "crop_y", 1, "crops of recipes"),
        ("samples", "n", 1, "numbers of recipes"),
        ("samples", "label", 2, "augmentations of recipes"),
        ("samples", "gain", np.nan, "augmentations of recipes"),
        ("samples", "saturation", 1e30, "augmentations of recipes"),
        ("samples", "time", np.inf, "augmentations of recipes"),
        ("images/offset", None, 1, "images"),
    ],
)
def test_recipes_that_point_beside_what_is_stored_are_refused(
    copy: Path, store: SmallStore, table: str, field: str, value: int, named: str
) -> None:
    with h5py.File(copy, "r+") as file:
        rows = file[table][:]
        (rows if field is None else rows[field])[0] = value
        file[table][:] = rows
    with pytest.raises(
        ShardError, match=rf"^\S*part-0000\.h5 is damaged: [^\n]*{named}[^\n]* do not fit; make it again"
    ):
        store.make_index(copy, name="beside.json")


def test_permuted_places_of_sounds_are_refused(copy: Path, store: SmallStore) -> None:
    """Clips of one length: every window lies within what is stored, and every sample would hear another clip."""
    with h5py.File(copy, "r+") as file:
        rows = file["clips"][:]
        rows["sound_start"] = np.roll(rows["sound_start"], 1)
        file["clips"][:] = rows
    with pytest.raises(ShardError, match=r"is damaged: sound do not fit"):
        store.make_index(copy, name="permuted.json")


@pytest.mark.parametrize("label", [0, 1])
def test_labels_that_the_sounds_belie_are_refused(copy: Path, store: SmallStore, label: int) -> None:
    with h5py.File(copy, "r+") as file:
        rows = file["samples"][:]
        rows["label"][np.flatnonzero(rows["label"] == label)[0]] = 1 - label
        file["samples"][:] = rows
    with pytest.raises(ShardError, match=r"is damaged: labels of recipes do not fit"):
        store.make_index(copy, name="belied.json")


def test_places_that_are_no_edges_of_images_are_refused(copy: Path, store: SmallStore) -> None:
    with h5py.File(copy, "r+") as file:
        file["images/offset"][7] += 3
    with pytest.raises(ShardError, match=r"is damaged: images do not fit"):
        store.make_index(copy, name="edges.json")


def test_a_shard_with_fewer_labels_or_other_counts_is_refused(copy: Path, store: SmallStore) -> None:
    with h5py.File(copy, "r+") as file:
        labels = file["labels"][:]
        del file["labels"]
        file["labels"] = labels[1:]
        file.attrs["n_clips"] = 3
    with pytest.raises(ShardError, match=r"is damaged: labels of clips, counts do not fit"):
        store.make_index(copy, name="labels.json")


def test_a_clip_that_is_left_out_and_there_is_refused(copy: Path, store: SmallStore) -> None:
    with h5py.File(copy, "r+") as file:
        first = file["clips"][0]
        columns = [("ytid", "S11"), ("start_seconds", "<f8"), ("end_seconds", "<f8"), ("reason", "S3")]
        rows = np.array([(first["ytid"], *first.tolist()[1:3], b"why")], columns)
        del file["left_out"]
        file["left_out"] = rows
    with pytest.raises(ShardError, match=r"is damaged: clips left out do not fit"):
        store.make_index(copy, name="both.json")


def test_a_shard_with_another_number_of_images_is_refused(copy: Path, store: SmallStore) -> None:
    with h5py.File(copy, "r+") as file:
        ends = file["images/offset"][:]
        del file["images/offset"]
        file["images/offset"] = np.delete(ends, 1)
    with pytest.raises(ShardError, match=r"part-0000\.h5 is damaged: images do not fit"):
        store.make_index(copy, name="fewer.json")


def test_images_that_were_cut_off_are_refused(copy: Path, store: SmallStore) -> None:
    with h5py.File(copy, "r+") as file:
        file["images/jpeg"].resize((len(file["images/jpeg"]) - 1,))
    with pytest.raises(ShardError, match=r"part-0000\.h5 is damaged: JPEG bytes do not fit"):
        store.make_index(copy, name="cut.json")


def test_an_index_that_is_none_is_refused(tmp_path: Path, store: SmallStore, copy: Path) -> None:
    index = tmp_path / "train.json"
    for text, message in {
        "": ": cannot be read as an index of shards",
        "[]": " is a list of 0; expected an object of fields",
        "{}": ": the field format_version is missing",
        '{"format_version": 2}': ": the field subset is missing",
    }.items():
        index.write_text(text)
        with pytest.raises(ShardError, match=rf"train\.json{message}"):
            read_shard_index(index)
    good = store.make_index(copy)
    fields = json.loads(good.read_text())
    good.write_text(json.dumps({**fields, "format_version": 9}))
    with pytest.raises(ShardError, match="index format version 9; this code reads version 2"):
        read_shard_index(good)
    good.write_text(json.dumps(fields))
    copy.unlink()
    with pytest.raises(ShardError, match=r"names 1 shards that are gone, first .*part-0000\.h5"):
        read_shard_index(good)


def plan(index: Path, n_batches: int = 10) -> ReadPlan:
    return ReadPlan(index=str(index), batch_size=8, first_batch=0, end_batch=n_batches, seed=1)


def test_a_shard_that_is_not_the_indexed_one_is_refused_by_every_reader(store: SmallStore, copy: Path) -> None:
    index = store.make_index(copy, name="replaced.json")
    fields = json.loads(index.read_text())
    fields["shards"][0]["n_samples"] += 60
    index.write_text(json.dumps(fields))
    for workers in (0, 2):
        with pytest.raises(ShardError, match=r"is not the shard that .* describes"):
            list(read_batches(plan(index), workers))


def flip_a_bit_of_the_sound(path: Path) -> None:
    """Change one value of sound in the file, which keeps its size, its tables and its time of change."""
    times = path.stat()
    with h5py.File(path, "r+") as file:
        file["sound/pcm"][48000] ^= 4
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns + 1))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_shard_with_another_digest_is_refused_by_every_reader(
    store: SmallStore, copy: Path, tmp_path: Path, workers: int
) -> None:
    index = store.make_index(copy, name="digest.json")
    marked = replace(plan(index), marks=str(tmp_path / "marks"))
    assert len(list(read_batches(marked, workers))) == 10
    flip_a_bit_of_the_sound(copy)
    for of_this in (plan(index), marked):
        with pytest.raises(
            ShardError, match=r"part-0000\.h5 is not the shard that .*digest\.json describes: its SHA-256"
        ):
            list(read_batches(of_this, workers))


def test_a_shard_is_compared_once_in_a_run(store: SmallStore, copy: Path, tmp_path: Path, monkeypatch) -> None:

    monkeypatch.setattr(shard_digests, "_compared", set())
    index, hashed = store.make_index(copy, name="once.json"), []
    monkeypatch.setattr(shard_digests, "sha256_of", lambda path: hashed.append(path) or real(path))
    real, marked = sha256_of, replace(plan(index), marks=str(tmp_path / "marks"))
    for plans, n in ((plan(index), 1), (plan(index), 1), (marked, 1)):
        list(read_batches(plans, 0))
        assert len(hashed) == n
    for forget in (1, 2, 2):  # as other processes do: what one has compared the others find in the folder
        monkeypatch.setattr(shard_digests, "_compared", set())
        list(read_batches(marked, 0))
        assert len(hashed) == 2, forget
    (mark,) = (tmp_path / "marks").iterdir()
    mark.write_text("")  # a mark that was cut off says nothing
    monkeypatch.setattr(shard_digests, "_compared", set())
    list(read_batches(marked, 0))
    assert len(hashed) == 3


def test_the_feed_names_the_damaged_shard_in_one_line(store: SmallStore, copy: Path) -> None:
    from l3net.feed.pipeline import one_line_errors, open_feed

    index = store.make_index(copy, name="damaged.json")
    with h5py.File(copy, "r+") as file:
        del file["sound/pcm"]
    tiny_shards.index_again(index)
    with pytest.raises(ShardError, match=r"^\S*part-0000\.h5 is not a shard[^\n]*$"), one_line_errors():
        list(open_feed(index, batch_size=8, epoch=0, seed=1, workers=1))


def test_the_feed_tells_images_that_do_not_decode(store: SmallStore, copy: Path) -> None:
    from l3net.feed.pipeline import one_line_errors, open_feed

    index = store.make_index(copy, name="noise.json")
    with h5py.File(copy, "r+") as file:
        file["images/jpeg"][:] = 7
    tiny_shards.index_again(index)
    with pytest.raises(ShardError, match="an image does not decode"), one_line_errors():
        list(open_feed(index, batch_size=8, epoch=0, seed=1, workers=0))


def test_a_killed_reader_ends_the_feed_with_one_line(store: SmallStore, shard: Path, monkeypatch) -> None:
    started = []
    real = ReaderProcess

    def noted(*arguments: object) -> object:
        started.append(real(*arguments))
        return started[-1]

    monkeypatch.setattr(batch_reader, "ReaderProcess", noted)
    batches = read_batches(plan(store.make_index(shard), 1000), 2)
    next(batches)
    os.kill(started[1].process.pid, signal.SIGKILL)
    with pytest.raises(ShardError, match="a reader process of the feed ended with code -9"):
        list(batches)
    assert all(reader.process.poll() is not None for reader in started)


def test_a_feed_that_is_left_early_leaves_no_process(store: SmallStore, shard: Path, monkeypatch) -> None:
    started = []
    real = ReaderProcess
    monkeypatch.setattr(batch_reader, "ReaderProcess", lambda *a: started.append(real(*a)) or started[-1])
    batches = read_batches(plan(store.make_index(shard)), 2)
    next(batches)
    batches.close()
    assert [reader.process.poll() is None for reader in started] == [False, False]


def test_a_mark_that_cannot_be_written_is_no_fault_of_the_shard(store: SmallStore, copy: Path, tmp_path: Path) -> None:
    """On a full disk the shard was compared and is right; what is to be written there will say what is wrong."""
    if not Path("/dev/full").exists():
        pytest.skip("/dev/full is Linux's")
    index = store.make_index(copy, name="marked.json")
    entry = read_shard_index(index).shards[0]
    shard_digests.demand_digest(entry, str(index), tmp_path / "marks")
    (mark,) = (tmp_path / "marks").iterdir()
    shard_digests._compared.clear()
    mark.unlink()
    mark.symlink_to("/dev/full")
    shard_digests.demand_digest(entry, str(index), tmp_path / "marks")
