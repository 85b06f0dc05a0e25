"""From clips to shards to batches, with clips that show and sing their time."""

import json
import os
import re
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from l3net.errors import ConfigError, ShardError
from l3net.samples.distributions import check_distributions
from l3net.samples.sample import augment_sample, read_sample
from l3net.samples.shard_index import read_shard_index
from l3net.samples.shard_reader import Shard
from tests import time_code
from tests.small_store import SETTINGS, SmallStore
from tests.stages.loading import SCRIPTS, stage_function

SECOND = 48000


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SmallStore:
    return SmallStore(tmp_path_factory.mktemp("small")).write()


@pytest.fixture(scope="module")
def shard(store: SmallStore) -> Path:
    return store.make_shard()


@pytest.fixture(scope="module")
def index(store: SmallStore, shard: Path) -> Path:
    other = store.make_shard("part-0000-environmental.h5", seed=8, samples_per_clip=60)
    with h5py.File(other, "r+") as file:  # a second shard of the same split, as if it held another part
        file.attrs.update({"seed": 7, "part": np.int64(0)})
    return store.make_index(shard, other)


def contents(path: Path) -> dict[str, bytes]:
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, it: found.update({name: it[()].tobytes()}) if isinstance(it, h5py.Dataset) else None
        )
    return found


def test_every_match_lies_within_its_second_as_seen_and_heard(shard: Path) -> None:
    with Shard(shard) as opened:
        for i in range(opened.n_samples):
            sample = read_sample(opened, i)
            seen, shown = time_code.read_picture(sample.image)
            heard, sung = time_code.read_sound(sample.sound)
            assert seen == int(opened.clips["ytid"][sample.recipe["clip"]][-2:])
            assert sung == pytest.approx(sample.recipe["start"] / SECOND, abs=0.015)
            assert (seen == heard) == sample.recipe["label"]
            assert -0.015 < shown - sung < 1.015


def test_every_clip_is_used_and_no_more_frames_than_asked_for(shard: Path) -> None:
    with Shard(shard) as opened:
        rows = opened.samples[:]
        assert opened.n_clips == 6
        assert opened.samples_per_clip == SETTINGS["samples_per_clip"]
        assert set(rows["clip"]) == set(rows["sound"]) == set(range(6))
        for clip in range(6):
            assert len(set(rows["frame"][rows["clip"] == clip])) <= SETTINGS["frames_per_clip"]
        assert len(np.unique(rows["n"])) == len(rows)
        assert opened.left_out() == []


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a shard of clips that show where in the frame a pixel is, with crops that move both ways."""
    clips = SmallStore(tmp_path_factory.mktemp("ruled"), n_clips=2, seconds=2.0, picture=time_code.ruler).write()
    return clips.make_shard(image_size=48)


def test_crops_are_of_the_place_that_the_shard_tells(ruled: Path) -> None:
    with Shard(ruled) as opened:
        for i in range(opened.n_samples):
            sample = read_sample(opened, i)
            recipe = sample.recipe
            assert sample.image.shape == (48, 48, 3)
            place = np.array([recipe["crop_y"], recipe["crop_x"]])
            assert np.abs(time_code.read_place(sample.image) - place).max() < 2


def test_last_frame_shows_the_end_of_every_clip(store: SmallStore) -> None:
    with Shard(store.make_shard("last.h5", pairing="last_frame")) as opened:
        shown = {time_code.read_picture(read_sample(opened, i).image)[1] for i in range(0, opened.n_samples, 7)}
        assert list(shown) == pytest.approx([store.seconds - 1 / 30])


def test_same_shard_whatever_the_threads_and_jobs_beside_it(store: SmallStore, shard: Path) -> None:
    options = [f"--{name.replace('_', '-')}={value}" for name, value in SETTINGS.items()]
    inputs = ["--clips", store.clips, "--manifest", store.manifest, "--store", store.folder / "store"]

    def make(job: int) -> dict[str, bytes]:
        target, threads = store.folder / f"job-{job}.h5", str(1 + job % 2 * 7)
        command = [sys.executable, SCRIPTS / "make_shard.py", *inputs, "--shard", target, *options]
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, **dict.fromkeys(names, threads)})
        return contents(target)

    with ThreadPoolExecutor(4) as pool:
        for made in pool.map(make, range(4)):
            assert made == contents(shard)


def test_a_clip_that_is_gone_changes_no_other_picture(store: SmallStore, shard: Path) -> None:
    store.path(2).rename(store.path(2).with_suffix(".away"))
    try:
        made = store.make_shard("without-2.h5")
    finally:
        store.path(2).with_suffix(".away").rename(store.path(2))
    with Shard(made) as fewer, Shard(shard) as all_:
        (left_out,) = fewer.left_out()
        assert left_out[:3] == ("timecode-02", 60.0, 64.0)
        assert "gone from the store" in left_out.reason
        kept = all_.samples[:][all_.samples["clip"] != 2]
        rows = fewer.samples[:]
        for name in ("n", "start", "label", "crop_y", "crop_x", "flip", "saturation", "brightness", "saturation_first"):
            assert np.array_equal(rows[name], kept[name])
        for i in (0, 100, 200, 299):
            sample = read_sample(fewer, i)
            heard, _ = time_code.read_sound(sample.sound)
            assert heard == int(fewer.clips["ytid"][sample.recipe["sound"]][-2:])


def test_memory_does_not_grow_with_the_part(store: SmallStore, tmp_path: Path) -> None:
    """What Python and numpy hold at most, for two and for six clips: less than one more clip's sound."""
    peaks = []
    for n in (2, 6):
        clips = pd.read_csv(store.clips).head(n)
        clips.to_csv(tmp_path / "clips.csv", index=False)
        tracemalloc.start()
        stage_function("make_shard")(
            tmp_path / "clips.csv", store.manifest, tmp_path / "p.h5", store=store.folder / "store", **SETTINGS
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < store.seconds * SECOND * 2


def test_a_balanced_part_has_the_clips_of_its_manifest(store: SmallStore, tmp_path: Path) -> None:
    manifest = pd.read_csv(store.manifest)
    manifest[manifest["ytid"].isin(["timecode-01", "timecode-04"])].to_csv(tmp_path / "manifest.csv", index=False)
    stage_function("make_shard")(
        *(store.clips, tmp_path / "manifest.csv", tmp_path / "p.h5"),
        **{**SETTINGS, "store": store.folder / "store", "parts": 10, "part": 8, "split": "balanced"},
    )
    with Shard(tmp_path / "p.h5") as made:
        assert made.clips["ytid"].tolist() == [b"timecode-01", b"timecode-04"]
        assert made.clips["row"].tolist() == [0, 1]


def test_too_large_a_crop_is_refused(store: SmallStore) -> None:
    with pytest.raises(ConfigError, match=r"image_size is 80 but samples\.short_side 72"):
        store.make_shard("large.h5", image_size=80)
    assert not (store.folder / "large.h5").exists()


def test_index_counts_and_refuses_a_mixture(store: SmallStore, shard: Path, index: Path) -> None:
    found = json.loads(index.read_text())
    assert found["n_samples"] == 720
    assert found["n_clips"] == 12
    assert (found["subset"], found["split"], found["image_size"]) == ("music", "test", 72)
    assert found["shards"][0]["path"] == "part-0000.h5"
    other = store.make_shard("other.h5", pairing="last_frame")
    with pytest.raises(ShardError, match=r"other\.h5 has pairing last_frame, .*part-0000\.h5 has overlapping"):
        store.make_index(shard, other, name="mixed.json")
    assert not (store.folder / "mixed.json").exists()


def test_a_part_of_one_clip_has_no_samples(tmp_path: Path) -> None:
    alone = SmallStore(tmp_path, n_clips=1, seconds=2.0).write()
    made = alone.make_shard()
    with Shard(made) as opened:
        assert opened.n_samples == opened.n_clips == len(opened.pcm) == 0
        assert "no other video" in opened.left_out()[0].reason
    with pytest.raises(ShardError, match="none of 1 shards holds a sample"):
        alone.make_index(made)


def test_a_mismatch_hears_another_video(tmp_path: Path) -> None:
    clips = SmallStore(tmp_path, n_clips=3, seconds=2.0, videos=["timecode-aa", "timecode-aa", "timecode-bb"])
    with Shard(clips.write().make_shard()) as opened:
        rows = opened.samples[:]
        seen, heard = opened.clips["ytid"][rows["clip"]], opened.clips["ytid"][rows["sound"]]
        assert np.array_equal(seen == heard, rows["label"] == 1)
        assert set(rows["clip"]) == {0, 1, 2}


def test_a_part_of_one_video_has_no_samples_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = SmallStore(tmp_path, n_clips=3, seconds=2.0, videos=["timecode-aa"] * 3).write().make_shard()
    assert "left out: 3 clips of timecode-aa, the only video: its part holds no other video" in caplog.text
    with Shard(made) as opened:
        assert opened.n_samples == opened.n_clips == 0
        assert [clip.start_seconds for clip in opened.left_out()] == [0.0, 30.0, 60.0]
        assert {clip.reason for clip in opened.left_out()} == {"its part holds no other video to mismatch it with"}


def test_shards_of_other_recipes_are_no_split(store: SmallStore, shard: Path) -> None:
    before = store.make_shard("before.h5")
    with h5py.File(before, "r+") as file:  # as shards were made before recipes had versions
        assert file.attrs.pop("recipe_version") == 2
    store.make_index(before, name="before.json")
    with pytest.raises(ShardError, match=r"before\.h5 has recipe_version 1, .*part-0000\.h5 has 2"):
        store.make_index(shard, before, name="mixed.json")


def test_inspection_draws_a_sheet_and_finds_the_draws_fair(index: Path, tmp_path: Path) -> None:
    sheet, table = tmp_path / "sheet.png", tmp_path / "distributions.csv"
    stage_function("inspect_shards")(index, sheet, table, subset="music", seed=1)
    assert np.asarray(Image.open(sheet)).std() > 20
    found = pd.read_csv(table).set_index("quantity")
    assert found.loc["label", "mean"] == 0.5
    assert found.loc["clips_used", "mean"] == 12
    assert (found["p"].dropna() > 1e-3).all()
    assert found["p"].notna().sum() >= 8
    for name in ("frame_minus_start", "frame_minus_start_of_mismatches"):
        assert found.loc[name, "min"] >= 0
        assert found.loc[name, "max"] < 1


def test_a_sheet_of_synthetic_samples_says_so_in_the_picture(index: Path, tmp_path: Path) -> None:
    top = {}
    for synthetic in (False, True):
        sheet = tmp_path / f"{synthetic}.png"
        stage_function("inspect_shards")(index, sheet, tmp_path / "table.csv", subset="m", seed=1, synthetic=synthetic)
        top[synthetic] = np.asarray(Image.open(sheet).convert("RGB"))[:24].reshape(-1, 3)
    vermilion = [0xD5, 0x5E, 0x00]  # as in all other figures
    assert (top[True] == vermilion).all(axis=1).sum() > 100
    assert not (top[False] == vermilion).all(axis=1).any()


def test_inspection_tells_unfair_draws(store: SmallStore, shard: Path, tmp_path: Path) -> None:
    bent = tmp_path / "bent.h5"
    bent.write_bytes(shard.read_bytes())
    with h5py.File(bent, "r+") as file:
        rows = file["samples"][:]
        rows["flip"] = 1
        rows["saturation"] = 0.5 + (rows["saturation"] - 0.5) ** 2
        rows["crop_x"] //= 2
        mismatch = rows["label"] == 0
        rows["start"][mismatch] = np.random.default_rng(0).permutation(rows["start"][mismatch])
        file["samples"][:] = rows
    stage_function("index_shards")([bent], tmp_path / "bent.json")
    found = {row.quantity: row.p for row in check_distributions(read_shard_index(tmp_path / "bent.json"))}
    assert {name for name, p in found.items() if p < 1e-6} == {
        "flip",
        "saturation",
        "crop_x",
        "frame_minus_start_of_mismatches",
    }


def test_the_documented_example_makes_the_sample(
    root: Path, shard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "part-0000.h5").symlink_to(shard)
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.+?)```", (root / "docs" / "formats.md").read_text(), re.DOTALL)[1]
    assert len(code.splitlines()) <= 20
    found: dict = {}
    exec(compile(code, "docs/formats.md", "exec"), found)
    with Shard(shard) as opened:
        expected = read_sample(opened, found["n"])
    assert np.array_equal(found["image"], expected.image)
    assert np.array_equal(found["sound"], expected.sound)
    assert found["label"] == expected.recipe["label"]


@pytest.fixture(scope="module")
def batches(index: Path) -> list[dict[str, np.ndarray]]:
    return read(index, workers=0)


def read(index: Path, **options: object) -> list[dict[str, np.ndarray]]:
    from l3net.feed.pipeline import open_feed

    settings = {"batch_size": 16, "epoch": 1, "seed": 3, "batches": 50, **options}
    return [{k: v.numpy() for k, v in batch.items()} for batch in open_feed(index, **settings)]


def same(one: list, other: list) -> bool:
    return len(one) == len(other) and all(
        np.array_equal(a[name], b[name]) for a, b in zip(one, other, strict=True) for name in a
    )


@pytest.mark.parametrize("workers", [1, 4])
def test_batches_do_not_depend_on_the_workers(index: Path, batches: list, workers: int) -> None:
    assert same(read(index, workers=workers), batches)


@pytest.mark.parametrize("workers", [0, 1])
def test_batches_are_the_same_for_one_device_and_for_several(index: Path, batches: list, workers: int) -> None:
    assert same(read(index, workers=workers, place=lambda data: data), batches)


def test_batches_that_are_held_stay_as_they_are(index: Path, batches: list) -> None:
    """Fifty are more than there are buffers, so those after the first few are copies."""
    from l3net.feed.pipeline import open_feed

    held = list(open_feed(index, batch_size=16, epoch=1, seed=3, batches=50, workers=1))
    assert same([{k: v.numpy() for k, v in batch.items()} for batch in held], batches)


def test_a_later_start_gives_the_rest(index: Path, batches: list) -> None:
    assert same(read(index, workers=1, start_batch=47), batches[47:])
    assert read(index, start_batch=50) == []


def test_a_feed_gives_each_epoch_and_traces_the_whole_ones_once(index: Path) -> None:
    """An epoch of a feed that has given others is that of a feed opened for it alone, from wherever it starts."""
    import tensorflow as tf

    from l3net.feed.pipeline import Feed

    feed = Feed(index, batch_size=16, seed=3, batches=5, workers=0, place=lambda data: data)
    given, made = {}, []
    from_generator = tf.data.Dataset.from_generator
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tf.data.Dataset, "from_generator", lambda *a, **k: made.append(1) or from_generator(*a, **k))
        for epoch, start in ((0, 3), (1, 0), (2, 0), (1, 0)):
            given[epoch, start] = [{k: v.numpy() for k, v in batch.items()} for batch in feed.epoch(epoch, start)]
    assert len(made) == 2  # the epoch that starts later, and all the others
    for (epoch, start), found in given.items():
        assert same(found, read(index, batches=5, epoch=epoch, start_batch=start, workers=0))
    assert not same(given[1, 0], given[2, 0])


def test_a_process_ends_with_a_feed_under_way(index: Path) -> None:
    """Also where a module holds the iterator; without the feed's care it hangs in most of such ends."""
    code = f"""
import sys; sys.path[:0] = [{str(SCRIPTS)!r}]
from pathlib import Path
from l3net.feed import open_feed
settings = dict(batch_size=16, epoch=0, seed=1, batches=1000)
opened = [iter(open_feed(Path({str(index)!r}), workers=n, place=place, **settings))
          for n in (0, 1) for place in (None, lambda data: data)]
print(*(len(next(batches)["label"]) for batches in opened))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout) == (0, "16 16 16 16\n"), ended.stderr[-2000:]


def test_order_is_a_function_of_seed_and_epoch(index: Path, batches: list) -> None:
    assert not same(read(index, seed=4, workers=0), batches)
    assert not same(read(index, epoch=2, workers=0), batches)
    in_order = read(index, shuffle=False, batches=2, epoch=0, workers=1)
    assert [name.decode() for name in in_order[0]["sample_id"][:3]] == ["music/0/0", "music/0/60", "music/0/120"]


def test_feed_and_oracle_agree(index: Path, batches: list) -> None:
    """Images within two grey levels after augmentation; sound to a sixteen-bit step."""
    from l3net.feed.augment import prepare_batch

    found = read_shard_index(index)
    opened = [Shard(Path(entry.path)) for entry in found.shards]
    rows = {}
    for number, one in enumerate(opened):
        for i, row in enumerate(one.samples[:]):
            rows.setdefault(int(row["n"]), []).append((number, i))
    for batch in batches[:6]:
        image, audio, label = (x.numpy() for x in prepare_batch(batch, True))
        assert image.min() >= -1 <= image.max() <= 1
        for i, name in enumerate(batch["sample_id"]):
            candidates = [read_sample(opened[k], row) for k, row in rows[int(name.decode().split("/")[-1])]]
            (sample,) = (s for s in candidates if np.array_equal(s.sound, batch["audio"][i]))
            expected, sound = augment_sample(sample)
            assert np.abs((image[i] + 1) * 127.5 - expected * 255).max() < 2
            assert np.abs(audio[i] - sound).max() < 1 / 32768
            assert np.abs(audio[i]).max() < 1
            assert label[i] == sample.recipe["label"]
            assert batch["label_mids"][i] == b"/m/04rlf,/m/05r5c"


def test_feed_cuts_where_the_oracle_does(ruled: Path) -> None:
    index = ruled.with_name("ruled.json")
    stage_function("index_shards")([ruled], index)
    with Shard(ruled) as opened:
        rows = {f"music/0/{n}".encode(): i for i, n in enumerate(opened.samples["n"])}
        for batch in read(index, workers=0, batches=5):
            for name, image in zip(batch["sample_id"], batch["image"], strict=True):
                assert np.abs(image.astype(int) - read_sample(opened, rows[name]).image).max() <= 1


def test_wrong_numbers_are_refused(index: Path) -> None:
    from l3net.feed.pipeline import open_feed

    with pytest.raises(ConfigError, match="batch_size 0 and batches 5 must be 1 or more"):
        open_feed(index, batch_size=0, epoch=0, seed=0, batches=5)


def test_samples_need_no_tensorflow() -> None:
    code = f"""
import sys; sys.path[:0] = [{str(SCRIPTS)!r}]
import make_shard, index_shards, inspect_shards, l3net.feed.batch_reader
assert not {{"tensorflow", "keras"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
