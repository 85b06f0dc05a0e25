"""Intervals over clips: the variance against its definition pair by pair, and the cases at the edges."""

from statistics import NormalDist

import numpy as np
import pytest
import scipy.stats

from l3net.report.clustered import clustered_difference, clustered_share
from l3net.report.statistics import wilson_interval

Z = NormalDist().inv_cdf(0.975)


def score_interval(share: float, n: float) -> tuple[float, float]:
    """Return both ends at which the score test rejects, as roots of its quadratic equation."""
    roots = np.roots([n + Z**2, -(2 * n * share + Z**2), n * share**2])
    return tuple(np.sort(roots.real))


def samples(n_clips: int, share: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return answers and the clips seen and heard, as a shard has them; how hard a sample is depends on both clips."""
    rng = np.random.default_rng(seed)
    seen = np.repeat(np.arange(n_clips), share)
    heard = np.where(rng.random(seen.size) < 0.5, seen, (seen + rng.integers(1, n_clips, seen.size)) % n_clips)
    skill = rng.normal(0, 0.2, (2, n_clips))
    return rng.random(seen.size) < 0.7 + skill[0, seen] + skill[1, heard], np.stack([seen, heard], axis=1)


@pytest.mark.parametrize("seed", range(5))
def test_two_samples_are_dependent_where_they_share_a_clip(seed: int) -> None:
    right, clips = samples(12, 6, seed)
    n, share = right.size, right.mean()
    variance = pairs = 0.0
    for k in range(n):
        for m in range(n):
            if set(clips[k]) & set(clips[m]):
                variance += (right[k] - share) * (right[m] - share)
                pairs += 1
    n_units = min(len(set(clips[:, 0])), len(set(clips[:, 1])))
    design_effect = variance / (n * share * (1 - share)) * n_units / (n_units - 1)
    few = (Z / scipy.stats.t.ppf(0.975, n_units - 1)) ** 2
    expected = score_interval(share, max(n / max(design_effect, n_units / (n_units - 1)) * few, n * n / pairs))
    found = clustered_share(right, clips, confidence=0.95)
    assert (found.n, found.accuracy, found.n_units) == (n, share, n_units)
    assert (found.ci_low, found.ci_high) == pytest.approx(expected)


def test_clips_may_be_named_and_their_order_does_not_matter() -> None:
    right, clips = samples(9, 8, 0)
    order = np.random.default_rng(1).permutation(right.size)
    names = np.char.add("clip ", clips.astype(str))
    found = clustered_share(right, clips, confidence=0.9)
    for other in (names[order], names[order, ::-1]):
        again = clustered_share(right[order], other, confidence=0.9)
        assert (again.ci_low, again.ci_high) == pytest.approx((found.ci_low, found.ci_high))


@pytest.mark.parametrize(("n_right", "n"), [(0, 10), (7, 10), (10, 10), (1, 1), (77, 100)])
def test_with_a_clip_for_each_sample_it_is_wilsons(n_right: int, n: int) -> None:
    found = clustered_share(np.arange(n) < n_right, np.arange(n), confidence=0.95)
    assert (found.ci_low, found.ci_high) == wilson_interval(n_right, n, 0.95)
    assert found.n_units == n


def test_copies_of_clips_tell_no_more_than_the_clips() -> None:
    """All samples of a clip alike: nearly as wide as the interval of so many clips, whatever the number of samples."""
    right = np.arange(40) < 28
    one = clustered_share(right, np.arange(40), confidence=0.95)
    many = clustered_share(np.repeat(right, 24), np.repeat(np.arange(40), 24), confidence=0.95)
    assert many.n_units == 40
    assert (many.ci_low, many.ci_high) == pytest.approx((one.ci_low, one.ci_high), abs=0.01)


def test_where_no_spread_is_seen_samples_of_a_clip_count_as_copies() -> None:
    """All right, or all of one clip: nothing tells how far samples of a clip agree, so as if they were one."""
    found = clustered_share(np.ones(48), np.repeat([0, 1, 2, 3], 12), confidence=0.95)
    assert (found.ci_low, found.ci_high) == pytest.approx(wilson_interval(4, 4, 0.95))
    single = clustered_share(np.arange(24) < 18, np.zeros(24), confidence=0.95)
    assert (single.ci_low, single.ci_high) == pytest.approx(score_interval(0.75, 1.0))
    assert single.n_units == 1


def test_no_sample_says_nothing() -> None:
    found = clustered_share(np.zeros(0), np.zeros((0, 2)), confidence=0.95)
    assert (found.n, found.ci_low, found.ci_high, found.n_units) == (0, 0.0, 1.0, 0)
    assert np.isnan(found.accuracy)


def test_a_difference_with_a_clip_for_each_sample_is_the_paired_t_tests() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.random((2, 30))
    expected = scipy.stats.ttest_rel(first, second).confidence_interval(0.9)
    found = clustered_difference(first, second, np.arange(30), confidence=0.9)
    assert (found.ci_low, found.ci_high) == pytest.approx((expected.low, expected.high))
    assert (found.difference, found.n_units) == (pytest.approx((first - second).mean()), 30)


def test_a_difference_over_clips_has_their_variance_pair_by_pair() -> None:
    right, clips = samples(12, 6, 3)
    apart = right - samples(12, 6, 4)[0].astype(float)
    mean, variance = apart.mean(), 0.0
    for k in range(right.size):
        for m in range(right.size):
            if set(clips[k]) & set(clips[m]):
                variance += (apart[k] - mean) * (apart[m] - mean)
    variance = max(variance, ((apart - mean) ** 2).sum())
    half = scipy.stats.t.ppf(0.975, 11) * np.sqrt(variance * 12 / 11) / right.size
    found = clustered_difference(apart, np.zeros(right.size), clips, confidence=0.95)
    assert (found.ci_low, found.ci_high) == pytest.approx((mean - half, mean + half))
    assert found.n_units == 12
    copies = clustered_difference(np.tile([1.0, 0.0], 12), np.zeros(24), np.repeat([0, 1], 12), confidence=0.95)
    assert copies.ci_high - copies.ci_low > 2  # two clips, whatever the number of samples


def test_no_sample_and_one_clip_tell_no_difference() -> None:
    found = clustered_difference(np.zeros(0), np.zeros(0), np.zeros((0, 2)), confidence=0.95)
    assert np.isnan(found.difference)
    single = clustered_difference(np.ones(4), np.zeros(4), np.zeros(4), confidence=0.95)
    assert (single.difference, single.ci_low, single.ci_high, single.n_units) == (1, -np.inf, np.inf, 1)
