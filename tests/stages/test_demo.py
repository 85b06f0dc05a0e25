"""The demo's two stages: videos as a video site has them, faults on purpose, data sets in the official layouts."""

import csv
import hashlib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from l3net import demo
from l3net.demo.world import DemoClip, draw_clips, make_video
from tests.stages.loading import stage_function

SEED, SECONDS, PER_CLASS = 11, 2.0, 2


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    make = stage_function("make_demo_videos")
    make(
        segments=folder / "segments.csv",
        videos=folder / "videos",
        seed=SEED,
        clips_per_class=PER_CLASS,
        duration_seconds=SECONDS,
        threads=2,
    )
    return folder


@pytest.fixture(scope="module")
def clips() -> list[DemoClip]:
    return draw_clips(PER_CLASS, SECONDS, seed=SEED)


def test_list_is_in_audiosets_format(world: Path, clips: list[DemoClip]) -> None:
    lines = (world / "segments.csv").read_text().splitlines()
    assert [line[0] for line in lines[:3]] == ["#"] * 3
    assert lines[2] == "# YTID, start_seconds, end_seconds, positive_labels"
    assert f"num_ytids={len(clips)}, num_segs={len(clips)}," in lines[1]
    read = csv.reader(lines[3:], quotechar='"', skipinitialspace=True)
    for row, clip in zip(read, clips, strict=True):
        ytid, start, end, labels = row
        assert (ytid, float(start), float(end)) == (clip.ytid, clip.start_seconds, clip.end_seconds)
        assert set(labels.split(",")) == set(clip.mids)


def test_videos_are_what_the_world_says(world: Path, clips: list[DemoClip]) -> None:
    seen = defaultdict(set)
    for clip in (clip for clip in clips if clip.fault in (None, "short", "silent")):
        with av.open(str(world / "videos" / f"{clip.ytid}.mp4")) as file:
            video, audio = file.streams.video[0], file.streams.audio[0]
            assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
            n_frames = sum(1 for _ in file.decode(video))
            for name, value in (("fps", video.average_rate), ("rate", audio.rate), ("size", video.width)):
                seen[name].add(value)
            assert n_frames == round(clip.video_seconds * video.average_rate)
            assert float(audio.duration * audio.time_base) == pytest.approx(clip.video_seconds, abs=0.1)
    assert seen["fps"] == {Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30)}
    assert seen["rate"] == {22_050, 44_100, 48_000}
    assert len(seen["size"]) >= 4


def test_faults_are_what_they_are_called(world: Path, clips: list[DemoClip]) -> None:
    path = {clip.fault: world / "videos" / f"{clip.ytid}.mp4" for clip in clips}
    assert not path["missing"].exists()
    with pytest.raises(av.error.FFmpegError):
        av.open(str(path["truncated"]))
    with av.open(str(path["no_sound"])) as file:
        assert not file.streams.audio
    with av.open(str(path["silent"])) as file:
        assert not any(np.abs(frame.to_ndarray()).max() > 1e-3 for frame in file.decode(audio=0))
    for fault, seconds in (("short", 3.0), ("tiny", 0.6)):
        with av.open(str(path[fault])) as file:
            assert file.duration / av.time_base == pytest.approx(seconds, abs=0.1)


def test_a_video_is_a_function_of_seed_and_id(world: Path, tmp_path: Path, clips: list[DemoClip]) -> None:
    clip = next(clip for clip in clips if clip.fault is None)
    make_video(clip, tmp_path, seed=SEED)
    first = (world / "videos" / f"{clip.ytid}.mp4").read_bytes()
    assert (tmp_path / f"{clip.ytid}.mp4").read_bytes() == first
    make_video(clip, tmp_path, seed=SEED + 1)
    assert (tmp_path / f"{clip.ytid}.mp4").read_bytes() != first


def fail_half_way(clip: DemoClip, folder: Path, *, seed: int) -> None:
    (folder / "half.mp4").write_bytes(b"half")
    raise RuntimeError("disk full")


def test_an_interrupted_world_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "make_video", fail_half_way)
    with pytest.raises(RuntimeError, match="disk full"):
        stage_function("make_demo_videos")(tmp_path / "s.csv", tmp_path / "videos", seed=1, clips_per_class=1)
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("datasets")
    paths = {"us8k": folder / "UrbanSound8K", "esc50": folder / "ESC-50", "dcase2013": folder / "dcase2013"}
    stage_function("make_demo_datasets")(**paths, seed=SEED, clips_per_class=2, threads=2)
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with open(path) as file:
        return list(csv.DictReader(file))


def test_us8k_has_the_official_layout(datasets: Path) -> None:
    table = rows(datasets / "UrbanSound8K/metadata/UrbanSound8K.csv")
    assert list(table[0]) == ["slice_file_name", "fsID", "start", "end", "salience", "fold", "classID", "class"]
    folds = defaultdict(set)
    for row in table:
        fsid, class_id = row["slice_file_name"].split("-")[:2]
        assert (fsid, class_id) == (row["fsID"], row["classID"])
        folds[row["fsID"]].add(row["fold"])
        info = soundfile.info(datasets / f"UrbanSound8K/audio/fold{row['fold']}/{row['slice_file_name']}")
        assert info.duration == pytest.approx(float(row["end"]) - float(row["start"]), abs=0.01)
        assert info.duration <= 4.0
    assert all(len(found) == 1 for found in folds.values()), "a recording's slices lie in several folds"
    assert len(table) > len(folds), "no recording has several slices"


def test_esc50_has_the_official_layout(datasets: Path) -> None:
    table = rows(datasets / "ESC-50/meta/esc50.csv")
    assert list(table[0]) == ["filename", "fold", "target", "category", "esc10", "src_file", "take"]
    for row in table:
        assert row["filename"] == f"{row['fold']}-{row['src_file']}-{row['take']}-{row['target']}.wav"
        info = soundfile.info(datasets / "ESC-50/audio" / row["filename"])
        assert (info.samplerate, info.channels, info.frames) == (44_100, 1, 220_500)


def test_dcase2013_has_the_official_layout(datasets: Path) -> None:
    folder = datasets / "dcase2013"
    trained_with = {path.stem[:-2] for path in (folder / "scenes_stereo").iterdir()}
    key = rows(folder / "dcase2013_task1_filenamekey.csv")
    assert list(key[0]) == ["fold", "wavname", "md5sum", "decodedname"]
    assert {row["decodedname"][:-6] for row in key} == trained_with
    assert {row["wavname"] for row in key} == {path.name for path in (folder / "scenes_stereo_testset").iterdir()}
    for row in key:
        path = folder / "scenes_stereo_testset" / row["wavname"]
        assert hashlib.md5(path.read_bytes()).hexdigest() == row["md5sum"]
        assert soundfile.info(path).channels == 2


def test_mixtures_have_what_their_labels_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, tables = stage_function("make_demo_mixtures"), {}

    def made(name: str, **options: object) -> list[dict[str, str]]:
        make(tmp_path / name, **{"seed": SEED, **options})
        with open(tmp_path / name / "metadata.csv", newline="") as file:
            tables[name] = list(csv.DictReader(file))
        return tables[name]

    for row in made("two", recordings=4, threads=2):
        assert row in (tables.get("one") or made("one", recordings=4))
        sounds = [(tmp_path / name / row["filename"]).read_bytes() for name in ("one", "two")]
        assert sounds[0] == sounds[1]
        assert soundfile.info(tmp_path / "one" / row["filename"]).duration == 4.0
    assert len(list((tmp_path / "one" / "audio").iterdir())) == 4
    drawn = []
    monkeypatch.setitem(make.__globals__, "ProcessPoolExecutor", ThreadPoolExecutor)
    monkeypatch.setitem(make.__globals__, "make_recording", lambda recording, seed: drawn.append(recording))
    labels = [row["labels"].split(";") for row in made("many", recordings=200)]
    assert made("other", recordings=200, seed=SEED + 1) != tables["many"]
    assert {label for of_clip in labels for label in of_clip} == set(demo.MIXTURES)
    assert min(map(len, labels)) == 1
    assert max(map(len, labels)) > 2
    for name, chance in demo.MIXTURES.items():
        assert sum(name in of_clip for of_clip in labels) / 200 == pytest.approx(chance, abs=0.12)
    assert [row["fold"] for row in tables["many"][:6]] == ["1", "2", "3", "4", "5", "1"]
    recipes = {recording.path.name: recording.recipe for recording in drawn[:200]}
    for row, of_clip in zip(tables["many"], labels, strict=True):
        assert recipes[Path(row["filename"]).name] == demo.mix(of_clip)


def test_a_mixture_is_of_the_things_of_its_classes() -> None:
    of_class = {name: demo.ESC50[name].ingredients[0][0] for name in demo.MIXTURES}
    assert [part[0] for part in demo.mix(["rain", "dog"]).ingredients] == [of_class["rain"], of_class["dog"]]
    assert all(chance == 1.0 for _, _, chance in demo.mix(demo.MIXTURES).ingredients)
