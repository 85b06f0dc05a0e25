"""Recipes: pure functions of the sample number, distributed as the documents say."""

import numpy as np
import pytest
from scipy import stats

from l3net.errors import ConfigError
from l3net.samples.recipes import Recipes, limit_gains

TIMES = np.arange(300) / 30
SECOND = 48000
LENGTHS = np.array([10, 10, 8, 10, 3, 10, 10, 1]) * SECOND


def recipes(**changes: object) -> Recipes:
    settings = {"seed": 5, "subset": "music", "part": 3, "samples_per_clip": 253, "frames_per_clip": 300}
    return Recipes(**{**settings, "image_size": 224, **changes})


def table(n_clips: int = 8, **changes: object) -> tuple[np.ndarray, np.ndarray]:
    """Return the recipes of clips of `LENGTHS`, and when each one's frame is shown, by the frame's number."""
    made, times = [], []
    drawn = recipes(**changes)
    for clip in range(n_clips):
        shown = TIMES[: LENGTHS[clip] * 30 // SECOND]
        home = drawn.home(clip, shown, int(LENGTHS[clip]), (456, 256))
        times.append(shown[home["frame"]])
        drawn.pair(home, clip, clip, LENGTHS[:n_clips])
        made.append(home)
    return np.concatenate(made), np.concatenate(times)


def is_uniform(places: np.ndarray) -> bool:
    return stats.kstest(places, "uniform").pvalue > 1e-3


def test_sample_is_a_function_of_seed_subset_part_and_number() -> None:
    one = recipes().home(4, TIMES, 10 * SECOND, (456, 256))
    again = recipes().home(4, TIMES, 10 * SECOND, (456, 256))
    assert one.tobytes() == again.tobytes()
    for other in ({"seed": 6}, {"subset": "environmental"}, {"part": 4}):
        assert not np.array_equal(recipes(**other).home(4, TIMES, 10 * SECOND, (456, 256))["start"], one["start"])


def test_draws_of_a_sample_number_do_not_depend_on_how_many_are_drawn() -> None:
    few, many = recipes(samples_per_clip=10), recipes(samples_per_clip=50)
    assert np.array_equal(np.concatenate([few.draws(row) for row in range(5)]), many.draws(0))


def test_labels_are_balanced_in_every_clip() -> None:
    rows, _ = table(samples_per_clip=254)
    assert (rows["label"].reshape(8, 254).sum(1) == 127).all()
    odd, _ = table()
    assert set(odd["label"].reshape(8, 253).sum(1)) <= {126, 127}


def test_positives_overlap_and_negatives_are_of_another_clip() -> None:
    rows, times = table()
    positive = rows["label"] == 1
    offset = times - rows["start"] / SECOND
    assert (rows["sound"] == rows["clip"])[positive].all()
    assert ((offset >= 0) & (offset < 1))[positive].all()
    assert is_uniform(offset[positive & (LENGTHS[rows["clip"]] == 10 * SECOND)] + 1 / 60)
    assert (rows["sound"] != rows["clip"])[~positive].all()


def test_starts_crops_and_partners_are_uniform_and_stay_inside() -> None:
    rows, _ = table(samples_per_clip=1000)
    room = LENGTHS[rows["sound"]] - SECOND
    assert ((rows["start"] >= 0) & (rows["start"] <= room)).all()
    for label in (0, 1):
        some = (rows["label"] == label) & (room > 0)
        assert is_uniform(rows["start"][some] / room[some])
    for name, last in (("crop_y", 256 - 224), ("crop_x", 456 - 224)):
        assert (rows[name].min(), rows[name].max()) == (0, last)
        assert stats.chisquare(np.bincount(rows[name], minlength=last + 1)).pvalue > 1e-3
    negative = rows[rows["label"] == 0]
    for clip in range(8):
        partners = np.bincount(negative["sound"][negative["clip"] == clip], minlength=8)
        assert partners[clip] == 0
        assert stats.chisquare(np.delete(partners, clip)).pvalue > 1e-3
    assert is_uniform(rows["saturation"] - 0.5)
    assert is_uniform(rows["brightness"] * 255 / 64 + 0.5)
    assert is_uniform((rows["gain"] - 0.9) / 0.2)
    assert stats.binomtest(int(rows["flip"].sum()), len(rows)).pvalue > 1e-3
    assert stats.binomtest(int(rows["saturation_first"].sum()), len(rows)).pvalue > 1e-3


def test_frames_of_matches_and_mismatches_have_the_same_distribution() -> None:
    rows, times = table(samples_per_clip=1000)
    positive = rows["label"] == 1
    assert stats.ks_2samp(times[positive], times[~positive]).pvalue > 1e-3


def test_last_frame_reproduces_the_fault() -> None:
    rows, times = table(pairing="last_frame")
    assert (times == (LENGTHS[rows["clip"]] / SECOND - 1 / 30)).all()


def test_no_more_frames_are_used_than_asked_for() -> None:
    home = recipes(frames_per_clip=24).home(0, TIMES, 10 * SECOND, (456, 256))
    assert len(set(home["frame"])) <= 24
    offset = TIMES[home["frame"]] - home["start"] / SECOND
    assert ((offset >= 0) & (offset < 1)).all()


def test_too_few_frames_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"frames_per_clip is 12; a clip of 10\.0 s needs 20 or more"):
        recipes(frames_per_clip=12).home(0, TIMES, 10 * SECOND, (456, 256))


def test_unknown_pairing_is_refused() -> None:
    with pytest.raises(ConfigError, match="pairing is 'first'; expected overlapping or last_frame"):
        recipes(pairing="first")


def test_gaps_between_frames_still_give_a_frame_inside_the_second() -> None:
    times = np.concatenate([np.arange(30) / 30, [5.0, 9.9]])
    home = recipes().home(0, times, 10 * SECOND, (456, 256))
    assert np.array_equal(home["time"], times[home["frame"]])
    offset = home["time"] - home["start"] / SECOND
    assert ((offset >= 0) & (offset < 1)).all()


def test_gain_is_limited_by_headroom() -> None:
    rows, _ = table()
    pcm = np.zeros(10 * SECOND, np.int16)
    pcm[: 5 * SECOND] = -32768
    pcm[5 * SECOND :] = 32000
    before = rows.copy()
    limit_gains(rows, 0, pcm)
    own = rows["sound"] == 0
    peak = np.where(rows["start"] < 5 * SECOND, 32768, 32000)[own]
    assert (peak * rows["gain"][own].astype(np.float64) <= 32767).all()
    assert np.array_equal(rows[~own], before[~own])
    assert (rows["gain"] <= before["gain"]).all()
    assert (rows["gain"][own & (before["gain"] < 0.999)] == before["gain"][own & (before["gain"] < 0.999)]).all()
