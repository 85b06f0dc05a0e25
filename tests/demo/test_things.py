"""Things: labels that exist, voices that sound, looks that move with the sound and can be told apart."""

import csv
import json
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from l3net.demo import sound_parts
from l3net.demo.catalogue import SHOWN_THINGS, THINGS
from l3net.demo.things import Thing, draw_sound, perform
from l3net.demo.world import draw_frames


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


@pytest.mark.parametrize("thing", SHOWN_THINGS, ids=lambda thing: thing.name)
def test_things_carry_real_labels_of_their_subset(thing: Thing, root: Path) -> None:
    nodes = ontology(root)
    other = "environmental" if thing.label.subset == "music" else "music"
    assert nodes[thing.label.mid]["name"] == thing.label.name
    assert thing.label.mid in filtered(root, thing.label.subset)
    assert not {thing.label.mid, *thing.label.broader} & filtered(root, other), "a clip of it would be in both subsets"
    assert all(mid in nodes for mid in thing.label.broader)


def test_at_least_four_things_of_each_subset() -> None:
    assert min(Counter(thing.label.subset for thing in SHOWN_THINGS).values()) >= 4


@pytest.mark.parametrize("thing", THINGS.values(), ids=THINGS)
def test_voices_sound_through_the_clip(thing: Thing) -> None:
    wave = draw_sound(thing, 6.0, 22_050, np.random.default_rng(0))
    assert wave.shape == (132_300,)
    assert np.isfinite(wave).all()
    loudest = np.abs(wave[: 6 * 22_050].reshape(4, -1)).max(1)
    assert (loudest > 0.1 * loudest.max()).all(), "a stretch of 1.5 s in which nothing is heard"


def test_a_drum_sounds_when_its_score_says_so() -> None:
    """The drum's loudness jumps where its score says so."""
    score = [sound_parts.Event(t, 0.3, 200.0, 1.0) for t in (0.5, 1.25, 2.0)]
    wave = perform(THINGS["snare_drum"], score, 3.0, 48_000, 0.5, np.random.default_rng(0))
    loud = np.abs(wave).reshape(-1, 480).max(1)
    jumps = np.flatnonzero((loud[1:] > 0.3) & (loud[:-1] < 0.05)) + 1
    assert jumps.tolist() == [50, 125, 200]


@pytest.mark.parametrize("thing", SHOWN_THINGS, ids=lambda thing: thing.name)
def test_picture_moves_with_the_onsets(thing: Thing) -> None:
    """Frames change more when something begins to sound than half-way between, beyond what the camera does."""
    rng = np.random.default_rng(4)
    rhythm = replace(thing.rhythm, per_second=(1.0, 1.0), swing=0.0)
    score = sound_parts.draw_score(rhythm, 6.0, rng)
    moving = np.stack(list(draw_frames(thing, score, 180, Fraction(30), np.random.default_rng(5))))
    still = np.stack(list(draw_frames(thing, score[:1], 180, Fraction(30), np.random.default_rng(5))))
    assert moving.shape == still.shape
    onset = int(np.ceil(score[2].onset * 30))
    assert np.abs(moving[onset : onset + 6].astype(int) - still[onset : onset + 6]).mean() > 0.5


def test_hues_tell_the_kinds_of_a_subset_apart() -> None:
    for subset in ("music", "environmental"):
        hues = sorted(thing.look.hue for thing in SHOWN_THINGS if thing.label.subset == subset)
        gaps = np.diff([*hues, hues[0] + 360])
        assert gaps.min() > 30
