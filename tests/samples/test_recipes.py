"""Recipes: pure functions of the sample number, distributed as the documents say, and telling nothing of the label."""

from typing import get_args

import numpy as np
import pytest
from scipy import stats

from l3net.configuration.data_sections import PairingName
from l3net.errors import ConfigError
from l3net.samples.recipes import PAIRINGS, Recipes

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
        alone = drawn.draw(clip, shown, int(LENGTHS[clip]), (456, 256))
        times.append(shown[alone["frame"]])
        drawn.pair_with_sounds(alone, clip, clip, LENGTHS[:n_clips], np.arange(n_clips))
        made.append(alone)
    return np.concatenate(made), np.concatenate(times)


def is_uniform(places: np.ndarray) -> bool:
    return stats.kstest(places, "uniform").pvalue > 1e-3


def test_sample_is_a_function_of_seed_subset_part_and_number() -> None:
    one = recipes().draw(4, TIMES, 10 * SECOND, (456, 256))
    again = recipes().draw(4, TIMES, 10 * SECOND, (456, 256))
    assert one.tobytes() == again.tobytes()
    for other in ({"seed": 6}, {"subset": "environmental"}, {"part": 4}):
        assert not np.array_equal(recipes(**other).draw(4, TIMES, 10 * SECOND, (456, 256))["start"], one["start"])


def test_draws_of_a_sample_number_do_not_depend_on_how_many_are_drawn() -> None:
    few, many = recipes(samples_per_clip=10), recipes(samples_per_clip=50)
    assert np.array_equal(np.concatenate([few.uniform_numbers(row) for row in range(5)]), many.uniform_numbers(0))


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


def test_starts_crops_and_augmentation_are_uniform_and_stay_inside() -> None:
    rows, _ = table(samples_per_clip=1000)
    room = LENGTHS[rows["sound"]] - SECOND
    assert ((rows["start"] >= 0) & (rows["start"] <= room)).all()
    own = (rows["label"] == 1) & (room > 0)
    assert is_uniform(rows["start"][own] / room[own])
    for name, last in (("crop_y", 256 - 224), ("crop_x", 456 - 224)):
        assert (rows[name].min(), rows[name].max()) == (0, last)
        assert stats.chisquare(np.bincount(rows[name], minlength=last + 1)).pvalue > 1e-3
    assert is_uniform(rows["saturation"] - 0.5)
    assert is_uniform(rows["brightness"] * 255 / 64 + 0.5)
    assert is_uniform((rows["gain"] - 0.9) / 0.2)
    assert stats.binomtest(int(rows["flip"].sum()), len(rows)).pvalue > 1e-3
    assert stats.binomtest(int(rows["saturation_first"].sum()), len(rows)).pvalue > 1e-3


def test_partners_are_uniform_among_the_clips_of_other_videos() -> None:
    drawn, videos, lengths = recipes(samples_per_clip=1000), np.array(list("aabcdd")), np.full(6, 10 * SECOND)
    for clip in range(6):
        rows = drawn.draw(clip, TIMES, 10 * SECOND, (456, 256))
        drawn.pair_with_sounds(rows, clip, clip, lengths, videos)
        partners = np.bincount(rows["sound"][rows["label"] == 0], minlength=6)
        assert not partners[videos == videos[clip]].any()
        assert stats.chisquare(partners[videos != videos[clip]]).pvalue > 1e-3


def test_a_mismatch_keeps_the_times_of_a_match() -> None:
    drawn = recipes(samples_per_clip=200)
    alone = drawn.draw(0, TIMES, 10 * SECOND, (456, 256))
    paired = alone.copy()
    drawn.pair_with_sounds(paired, 0, 0, np.array([10, 10, 3]) * SECOND, np.arange(3))
    assert np.array_equal(paired["start"], alone["start"])
    # The clip of 3 s is heard only where it has sound.
    assert paired["start"][paired["sound"] == 2].max() <= 2 * SECOND
    assert (paired["sound"] == 2).sum() > 10


def test_where_no_other_clip_is_long_enough_the_longest_is_heard_to_its_end() -> None:
    drawn = recipes(samples_per_clip=200)
    alone = drawn.draw(0, TIMES, 10 * SECOND, (456, 256))
    paired = alone.copy()
    drawn.pair_with_sounds(paired, 0, 0, np.array([10, 2, 3]) * SECOND, np.arange(3))
    beyond = (paired["label"] == 0) & (alone["start"] > 2 * SECOND)
    assert set(paired["sound"][beyond]) == {2}
    assert set(paired["start"][beyond]) == {2 * SECOND}
    assert np.array_equal(paired["start"][~beyond], alone["start"][~beyond])


def test_frames_of_matches_and_mismatches_have_the_same_distribution() -> None:
    rows, times = table(samples_per_clip=1000)
    positive = rows["label"] == 1
    assert stats.ks_2samp(times[positive], times[~positive]).pvalue > 1e-3


def test_last_frame_reproduces_the_fault() -> None:
    rows, times = table(pairing="last_frame")
    assert (times == (LENGTHS[rows["clip"]] / SECOND - 1 / 30)).all()


def test_any_frame_of_the_clip_matches_any_second_of_it() -> None:
    """Frame and second are independent; everything else of a sample is as with overlapping frames."""
    rows, times = table(samples_per_clip=1000, pairing="clip")
    same, _ = table(samples_per_clip=1000)
    long = LENGTHS[rows["clip"]] == 10 * SECOND
    assert is_uniform(times[long] / 10 + 1 / 600)
    own = (rows["label"] == 1) & long
    assert abs(stats.spearmanr(times[own], rows["start"][own]).statistic) < 0.06
    assert (
        abs(np.mean((times - rows["start"] / SECOND >= 0) & (times - rows["start"] / SECOND < 1), where=own) - 0.1)
        < 0.02
    )
    for name in set(rows.dtype.names) - {"frame", "time", "sound"}:
        assert np.array_equal(rows[name], same[name])
    assert len(recipes(frames_per_clip=12, pairing="clip").usable_frames(0, TIMES)) == 12  # no second needs a frame


def test_no_more_frames_are_used_than_asked_for() -> None:
    alone = recipes(frames_per_clip=24).draw(0, TIMES, 10 * SECOND, (456, 256))
    assert len(set(alone["frame"])) <= 24
    offset = TIMES[alone["frame"]] - alone["start"] / SECOND
    assert ((offset >= 0) & (offset < 1)).all()


def test_too_few_frames_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"frames_per_clip is 12; a clip of 10\.0 s needs 20 or more"):
        recipes(frames_per_clip=12).draw(0, TIMES, 10 * SECOND, (456, 256))


def test_pairings_are_those_of_the_configuration() -> None:
    assert get_args(PairingName) == PAIRINGS


def test_unknown_pairing_is_refused() -> None:
    with pytest.raises(ConfigError, match="pairing is 'first'; expected one of overlapping, clip, last_frame"):
        recipes(pairing="first")


def test_gaps_between_frames_still_give_a_frame_inside_the_second() -> None:
    times = np.concatenate([np.arange(30) / 30, [5.0, 9.9]])
    alone = recipes().draw(0, times, 10 * SECOND, (456, 256))
    assert np.array_equal(alone["time"], times[alone["frame"]])
    offset = alone["time"] - alone["start"] / SECOND
    assert ((offset >= 0) & (offset < 1)).all()


def with_and_without_sounds(hard_negatives: float, seconds: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    """Return the recipes of four clips as each is drawn alone, and the same paired with sounds."""
    drawn = recipes(samples_per_clip=200, image_size=64, hard_negatives=hard_negatives)
    n_sound = round(seconds * SECOND)
    alone = [drawn.draw(row, np.arange(0, seconds, 1 / 30), n_sound, (96, 72)) for row in range(4)]
    paired = [rows.copy() for rows in alone]
    for clip, rows in enumerate(paired):
        drawn.pair_with_sounds(rows, clip, clip, np.full(4, n_sound), np.arange(4))
    return np.concatenate(alone), np.concatenate(paired)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_hard_negatives_hear_the_same_clip_at_another_time(share: float) -> None:
    alone, paired = with_and_without_sounds(share)
    negative = paired["label"] == 0
    hard = negative & (paired["sound"] == paired["clip"])
    assert hard.sum() / negative.sum() == pytest.approx(share, abs=0.08)
    apart = np.abs(paired["start"][hard].astype(int) - alone["start"][hard])
    assert apart.min() >= SECOND
    assert paired["start"].min() >= 0
    assert paired["start"].max() <= 9 * SECOND
    # As uniform over the clip as before: the start alone tells no hard negative.
    assert is_uniform(paired["start"][hard] / (9 * SECOND))


def test_hard_negatives_leave_positives_alone_and_need_a_share() -> None:
    (_, none), (_, all_hard) = with_and_without_sounds(0.0), with_and_without_sounds(1.0)
    positive = none["label"] == 1
    assert np.array_equal(none[positive], all_hard[positive])
    assert not np.any(none["sound"][~positive] == none["clip"][~positive])


@pytest.mark.parametrize("seconds", [1.5, 2.9])
def test_a_clip_shorter_than_three_seconds_has_no_hard_negatives(seconds: float) -> None:
    _, paired = with_and_without_sounds(1.0, seconds)
    assert not np.any((paired["label"] == 0) & (paired["sound"] == paired["clip"]))
