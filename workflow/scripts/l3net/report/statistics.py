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
    p_normal : p by the normal approximation, whatever the number of pairs; NaN where none differs.
    median_difference : median of first minus second.
    note : how p was found, ``exact`` or ``normal approximation``, or why there is none.
    """

    n_pairs: int
    n: int
    statistic: float
    p: float
    p_normal: float
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
    sums: np.ndarray,
    sizes: np.ndarray | None = None,
    *,
    draws: int,
    confidence: float = 0.95,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Return the percentile interval (low, high) of a mean when whole units are drawn anew with replacement.

    Parameters
    ----------
    sums : for each unit the sum over its clips [shape=(n_units,)]; a clip counts 1 if it was classified rightly, else
        0, or the mean over seeds.
    sizes : clips of each unit [shape=(n_units,)]; without it every clip is a unit.
    draws : number of resamples.
    """
    from scipy.stats import bootstrap

    _check_confidence(confidence)
    sums = np.asarray(sums, float)
    sizes = np.ones_like(sums) if sizes is None else np.asarray(sizes, float)
    if sums.size == 0 or draws < 1:
        return float("nan"), float("nan")
    if sums.size == 1:
        return float(sums[0] / sizes[0]), float(sums[0] / sizes[0])
    found = bootstrap(
        (sums, sizes),
        lambda sums, sizes, axis: np.sum(sums, axis=axis) / np.sum(sizes, axis=axis),
        paired=True,
        n_resamples=draws,
        batch=max(1, _DRAWN_AT_ONCE // sums.size),
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
    NaN and `note` says so. Only by the normal approximation, which does not hold for so few, can they be called
    significant; `p_normal` is that p.
    """
    from scipy.stats import rankdata

    first, second = np.asarray(first, float), np.asarray(second, float)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"pairs need two vectors of one length, not {first.shape} and {second.shape}")
    # Accuracies are ratios of counts, read from a table: differences that are equal but for rounding are ties.
    differences = np.round(first - second, 9)
    kept = differences[differences != 0]
    n, median = kept.size, float(np.median(differences)) if differences.size else float("nan")
    ranks = rankdata(np.abs(kept))
    statistic = float(min(ranks[kept > 0].sum(), ranks[kept < 0].sum()))
    p_normal = _normal_p(ranks, statistic) if n else float("nan")
    if (smallest := min(1.0, 2.0 ** (1 - n))) >= alpha:
        note = f"too few pairs: {n} of {first.size} differ, {_pairs_needed(alpha)} are needed for p < {alpha:g}; "
        note += f"exact p is {smallest:.3g} or more, and p_normal, the normal approximation, does not hold for so few"
        return SignedRank(first.size, n, float("nan"), float("nan"), p_normal, median, note)
    exact = n <= _EXACT_UP_TO
    p, note = (_exact_p(ranks, statistic), "exact") if exact else (p_normal, "normal approximation")
    return SignedRank(first.size, n, statistic, p, p_normal, median, note)


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
