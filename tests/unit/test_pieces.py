"""Pieces of frames: around every crop, no larger, and the crops stay where they were."""

import numpy as np
import pytest

from l3net import pieces
from l3net.sampling import Recipes

SIZE = 224


@pytest.fixture(scope="module", params=["overlapping", "last_frame"])
def cut(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return recipes as drawn, the same after the cut, and the pieces' origins and sizes."""
    recipes = Recipes(5, "music", 3, samples_per_clip=253, frames_per_clip=300, image_size=SIZE, pairing=request.param)
    drawn, used = recipes.home(4, np.arange(300) / 30, 480000, (456, 256))
    counted = drawn.copy()
    return drawn, counted, *pieces.cut(counted, len(used), SIZE)


def test_crops_stay_where_they_were(cut) -> None:
    drawn, counted, origins, _ = cut
    for axis, name in enumerate(("crop_y", "crop_x")):
        assert np.array_equal(counted[name] + origins[counted["frame"], axis], drawn[name])
    untouched = [name for name in drawn.dtype.names if not name.startswith("crop")]
    assert np.array_equal(counted[untouched], drawn[untouched])


def test_a_piece_is_the_smallest_rectangle_around_its_crops(cut) -> None:
    drawn, _, origins, sizes = cut
    for frame in range(len(origins)):
        canvas = np.zeros((256, 456), bool)
        for row in drawn[drawn["frame"] == frame]:
            canvas[row["crop_y"] : row["crop_y"] + SIZE, row["crop_x"] : row["crop_x"] + SIZE] = True
        y, x = np.flatnonzero(canvas.any(1)), np.flatnonzero(canvas.any(0))
        assert (y[0], x[0]) == tuple(origins[frame])
        assert (np.ptp(y) + 1, np.ptp(x) + 1) == tuple(sizes[frame])
