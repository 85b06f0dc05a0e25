"""Nothing that the tables say of a sample, except which clip is heard with which, tells its label: classifiers try."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict

from l3net.samples.recipes import Recipes

pytestmark = pytest.mark.simulation

SECOND, SHARE = 48000, 24
# Facts that name the clip that is seen, and the one that is heard. With both of them one knows the pair of clips, and
# that is the label; so the classifier with all other facts gets one side at a time.
OF_SEEN = ("n", "row", "clip", "frame", "seen_seconds", "width", "after_frame", "left_to_see")
OF_HEARD = ("heard_seconds", "left_to_hear", "heard_part")


def lengths_of(kind: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples of the sound of every clip, and its video."""
    if kind == "varied lengths":
        short = rng.integers(SECOND, 10 * SECOND, 60)
        return np.concatenate([np.full(120, 10 * SECOND), short]), np.arange(180)
    return np.full(180, 10 * SECOND), np.arange(180) // 5


def facts_of(
    kind: str, hard_negatives: float = 0.0, pairing: str = "overlapping"
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the facts of the samples of 180 clips, and their labels."""
    rng = np.random.default_rng(7)
    lengths, videos = lengths_of(kind, rng)
    widths = rng.choice([256, 342, 456], 180)
    drawn = Recipes(3, "music", 0, SHARE, 300, 224, hard_negatives=hard_negatives, pairing=pairing)
    every = []
    for clip, length in enumerate(lengths):
        rows = drawn.draw(clip, np.arange(0, length / SECOND, 1 / 30), int(length), (int(widths[clip]), 256))
        drawn.pair_with_sounds(rows, clip, clip, lengths, videos)
        every.append(rows)
    rows = np.concatenate(every)
    seen, heard, start = lengths[rows["clip"]] / SECOND, lengths[rows["sound"]] / SECOND, rows["start"] / SECOND
    names = ("n", "clip", "frame", "time", "start", "crop_y", "crop_x", "flip", "saturation", "brightness")
    facts = {name: rows[name] for name in (*names, "saturation_first", "gain")} | {
        "k": rows["n"] % SHARE,
        "row": rows["n"] // SHARE,
        "time_minus_start": rows["time"] - start,
        "within_frame": rows["start"] % 1600,
        "width": widths[rows["clip"]],
        "seen_seconds": seen,
        "after_frame": seen - rows["time"],
        "left_to_see": seen - start,
        "heard_seconds": heard,
        "left_to_hear": heard - start - 1,
        "heard_part": start / heard,
    }
    return facts, rows["label"].astype(int)


def accuracy(facts: dict[str, np.ndarray], labels: np.ndarray, names: tuple[str, ...]) -> float:
    """Return how often a random forest tells the label of samples that it was not trained on.

    Half of each clip's samples match, so what is left of a clip would tell what was taken: whole clips are held out.
    Of facts of the clip that is heard the same holds over all samples, and any sample may be held out.
    """
    of_heard = bool(set(names) & set(OF_HEARD))
    parts = KFold(3, shuffle=True, random_state=0) if of_heard else GroupKFold(3)
    forest = RandomForestClassifier(5 * len(names), max_leaf_nodes=64, random_state=0)
    x = np.stack([np.asarray(facts[name], float) for name in names], 1)
    return float(
        (cross_val_predict(forest, x, labels, groups=None if of_heard else facts["clip"], cv=parts) == labels).mean()
    )


@pytest.mark.parametrize(
    ("kind", "pairing"),
    [("varied lengths", "overlapping"), ("five clips of a video", "overlapping"), ("varied lengths", "clip")],
)
def test_no_fact_and_no_combination_tells_the_label(kind: str, pairing: str) -> None:
    facts, labels = facts_of(kind, pairing=pairing)
    assert len(facts) >= 20
    assert labels.mean() == 0.5
    # Four standard deviations of fair coins.
    margin = 4 * 0.5 / np.sqrt(len(labels))
    combinations = [(name,) for name in facts]
    combinations += [tuple(name for name in facts if name not in left_out) for left_out in (OF_SEEN, OF_HEARD)]
    found = {names: accuracy(facts, labels, names) for names in combinations}
    assert {names: value for names, value in found.items() if abs(value - 0.5) > margin} == {}


def test_the_classifier_finds_what_there_is_to_find() -> None:
    """As before: the second of a mismatch drawn anew, apart from its frame's time."""
    facts, labels = facts_of("five clips of a video")
    facts["start"] = np.where(labels == 1, facts["start"], np.random.default_rng(2).permutation(facts["start"]))
    assert accuracy(facts, labels, ("start", "time")) > 0.85


def test_of_hard_negatives_only_start_and_time_together_tell() -> None:
    facts, labels = facts_of("five clips of a video", hard_negatives=1.0)
    margin = 4 * 0.5 / np.sqrt(len(labels))
    for name in ("start", "time", "frame", "left_to_hear", "gain"):
        assert abs(accuracy(facts, labels, (name,)) - 0.5) < margin, name
    assert accuracy(facts, labels, ("start", "time")) > 0.85
