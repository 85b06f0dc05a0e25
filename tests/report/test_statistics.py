"""Intervals, signed-rank test and Holm's correction against their definitions, scipy and cases worked by hand."""

from statistics import NormalDist

import numpy as np
import pytest
import scipy.stats

from l3net.report.statistics import bootstrap_interval, holm_correction, signed_rank, wilson_interval


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (10, 10), (7, 10), (77, 100), (1, 3000)])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_wilson_ends_where_the_score_test_rejects(successes: int, n: int, confidence: float) -> None:
    """At an end of the interval, the share counted is z deviations of that end's binomial away from it."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    low, high = wilson_interval(successes, n, confidence)
    for end, impossible in ((low, successes == 0), (high, successes == n)):
        if impossible:
            assert end == round(end)
        else:
            assert abs(successes / n - end) == pytest.approx(z * (end * (1 - end) / n) ** 0.5, rel=1e-9)
    assert low <= successes / n <= high


def test_wilson_of_nothing_says_nothing_and_nonsense_is_refused() -> None:
    assert wilson_interval(0, 0, 0.95) == (0.0, 1.0)
    with pytest.raises(ValueError, match="must not be greater than n"):
        wilson_interval(5, 4, 0.95)
    with pytest.raises(ValueError, match="percentage"):
        wilson_interval(1, 4, 95)


def test_bootstrap_of_counts_is_the_binomials() -> None:
    values = np.repeat([1.0, 0.0], [150, 50])
    low, high = bootstrap_interval(values, draws=20000, rng=np.random.default_rng(1))
    expected = scipy.stats.binom.ppf([0.025, 0.975], 200, 0.75) / 200
    assert (low, high) == pytest.approx(tuple(expected), abs=0.006)
    again = bootstrap_interval(values, draws=20000, rng=np.random.default_rng(1))
    assert again == (low, high)


@pytest.mark.parametrize("n", [2, 50, 301])
def test_bootstrap_draws_clips_with_replacement(n: int) -> None:
    """The same draws by hand, also where they are made in several blocks."""
    values = np.random.default_rng(n).integers(0, 4, n) / 3
    drawn = np.random.default_rng(7).integers(0, n, (20_000, n))
    expected = np.quantile(values[drawn].mean(axis=1), [0.05, 0.95])
    found = bootstrap_interval(values, draws=20_000, confidence=0.9, rng=np.random.default_rng(7))
    assert found == pytest.approx(tuple(expected), abs=1e-12)


def test_bootstrap_draws_whole_units() -> None:
    """The same draws by hand: a unit comes with all its clips, so the share is a ratio of two sums."""
    rng = np.random.default_rng(4)
    sizes = rng.integers(1, 9, 40)
    sums = rng.integers(0, sizes + 1)
    drawn = np.random.default_rng(7).integers(0, 40, (5000, 40))
    expected = np.quantile(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [0.025, 0.975])
    found = bootstrap_interval(sums, sizes, draws=5000, rng=np.random.default_rng(7))
    assert found == pytest.approx(tuple(expected), abs=1e-12)
    plain = bootstrap_interval(sums / 9, draws=500, rng=np.random.default_rng(7))
    assert bootstrap_interval(sums / 9, np.ones(40), draws=500, rng=np.random.default_rng(7)) == plain
    assert bootstrap_interval([6], [8], draws=10, rng=np.random.default_rng(1)) == (0.75, 0.75)


def test_bootstrap_of_one_clip_or_none() -> None:
    assert bootstrap_interval([0.5], draws=10, rng=np.random.default_rng(1)) == (0.5, 0.5)
    assert np.isnan(bootstrap_interval([], draws=10, rng=np.random.default_rng(1))).all()


@pytest.mark.parametrize("n", [6, 10, 23, 50])
def test_signed_rank_without_ties_is_scipys_exact(n: int) -> None:
    rng = np.random.default_rng(n)
    first, second = rng.random(n), rng.random(n) + 0.1
    expected = scipy.stats.wilcoxon(first, second, method="exact")
    found = signed_rank(first, second)
    assert (found.statistic, found.p, found.note) == (
        pytest.approx(expected.statistic),
        pytest.approx(expected.pvalue, rel=1e-9),
        "exact",
    )


def test_signed_rank_with_ties_is_the_permutation_test() -> None:
    first = np.array([3, 5, 2, 8, 4, 4, 9, 6, 1.0])
    second = np.array([1, 3, 3, 6, 3, 4, 6, 7, 0.0])
    kept = (first != second).nonzero()
    permutations = scipy.stats.PermutationMethod(n_resamples=np.inf)
    expected = scipy.stats.wilcoxon(first[kept], second[kept], method=permutations)
    found = signed_rank(first, second)
    assert (found.n_pairs, found.n) == (9, 8)
    assert found.statistic == expected.statistic
    assert found.p == pytest.approx(expected.pvalue)


def test_signed_rank_of_many_pairs_is_scipys_approximation() -> None:
    rng = np.random.default_rng(5)
    first = rng.integers(0, 30, 90) / 30
    second = np.clip(first + rng.integers(-4, 6, 90) / 30, 0, 1)
    differs = np.round(first - second, 12)
    expected = scipy.stats.wilcoxon(differs, zero_method="wilcox", method="approx")
    found = signed_rank(first, second)
    assert found.note == "normal approximation"
    assert (found.statistic, found.p) == (expected.statistic, pytest.approx(expected.pvalue))


def test_differences_that_are_equal_but_for_rounding_are_ties() -> None:
    """23/30 - 22/30 and 21/30 - 20/30 and so on: all of 1/30, so each has the mean rank."""
    first, second = np.arange(23, 13, -1) / 30, np.arange(22, 12, -1) / 30
    first[0], second[0] = second[0], first[0]
    for digits in (12, 16):
        found = signed_rank(first.round(digits), second.round(digits))
        assert (found.n, found.statistic) == (10, 5.5)


def test_signed_rank_by_hand() -> None:
    """Six pairs, all in favour: rank sum 0, p = 2 / 2^6."""
    found = signed_rank(np.arange(6) + np.linspace(0.1, 0.2, 6), np.arange(6))
    assert (found.n, found.statistic, found.p) == (6, 0.0, 2 / 64)


def test_too_few_pairs_are_told_instead_of_a_p() -> None:
    found = signed_rank(np.array([0.9, 0.8, 0.7, 0.9, 0.8]), np.array([0.1, 0.2, 0.3, 0.2, 0.3]))
    assert np.isnan(found.p)
    assert np.isnan(found.statistic)
    assert found.note.startswith("too few pairs: 5 of 5 differ, 6 are needed for p < 0.05; exact p is 0.0625 or more")
    assert "p_normal, the normal approximation, does not hold" in found.note
    expected = scipy.stats.wilcoxon([0.8, 0.6, 0.4, 0.7, 0.5], method="asymptotic", correction=False)
    assert found.p_normal == pytest.approx(expected.pvalue)
    assert found.p_normal == pytest.approx(0.043, abs=5e-4)  # what a mark on five folds can rest on
    nothing = signed_rank(np.array([]), np.array([]))
    assert "0 of 0" in nothing.note
    assert np.isnan(nothing.p_normal)


def test_holm_by_hand_and_missing_tests_do_not_count() -> None:
    """0.01 x 3; 0.03 x 2; 0.04 x 1, not below the one before it."""
    assert holm_correction([0.03, 0.01, np.nan, 0.04]) == pytest.approx([0.06, 0.03, np.nan, 0.06], nan_ok=True)
    assert holm_correction([0.9, 0.8]) == pytest.approx([1.0, 1.0])
