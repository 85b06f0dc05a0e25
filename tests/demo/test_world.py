"""Clips of the world: every part holds every thing, every fault occurs, and the seed decides."""

from collections import Counter

from l3net.audioset.splits import part_of
from l3net.demo.catalogue import SHOWN_THINGS
from l3net.demo.world import FAULTS, draw_clips


def test_every_part_holds_every_thing() -> None:
    clips = [clip for clip in draw_clips(20, 10.0, seed=3) if clip.fault is None]
    assert Counter((part_of(clip.ytid, 10), clip.thing.name) for clip in clips) == Counter(
        {(part, thing.name): 2 for part in range(10) for thing in SHOWN_THINGS}
    )


def test_world_holds_every_fault_both_subsets_and_odd_ids() -> None:
    clips = draw_clips(30, 10.0, seed=20190512)
    assert {clip.fault for clip in clips} == {None, *FAULTS}
    assert any(clip.other is not None and clip.other.label.mid in clip.mids for clip in clips)
    assert any(clip.ytid.startswith("-") for clip in clips)
    assert len({clip.ytid for clip in clips}) == len(clips)
    assert all(len(clip.ytid) == 11 for clip in clips)
    assert {clip.start_seconds > 0 for clip in clips} == {True, False}
    assert all(clip.end_seconds <= clip.video_seconds for clip in clips if clip.fault not in ("short", "tiny"))


def test_world_is_a_function_of_the_seed() -> None:
    assert draw_clips(3, 10.0, seed=1) == draw_clips(3, 10.0, seed=1)
    assert draw_clips(3, 10.0, seed=1) != draw_clips(3, 10.0, seed=2)
