"""Statistics of accuracies: intervals, the signed-rank test of matched pairs, correction for several tests.

Conventions: accuracies and `confidence` are fractions (0.95); a p is two-sided. scipy is imported where it is used,
since it is slow to import.
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
    n_pairs : pairs given.
    n : pairs that differ; equal pairs are dropped, as Wilcoxon did.
    statistic : the smaller of the two rank sums; NaN where too few pairs differ.
    p : two-sided p; NaN where too few pairs differ.
    median_difference : median of first minus second.
    note : how p was found, ``exact`` or ``normal approximation``, or why there is none.
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
        More successes than trials, or a confidence outside (0, 1).
    """
    from scipy.stats import binomtest

    _check_confidence(confidence)
    if n == 0 and successes == 0:
        return 0.0, 1.0
    low, high = binomtest(successes, n).proportion_ci(confidence, "wilson")
    return float(low), float(high)


def bootstrap_interval(
    values: np.ndarray, *, draws: int, confidence: float = 0.95, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the percentile interval (low, high) of the mean of `values` under resampling with replacement.

    Parameters
    ----------
    values : np.ndarray [shape=(n_clips,)] ; 1 for a clip that was classified rightly, else 0, or the mean over seeds.
    draws : number of resamples.
    """
    from scipy.stats import bootstrap

    _check_confidence(confidence)
    values = np.asarray(values, float)
    if values.size == 0 or draws < 1:
        return float("nan"), float("nan")
    if values.size == 1:
        return float(values[0]), float(values[0])
    found = bootstrap(
        (values,),
        np.mean,
        n_resamples=draws,
        batch=max(1, _DRAWN_AT_ONCE // values.size),
        vectorized=True,
        confidence_level=confidence,
        method="percentile",
        rng=rng,
    )
    low, high = found.confidence_interval
    return float(low), float(high)


def signed_rank(first: np.ndarray, second: np.ndarray, *, alpha: float = 0.05) -> SignedRank:
    """Test whether matched pairs differ (Wilcoxon's signed-rank test, two-sided, as in the paper).

    The p is exact for 50 pairs or fewer, also where differences are equal, for which scipy's is an approximation. With
    so few differing pairs that even the most extreme outcome would have a p of `alpha` or more, p and statistic are
    NaN and `note` says so.
    """
    from scipy.stats import rankdata

    first, second = np.asarray(first, float), np.asarray(second, float)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"pairs need two vectors of one length, not {first.shape} and {second.shape}")
    # Accuracies are ratios of counts, read from a table: differences that are equal but for rounding are ties.
    differences = np.round(first - second, 9)
    kept = differences[differences != 0]
    n, median = kept.size, float(np.median(differences)) if differences.size else float("nan")
    if 2.0 ** (1 - n) >= alpha:
        note = f"too few pairs: {n} of {first.size} differ, {_pairs_needed(alpha)} are needed for p < {alpha:g}"
        return SignedRank(first.size, n, float("nan"), float("nan"), median, note)
    ranks = rankdata(np.abs(kept))
    above, below = ranks[kept > 0].sum(), ranks[kept < 0].sum()
    statistic = float(min(above, below))
    if n <= _EXACT_UP_TO:
        return SignedRank(first.size, n, statistic, _exact_p(ranks, statistic), median, "exact")
    return SignedRank(first.size, n, statistic, _normal_p(ranks, statistic), median, "normal approximation")


def holm_correction(p_values: np.ndarray) -> np.ndarray:
    """Correct p values for several tests by Holm's step-down method; a NaN (no test) stays NaN and does not count."""
    p_values = np.asarray(p_values, float)
    corrected = np.full(p_values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    factors = np.arange(order.size, 0, -1)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(factors * p_values[order]))
    return corrected


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1 (is {confidence} a percentage?)")


def _pairs_needed(alpha: float) -> int:
    n = 1
    while 2.0 ** (1 - n) >= alpha:
        n += 1
    return n


def _exact_p(ranks: np.ndarray, statistic: float) -> float:
    """Return the probability, over all signs of the ranks, that the smaller rank sum is `statistic` or less.

    Doubled ranks are whole numbers, so the probability of each sum can be counted.
    """
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
