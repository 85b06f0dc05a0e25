"""Intervals of a share of right answers whose samples are not independent: many samples come of one clip.

Two samples may depend on each other if they have a clip in common, seen or heard. The variance allows for that (the
cluster-robust variance of dyadic data), says how many independent samples are worth as much, and Wilson's interval is
taken at that number.

Sources: P. Aronow, C. Samii, V. Assenova, Cluster-robust variance estimation for dyadic data, Political Analysis 23(4),
2015 (with one clip a sample it is the usual cluster-robust variance). Wilson's interval at an effective number of
samples, with a t quantile for few clusters: E. Korn, B. Graubard, Survey Methodology 24, 1998; N. Dean, M. Pagano,
J. Survey Statistics and Methodology 3(4), 2015, who compare such intervals.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from l3net.report.statistics import wilson_interval


@dataclass(frozen=True)
class ClusteredShare:
    """A share of right answers.

    Attributes
    ----------
    n : samples.
    accuracy : share of them that is right; NaN where there are none.
    ci_low, ci_high : its interval over units.
    n_units : independent units; of clips that are seen and clips that are heard, the smaller number.
    """

    n: int
    accuracy: float
    ci_low: float
    ci_high: float
    n_units: int


@dataclass(frozen=True)
class ClusteredDifference:
    """A mean difference between two answers to the same samples.

    Attributes
    ----------
    difference : mean of the first less the second; NaN where there are none.
    ci_low, ci_high : its interval over units.
    n_units : independent units; of clips that are seen and clips that are heard, the smaller number.
    """

    difference: float
    ci_low: float
    ci_high: float
    n_units: int


def clustered_difference(
    first: np.ndarray, second: np.ndarray, units: np.ndarray, *, confidence: float
) -> ClusteredDifference:
    """Return how much more of `first` is right, sample by sample, with its interval over units.

    Where no unit has two samples, it is the interval of the paired t test.

    Parameters
    ----------
    first, second : answers to the same samples, 0 to 1, such as means over seeds [shape=(n,)].
    units, confidence : as of `clustered_share`.
    """
    from scipy.special import stdtrit  # scipy.stats, which calls it, takes half a second more to load

    apart = np.asarray(first, float) - np.asarray(second, float)
    if apart.size == 0:
        return ClusteredDifference(float("nan"), float("-inf"), float("inf"), 0)
    unit, n_units = _numbered(units, apart.size)
    mean = float(apart.mean())
    if n_units < 2:
        return ClusteredDifference(mean, float("-inf"), float("inf"), n_units)
    # Between samples that share a clip the products can sum to less than nothing; then no less than the samples' own.
    spread = max(_sum_over_pairs(apart - mean, unit), float(np.square(apart - mean).sum()))
    error = (spread * n_units / (n_units - 1)) ** 0.5 / apart.size
    half = float(stdtrit(n_units - 1, 0.5 + confidence / 2)) * error
    return ClusteredDifference(mean, mean - half, mean + half, n_units)


def clustered_share(right: np.ndarray, units: np.ndarray, *, confidence: float) -> ClusteredShare:
    """Return the share of right answers with its interval over units; where no unit has two samples, it is Wilson's.

    Parameters
    ----------
    right : whether each answer is right [shape=(n,), bool].
    units : the unit of each sample [shape=(n,)], or the two that it belongs to [shape=(n, 2)], such as the clip that is
        seen and the clip that is heard: numbers or names.
    confidence : of the interval, a fraction.
    """
    right = np.asarray(right, bool)
    n, n_right = right.size, int(right.sum())
    if n == 0:
        return ClusteredShare(0, float("nan"), 0.0, 1.0, 0)
    unit, n_units = _numbered(units, n)
    share = n_right / n
    if (worst := _sum_over_pairs(np.ones(n), unit)) == n:
        low, high = wilson_interval(n_right, n, confidence)
    else:
        at_least = n * n / worst  # as if samples that share a unit were copies of one
        spread = _sum_over_pairs(right - share, unit) / (n * share * (1 - share)) if 0 < n_right < n else np.inf
        effective = n / max(spread, 1) * _allowance(n_units, confidence)
        low, high = _wilson(share, max(effective, at_least), confidence)
    return ClusteredShare(n, share, low, high, n_units)


def _numbered(units: np.ndarray, n: int) -> tuple[np.ndarray, int]:
    """Return the numbers of each sample's units [shape=(n, 1 or 2)], and how many independent ones there are."""
    _, unit = np.unique(np.asarray(units), return_inverse=True)
    unit = unit.reshape(n, -1)
    return unit, min(np.unique(column).size for column in unit.T)


def _sum_over_pairs(values: np.ndarray, unit: np.ndarray) -> float:
    """Return the sum of ``values[k] * values[l]`` over all ordered pairs (k, l), k = l too, that share a unit."""
    first, last = unit[:, 0], unit[:, -1]
    two = first != last
    sums = np.bincount(first, values, unit.max() + 1) + np.bincount(last[two], values[two], unit.max() + 1)
    # Pairs that share both units were counted twice.
    both = np.minimum(first, last)[two].astype(np.int64) * (unit.max() + 1) + np.maximum(first, last)[two]
    _, dyad = np.unique(both, return_inverse=True)
    return float(np.square(sums).sum() - np.square(np.bincount(dyad, values[two])).sum())


def _allowance(n_units: int, confidence: float) -> float:
    """Return the factor on the effective number of samples for a variance that so few units estimate."""
    from scipy.special import stdtrit  # scipy.stats, which calls it, takes half a second more to load

    if n_units < 2:
        return 0.0
    normal = NormalDist().inv_cdf(0.5 + confidence / 2)
    return (1 - 1 / n_units) * (normal / float(stdtrit(n_units - 1, 0.5 + confidence / 2))) ** 2


def _wilson(share: float, n: float, confidence: float) -> tuple[float, float]:
    """Return Wilson's interval at a number of samples that need not be whole."""
    z2 = NormalDist().inv_cdf(0.5 + confidence / 2) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = (z2 * (share * (1 - share) / n + z2 / (4 * n * n))) ** 0.5 / (1 + z2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)
