"""Hard negatives: seconds of the same clip that do not hold the frame's second."""

import numpy as np
import pytest

from l3net.media.rates import SAMPLE_RATE
from l3net.samples.recipes import Recipes


def pairs(share: float, seconds: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    """Return the home recipes of 4 clips of `samples_per_clip` 200, and the same with their sounds."""
    recipes = Recipes(
        seed=1,
        subset="music",
        part=0,
        samples_per_clip=200,
        frames_per_clip=300,
        image_size=64,
        hard_negatives=share,
    )
    n = round(seconds * SAMPLE_RATE)
    homes = [recipes.home(row, np.arange(0, seconds, 1 / 30), n, (96, 72)) for row in range(4)]
    paired = [home.copy() for home in homes]
    for clip, rows in enumerate(paired):
        recipes.pair(rows, clip, clip, np.full(4, n))
    return np.concatenate(homes), np.concatenate(paired)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_sound_is_of_the_same_clip_at_another_time(share: float) -> None:
    home, paired = pairs(share)
    negative = paired["label"] == 0
    hard = negative & (paired["sound"] == paired["clip"])
    assert hard.sum() / negative.sum() == pytest.approx(share, abs=0.08)
    apart = np.abs(paired["start"][hard].astype(int) - home["start"][hard])
    assert apart.min() >= SAMPLE_RATE
    assert paired["start"].min() >= 0
    assert paired["start"].max() <= 9 * SAMPLE_RATE
    # Uniform over what is left: about as often before as after the frame's second.
    assert np.mean(paired["start"][hard] < home["start"][hard]) == pytest.approx(0.5, abs=0.12)


def test_positives_stay_and_without_a_share_nothing_changes() -> None:
    (_, none), (_, all_hard) = pairs(0.0), pairs(1.0)
    positive = none["label"] == 1
    assert np.array_equal(none[positive], all_hard[positive])
    assert not np.any(none["sound"][~positive] == none["clip"][~positive])


def test_a_clip_too_short_has_ordinary_negatives() -> None:
    _, paired = pairs(1.0, seconds=1.5)
    assert not np.any((paired["label"] == 0) & (paired["sound"] == paired["clip"]))
