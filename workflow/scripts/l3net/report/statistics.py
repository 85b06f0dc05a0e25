"""Statistics of accuracies: intervals, the signed-rank test of matched pairs, correction for several tests.

Conventions: accuracies are fractions, 0 to 1; `confidence` is a fraction too (0.95); a p is two-sided.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

_EXACT_UP_TO = 50
_DRAWN_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class SignedRank:
    """Result of a signed-rank test of matched pairs.

    Attributes
    ----------
    n_pairs : pairs given; `n` those that differ (equal pairs are dropped, as Wilcoxon did).
    statistic : the smaller of the two rank sums, NaN where the test is refused.
    p : two-sided p, NaN where the test is refused.
    median_difference : median of first minus second.
    note : why there is no p, or how it was found: ``exact`` or ``normal approximation``.
    """

    n_pairs: int
    n: int
    statistic: float
    p: float
    median_difference: float
    note: str


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval (low, high) of a proportion; (0, 1) where nothing was counted.

    Raises
    ------
    ValueError
        Counts that are no part of a whole, or a confidence outside (0, 1).
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must be 0 to n ({n}), not {successes}")
    z = _z(confidence)
    if n == 0:
        return 0.0, 1.0
    share, z2 = successes / n, z * z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * (share * (1 - share) / n + z2 / (4 * n * n)) ** 0.5
    return (middle - half if successes else 0.0), (middle + half if successes < n else 1.0)


def bootstrap_interval(
    values: np.ndarray, *, draws: int, confidence: float = 0.95, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the percentile interval (low, high) of the mean of `values` under resampling with replacement.

    Parameters
    ----------
    values : np.ndarray [shape=(n_clips,)] ; 1 for a clip classified rightly, 0 else (or its mean over seeds).
    draws : resamples.
    """
    _z(confidence)
    values = np.asarray(values, float)
    if values.size == 0 or draws < 1:
        return float("nan"), float("nan")
    means, block = [], max(1, _DRAWN_AT_ONCE // values.size)
    for start in range(0, draws, block):
        rows = min(block, draws - start)
        means.append(values[rng.integers(0, values.size, (rows, values.size))].mean(axis=1))
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
    return float(low), float(high)


def signed_rank(first: np.ndarray, second: np.ndarray, *, alpha: float = 0.05) -> SignedRank:
    """Test whether matched pairs differ (Wilcoxon's signed-rank test, two-sided, as in the paper).

    The p is exact for 50 pairs or fewer, ties included. With so few differing pairs that even the most extreme
    outcome would have a p of `alpha` or more, the test is refused: p and statistic are NaN and `note` says so.
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"pairs need two vectors of one length, not {first.shape} and {second.shape}")
    # Accuracies are ratios of counts, read from a table: differences that are equal but for rounding are ties.
    differences = np.round(first - second, 9)
    kept = differences[differences != 0]
    n, median = kept.size, float(np.median(differences)) if differences.size else float("nan")
    if 2.0 ** (1 - n) >= alpha:
        note = f"too few pairs: {n} of {first.size} differ, {_needed(alpha)} are needed for p < {alpha:g}"
        return SignedRank(first.size, n, float("nan"), float("nan"), median, note)
    ranks = _ranks(np.abs(kept))
    above, below = ranks[kept > 0].sum(), ranks[kept < 0].sum()
    statistic = float(min(above, below))
    if n <= _EXACT_UP_TO:
        return SignedRank(first.size, n, statistic, _exact_p(ranks, statistic), median, "exact")
    return SignedRank(first.size, n, statistic, _normal_p(ranks, statistic), median, "normal approximation")


def holm_correction(p_values: np.ndarray) -> np.ndarray:
    """Return Holm's step-down corrected p values; NaN (no test) stays NaN and is not counted."""
    p_values = np.asarray(p_values, float)
    corrected = np.full(p_values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    factors = np.arange(order.size, 0, -1)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(factors * p_values[order]))
    return corrected


def _z(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1 (is {confidence} a percentage?)")
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def _needed(alpha: float) -> int:
    n = 1
    while 2.0 ** (1 - n) >= alpha:
        n += 1
    return n


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks from 1, the mean rank where values are equal."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return ((2 * last - counts + 1) / 2)[inverse]


def _exact_p(ranks: np.ndarray, statistic: float) -> float:
    """Return P(smaller rank sum <= statistic) over all signs: counts of every sum of doubled (so whole) ranks."""
    doubled = np.round(2 * ranks).astype(int)
    chances = np.zeros(doubled.sum() + 1)
    chances[0] = 1.0
    for rank in doubled:
        shifted = np.zeros_like(chances)
        shifted[rank:] = chances[: chances.size - rank]
        chances = (chances + shifted) / 2
    return float(min(1.0, 2 * chances[: round(2 * statistic) + 1].sum()))


def _normal_p(ranks: np.ndarray, statistic: float) -> float:
    mean, deviation = ranks.sum() / 2, (np.square(ranks).sum() / 4) ** 0.5
    return float(min(1.0, 2 * NormalDist().cdf((statistic - mean) / deviation)))
