"""What the tests and intervals promise, on data drawn under the null hypothesis or with a known truth.

Every draw goes through the functions of the product. Folds, seeds, variants, clips and recordings depend on each other
as real ones do. Beside each, what is taken for independent without the care is shown to fail on the same data.
"""

import numpy as np
import pandas as pd
import pytest

from l3net.report.accuracy import accuracy_by_class
from l3net.report.clustered import clustered_share
from l3net.report.comparisons import compare_all
from l3net.report.statistics import bootstrap_interval, signed_rank, wilson_interval

pytestmark = pytest.mark.simulation

DRAWS = 2000
FALSE_POSITIVES_AT_MOST = 0.07
COVERAGE = (0.92, 0.98)


def null_scores(n_folds: int, subsets: int, seeds: int, *, clips_per_fold: int = 87, seed: int = 0) -> pd.DataFrame:
    """Draw accuracies by fold in which nothing differs between front ends; each draw is a data set of its own.

    A front end is better or worse on a fold by chance, on all subsets alike, since their clips are the same; then come
    the chances of a subset's models and of seeds. Accuracies are counts of clips, so that differences tie.
    """
    rng = np.random.default_rng(seed)
    shape = (DRAWS, n_folds, 2, subsets, seeds)
    accuracy = 0.75 + 0.04 * rng.standard_normal(shape[:2])[:, :, None, None, None]  # folds are easy or hard
    accuracy = accuracy + 0.02 * rng.standard_normal(shape[:3])[..., None, None]
    accuracy = accuracy + 0.015 * rng.standard_normal(shape[:4])[..., None] + 0.01 * rng.standard_normal(shape)
    accuracy = np.round(np.clip(accuracy, 0, 1) * clips_per_fold) / clips_per_fold
    draw, fold, front_end, subset, repeat = (index.ravel() for index in np.indices(shape))
    names = {"kind": "l3", "epoch": 3, "model_seed": "0", "model": "", "embedding": ""}
    table = pd.DataFrame({"dataset": draw, "fold": fold, "seed": repeat, "accuracy": accuracy.ravel(), **names})
    return table.assign(
        front_end=np.array(["linear", "mel256"])[front_end], subset=np.char.add("s", subset.astype(str))
    )


def false_positives(scores: pd.DataFrame, **how: bool) -> float:
    """Return the share of data sets in which front ends are called different."""
    table = compare_all(scores, "", alpha=0.05, **how)
    table = table[(table["comparison"] == "input_representation") & (table["dataset"] != "all")]
    assert len(table) == scores["dataset"].nunique()
    return float((table["p"] < 0.05).mean())


@pytest.mark.parametrize("seeds", [1, 3, 5])
def test_seeds_are_not_pairs(seeds: int) -> None:
    scores = null_scores(10, 1, seeds)
    assert false_positives(scores) <= FALSE_POSITIVES_AT_MOST


def test_each_seed_as_a_pair_would_find_what_is_not_there() -> None:
    scores = null_scores(10, 1, 5)
    wide = scores.pivot_table(index=["dataset", "fold", "seed"], columns="front_end", values="accuracy")
    found = [signed_rank(one["linear"].to_numpy(), one["mel256"].to_numpy()).p for _, one in wide.groupby("dataset")]
    assert np.mean(np.array(found) < 0.05) > 0.2


def test_variants_are_not_pairs() -> None:
    assert false_positives(null_scores(10, 2, 1)) <= FALSE_POSITIVES_AT_MOST


def test_each_variant_as_a_pair_finds_what_is_not_there() -> None:
    """The published code's way, which the table's note tells."""
    scores = null_scores(10, 3, 1)
    assert false_positives(scores[scores["dataset"] < 500], concatenated=True) > 0.12


def test_the_reference_over_its_seeds_is_a_pair_a_fold() -> None:
    scores = null_scores(10, 1, 3)
    ours = (scores["front_end"] == "mel256").to_numpy()
    scores = scores.assign(
        kind=np.where(ours, "l3", "random"), model=np.where(ours, "s0-mel256", ""), embedding=np.where(ours, "l3", "r")
    )
    table = compare_all(scores, "s0-mel256", alpha=0.05)
    table = table[(table["comparison"] == "embedding_type") & (table["dataset"] != "all")]
    assert len(table) == DRAWS
    assert (table["p"] < 0.05).mean() <= FALSE_POSITIVES_AT_MOST


def logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def correspondence(rng: np.random.Generator, n_clips: int, of_seen: float, of_heard: float, of_match: float):
    """Draw the answers to 24 samples of each clip, of which half match; clips are hard or easy to see, hear and match.

    Parts of 15 clips: a mismatch takes its sound from another clip of its part.
    """
    seen = np.repeat(np.arange(n_clips), 24)
    is_match = np.tile(np.arange(24) < 12, n_clips)
    other = seen // 15 * 15 + (seen % 15 + rng.integers(1, 15, seen.size)) % 15
    heard = np.where(is_match, seen, other)
    effects = rng.standard_normal((3, n_clips)) * np.array([[of_seen], [of_heard], [of_match]])
    logit = 1.2 + np.where(is_match, effects[2, seen], effects[0, seen] + effects[1, heard])
    return rng.random(seen.size) < logistic(logit), np.stack([seen, heard], axis=1)


def truth(of_seen: float, of_heard: float, of_match: float) -> float:
    """Return the share of right answers over all clips there could be."""
    z = np.random.default_rng(9).standard_normal(1_000_000)
    return float(logistic(1.2 + of_match * z).mean() + logistic(1.2 + np.hypot(of_seen, of_heard) * z).mean()) / 2


@pytest.mark.parametrize("effects", [(0.5, 0.5, 0.5), (1, 1, 1), (0, 1.5, 0), (1.5, 0, 2)])
def test_intervals_of_correspondence_cover_the_truth(effects: tuple[float, float, float]) -> None:
    rng, expected = np.random.default_rng(1), truth(*effects)
    covered = samples_covered = 0
    for _ in range(DRAWS):
        right, clips = correspondence(rng, 60, *effects)
        found = clustered_share(right, clips, confidence=0.95)
        covered += found.ci_low <= expected <= found.ci_high
        low, high = wilson_interval(int(right.sum()), right.size)
        samples_covered += low <= expected <= high
    assert COVERAGE[0] <= covered / DRAWS <= COVERAGE[1]
    assert samples_covered / DRAWS < 0.9  # as if samples were independent


def test_intervals_of_correspondence_by_class_cover_the_truth() -> None:
    """A class is that of the clip heard: a fifth of the clips, each with frames of many others."""
    rng, effects = np.random.default_rng(2), (0.7, 1.0, 0.7)
    expected, covered, as_seen = truth(*effects), 0, 0
    for _ in range(DRAWS):
        right, clips = correspondence(rng, 60, *effects)
        of_class = clips[:, 1] % 5 == 0
        found = clustered_share(right[of_class], clips[of_class], confidence=0.95)
        covered += found.ci_low <= expected <= found.ci_high
        found = clustered_share(right[of_class], clips[of_class, 0], confidence=0.95)
        as_seen += found.ci_low <= expected <= found.ci_high
    assert COVERAGE[0] <= covered / DRAWS <= COVERAGE[1]
    assert as_seen / DRAWS < 0.92  # clustered by the clip of the frame alone


def recordings(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw clips of `n` recordings, one to a dozen and more of each, as in UrbanSound8K: right answers, and groups."""
    group = np.repeat(np.arange(n), 1 + rng.geometric(0.15, n).clip(max=20))
    return rng.random(group.size) < logistic(1.0 + 1.2 * rng.standard_normal(n))[group], group


RECORDINGS_TRUTH = float(logistic(1.0 + 1.2 * np.random.default_rng(9).standard_normal(1_000_000)).mean())


def test_intervals_over_recordings_cover_the_truth() -> None:
    rng, covered, clips_covered = np.random.default_rng(3), 0, 0
    for _ in range(DRAWS):
        right, group = recordings(rng, 130)
        sums, sizes = np.bincount(group, right), np.bincount(group)
        low, high = bootstrap_interval(sums, sizes, draws=300, rng=rng)
        covered += low <= RECORDINGS_TRUTH <= high
        low, high = wilson_interval(int(right.sum()), right.size)
        clips_covered += low <= RECORDINGS_TRUTH <= high
    assert COVERAGE[0] <= covered / DRAWS <= COVERAGE[1]
    assert clips_covered / DRAWS < 0.9


def test_intervals_by_class_cover_the_truth() -> None:
    """Each class of a table is a draw: 30 recordings and two seeds, whose answers on a clip are mostly the same."""
    rng = np.random.default_rng(4)
    right, group = recordings(rng, 30 * DRAWS)
    other = np.where(rng.random(right.size) < 0.8, right, rng.random(right.size) < RECORDINGS_TRUTH)
    names = dict.fromkeys(("dataset", "embedding", "kind", "front_end", "subset", "protocol"), "x")
    clips = {"label": group // 30, "group": group, "filename": np.arange(group.size), "epoch": 1, "samples_seen": 0}
    seeds = [
        pd.DataFrame({**names, **clips, "correct": correct, "seed": n}) for n, correct in enumerate((right, other))
    ]
    table = accuracy_by_class(pd.concat(seeds), confidence=0.95)
    covered = (table["ci_low"] <= RECORDINGS_TRUTH) & (table["ci_high"] >= RECORDINGS_TRUTH)
    assert len(table) == DRAWS
    assert COVERAGE[0] <= covered.mean() <= COVERAGE[1]
