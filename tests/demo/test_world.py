"""The synthetic world: labels that exist, parts that hold every class, sound and picture that follow one score."""

import csv
import json
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from l3net.audioset.splits import part_of
from l3net.demo import sound_parts
from l3net.demo.motion import follow
from l3net.demo.recordings import DCASE2013, ESC50, US8K, draw_recording
from l3net.demo.voices import SOURCES, draw_sound, perform
from l3net.demo.world import FAULTS, KINDS, Kind, draw_clips, draw_frames, scene_of


def ontology(root: Path) -> dict[str, dict]:
    return {node["id"]: node for node in json.loads((root / "resources/ontology.json").read_text())}


def descendants(nodes: dict[str, dict], mid: str) -> set[str]:
    return {mid}.union(*(descendants(nodes, child) for child in nodes[mid]["child_ids"]))


def filtered(root: Path, subset: str) -> set[str]:
    """Return the ids a subset's filter lets through, computed here from the files alone."""
    nodes = ontology(root)
    by_name = {node["name"]: mid for mid, node in nodes.items()}
    with open(root / f"resources/filters/{subset}.csv") as file:
        rows = [(by_name[row["label"]], row["include_children"] == "true") for row in csv.DictReader(file)]
    return set().union(*(descendants(nodes, mid) if children else {mid} for mid, children in rows))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.source)
def test_kinds_carry_real_labels_of_their_subset(kind: Kind, root: Path) -> None:
    nodes = ontology(root)
    other = "environmental" if kind.subset == "music" else "music"
    assert nodes[kind.mid]["name"] == kind.name
    assert kind.mid in filtered(root, kind.subset)
    assert not {kind.mid, *kind.broader} & filtered(root, other), "a clip would be in both subsets by its kind alone"
    assert all(mid in nodes for mid in kind.broader)


def test_at_least_four_kinds_of_each_subset() -> None:
    assert min(Counter(kind.subset for kind in KINDS).values()) >= 4


def test_every_part_holds_every_kind() -> None:
    clips = [clip for clip in draw_clips(20, 10.0, seed=3, parts=10) if clip.fault is None]
    assert Counter((part_of(clip.ytid, 10), clip.kind.source) for clip in clips) == Counter(
        {(part, kind.source): 2 for part in range(10) for kind in KINDS}
    )


def test_world_holds_every_fault_both_subsets_and_odd_ids() -> None:
    clips = draw_clips(30, 10.0, seed=20190512)
    assert {clip.fault for clip in clips} == {None, *FAULTS}
    assert any(clip.other is not None and clip.other.mid in clip.mids for clip in clips)
    assert any(clip.ytid.startswith("-") for clip in clips)
    assert len({clip.ytid for clip in clips}) == len(clips)
    assert all(len(clip.ytid) == 11 for clip in clips)
    assert {clip.start_seconds > 0 for clip in clips} == {True, False}
    assert all(clip.end_seconds <= clip.video_seconds for clip in clips if clip.fault not in ("short", "tiny"))


def test_world_is_a_function_of_the_seed() -> None:
    assert draw_clips(3, 10.0, seed=1) == draw_clips(3, 10.0, seed=1)
    assert draw_clips(3, 10.0, seed=1) != draw_clips(3, 10.0, seed=2)


@pytest.mark.parametrize("source", SOURCES)
def test_voices_sound_through_the_clip(source: str) -> None:
    wave = draw_sound(source, 6.0, 22_050, np.random.default_rng(0))
    assert wave.shape == (132_300,)
    assert np.isfinite(wave).all()
    loudest = np.abs(wave[: 6 * 22_050].reshape(4, -1)).max(1)
    assert (loudest > 0.1 * loudest.max()).all(), "a stretch of 1.5 s in which nothing is heard"


def test_tone_has_its_pitch_and_nothing_above_nyquist() -> None:
    wave = sound_parts.tone(1000.0, 48_000, 48_000, np.ones(100))
    spectrum = np.abs(np.fft.rfft(wave))
    peaks = np.flatnonzero(spectrum > 0.1 * spectrum.max())
    assert peaks.tolist() == list(range(1000, 24_000, 1000))


def test_noise_stays_in_its_band() -> None:
    wave = sound_parts.noise(1 << 15, 48_000, 1000, 4000, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(wave)) ** 2
    hertz = np.fft.rfftfreq(1 << 15, 1 / 48_000)
    assert power[(hertz > 700) & (hertz < 6000)].sum() > 0.9 * power.sum()


def test_follow_places_frames_between_onsets() -> None:
    score = [sound_parts.Event(1.0, 0.5, 100.0, 1.0), sound_parts.Event(2.0, 0.5, 200.0, 1.0)]
    moves = follow(score, np.array([0.5, 1.25, 1.75, 2.0]))
    assert moves.index.tolist() == [-1, 0, 0, 1]
    assert moves.since[1:].tolist() == [0.25, 0.75, 0.0]
    assert moves.sounding.tolist() == [False, True, False, True]
    assert moves.share.tolist() == [1.0, 0.25, 0.75, 0.0]
    assert moves.height.tolist() == [0.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.source)
def test_picture_moves_with_the_onsets(kind: Kind) -> None:
    """Frames change more when something begins to sound than half-way between, beyond what the camera does."""
    rng = np.random.default_rng(4)
    rhythm = replace(SOURCES[kind.source].rhythm, per_second=(1.0, 1.0), swing=0.0)
    score = sound_parts.draw_score(rhythm, 6.0, rng)
    moving = np.stack(list(draw_frames(kind.source, score, 180, Fraction(30), np.random.default_rng(5))))
    still = np.stack(list(draw_frames(kind.source, score[:1], 180, Fraction(30), np.random.default_rng(5))))
    assert moving.shape == still.shape
    onset = int(np.ceil(score[2].onset * 30))
    assert np.abs(moving[onset : onset + 6].astype(int) - still[onset : onset + 6]).mean() > 0.5


def test_hues_tell_the_kinds_of_a_subset_apart() -> None:
    for subset in ("music", "environmental"):
        hues = sorted(scene_of(kind.source).hue for kind in KINDS if kind.subset == subset)
        gaps = np.diff([*hues, hues[0] + 360])
        assert gaps.min() > 30


def test_sound_and_picture_share_their_onsets() -> None:
    """The drum's loudness jumps where its score says so."""
    score = [sound_parts.Event(t, 0.3, 200.0, 1.0) for t in (0.5, 1.25, 2.0)]
    wave = perform("snare_drum", score, 3.0, 48_000, 0.5, np.random.default_rng(0))
    loud = np.abs(wave).reshape(-1, 480).max(1)
    jumps = np.flatnonzero((loud[1:] > 0.3) & (loud[:-1] < 0.05)) + 1
    assert jumps.tolist() == [50, 125, 200]


@pytest.mark.parametrize("recipes", [US8K, ESC50, DCASE2013], ids=["us8k", "esc50", "dcase2013"])
def test_recordings_have_their_length_and_differ(recipes: dict) -> None:
    rng = np.random.default_rng(0)
    recipe = next(iter(recipes.values()))
    first, second = (draw_recording(recipe, 1.5, 22_050, rng) for _ in range(2))
    assert first.shape == second.shape == (33_075,)
    assert 0.09 < np.abs(first).max() <= 0.91
    assert not np.allclose(first, second)


def test_recipes_carry_official_names_and_numbers(shared_data: Path) -> None:
    def official(name: str, label: str, number: str) -> set[tuple[str, int]]:
        with open(shared_data / "benchmarks" / name) as file:
            return {(row[label], int(row[number])) for row in csv.DictReader(file)}

    assert {(k, r.number) for k, r in US8K.items()} == official("UrbanSound8K.csv", "class", "classID")
    assert {(k, r.number) for k, r in ESC50.items()} < official("esc50.csv", "category", "target")
    with open(shared_data / "benchmarks/dcase2013_task1_filenamekey.csv") as file:
        assert set(DCASE2013) == {row["decodedname"][:-6] for row in csv.DictReader(file)}
