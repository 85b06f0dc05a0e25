"""The largest batch that fits: a search over powers of two, and a step that is really made."""

import pytest
import tensorflow as tf

from l3net.training import largest_batch
from l3net.training.largest_batch import step_fits


@pytest.mark.parametrize(("room", "found"), [(0, 0), (1, 1), (100, 64), (512, 512), (10**6, 4096)])
def test_the_search_ends_at_the_last_power_of_two_that_fits(room: int, found: int) -> None:
    assert largest_batch.largest_batch(lambda n: n <= room) == found


def test_a_step_is_made_and_a_card_without_room_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    network = {"front_end": "linear", "image_size": 32, "width": 1 / 64, "precision": "mixed_bfloat16"}
    made = []
    original = largest_batch.training_step

    def counted(*args, **options):
        step = original(*args, **options)
        return lambda batch: made.append(options["batch_size"]) or step(batch)

    monkeypatch.setattr(largest_batch, "training_step", counted)
    assert step_fits(2, **network)
    assert made == [2, 2]

    def full(*args, **options):
        raise tf.errors.ResourceExhaustedError(None, None, "out of memory")

    monkeypatch.setattr(largest_batch, "training_step", full)
    assert not step_fits(2, **network)
