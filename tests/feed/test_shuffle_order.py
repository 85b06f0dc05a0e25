"""The stream of samples: every sample once a pass, any place found directly, few clips at a time."""

import numpy as np
import pytest

from l3net.feed.shuffle_order import ShuffleOrder


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize(("n_clips", "share", "buffered"), [(37, 11, 8), (5, 24, 128), (50, 3, 20), (1, 4, 4)])
def test_every_sample_comes_once_in_a_pass(n_clips: int, share: int, buffered: int, shuffle: bool) -> None:
    order = ShuffleOrder(n_clips, share, seed=3, shuffle=shuffle, shuffle_buffer_clips=buffered)
    rows = order.samples_at(0, 2 * n_clips * share)
    for one in np.split(rows, 2):
        assert len(np.unique(one, axis=0)) == n_clips * share
        assert (one.max(0) == (n_clips - 1, share - 1)).all()
    if shuffle and n_clips > 1:
        assert not np.array_equal(*np.split(rows, 2))


def test_any_place_is_the_same_however_it_is_reached() -> None:
    stream = ShuffleOrder(37, 11, seed=3, shuffle_buffer_clips=8).samples_at(0, 2000)
    fresh = ShuffleOrder(37, 11, seed=3, shuffle_buffer_clips=8)
    for first, n in ((1500, 64), (7, 1), (406, 3), (1999, 1), (0, 2000)):
        assert np.array_equal(fresh.samples_at(first, n), stream[first : first + n])
    assert not np.array_equal(ShuffleOrder(37, 11, seed=4, shuffle_buffer_clips=8).samples_at(0, 2000), stream)


def test_few_clips_are_open_at_a_time() -> None:
    n_clips, share, buffered = 100, 20, 8
    rows = ShuffleOrder(n_clips, share, seed=1, shuffle_buffer_clips=buffered).samples_at(0, n_clips * share)
    blocks = rows[:, 0].reshape(-1, share)
    assert max(len(np.unique(block)) for block in blocks) <= buffered
    inner = [c for c in range(n_clips) if c not in blocks[0]]
    spans = [np.flatnonzero((blocks == clip).any(1)) for clip in inner]
    assert max(np.ptp(span) for span in spans if np.ptp(span) < 50) < buffered


def test_batches_mix_clips() -> None:
    rows = ShuffleOrder(200, 253, seed=1, shuffle_buffer_clips=128).samples_at(10000, 64)
    assert len(np.unique(rows[:, 0])) > 40


def test_in_order_takes_every_clip_before_any_again() -> None:
    rows = ShuffleOrder(4, 3, seed=0, shuffle=False).samples_at(2, 5)
    assert rows.tolist() == [[2, 0], [3, 0], [0, 1], [1, 1], [2, 1]]
