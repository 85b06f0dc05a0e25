"""Clips of the world: every part holds every thing, every fault occurs, and the seed decides."""

import itertools
from collections import Counter
from pathlib import Path

import av
import numpy as np

from l3net.audioset.splits import part_of
from l3net.demo.catalogue import SHOWN_THINGS
from l3net.demo.world import FAULTS, draw_clips, make_video
from l3net.media.audio import read_audio


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


def test_scenes_are_further_things_of_the_subset_and_leave_the_ids() -> None:
    plain, cut = draw_clips(6, 10.0, seed=1), draw_clips(6, 10.0, seed=1, scenes=4)
    assert [clip.ytid for clip in plain] == [clip.ytid for clip in cut]
    for clip, before in zip(cut, plain, strict=True):
        shown = (clip.thing, *clip.scenes)
        assert len({thing.name for thing in shown}) == len(shown) == (1 if clip.fault in ("short", "tiny") else 4)
        assert len({thing.label.subset for thing in shown}) == 1
        assert set(clip.mids) == {*before.mids, *(thing.label.mid for thing in shown)}


def test_picture_and_sound_are_cut_together(tmp_path: Path) -> None:
    """Three neighbouring frames differ as no others do, and what sounds between them is of one kind each time."""
    clip = next(clip for clip in draw_clips(2, 10.0, seed=1, scenes=4) if clip.fault is None and clip.other is None)
    make_video(clip, tmp_path, seed=1)
    with av.open(str(tmp_path / f"{clip.ytid}.mp4")) as file:
        rate = float(file.streams.video[0].average_rate)
        frames = np.stack([frame.to_ndarray(format="rgb24").astype(np.int16) for frame in file.decode(video=0)])
    steps = np.abs(np.diff(frames, axis=0)).mean((1, 2, 3))
    cuts = np.sort(np.argsort(steps)[-3:])
    assert steps[cuts].min() > 2 * np.delete(steps, cuts).max()
    np.testing.assert_allclose(cuts / len(frames), [0.25, 0.5, 0.75], atol=0.06)
    sound = read_audio(tmp_path / f"{clip.ytid}.mp4")
    bounds = np.array([0, *(cuts + 1), len(frames)]) / rate
    halves = [(lambda m: (a, m, b))((a + b) / 2) for a, b in itertools.pairwise(bounds)]
    spectra = [[_spectrum(sound, a, m), _spectrum(sound, m, b)] for a, m, b in halves]
    same = [one @ other for one, other in spectra]
    unlike = [spectra[n][1] @ spectra[n + 1][0] for n in range(3)]
    assert min(same) > max(unlike)


def _spectrum(sound: np.ndarray, start: float, end: float) -> np.ndarray:
    piece = sound[round(start * 48_000) : round(end * 48_000)]
    power = np.log1p(np.abs(np.fft.rfft(piece[: len(piece) // 2048 * 2048].reshape(-1, 2048))).mean(0))
    return power / np.linalg.norm(power)
