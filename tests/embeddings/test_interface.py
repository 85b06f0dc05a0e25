"""Embeddings of many sounds: their windows share batches, and an error ends one sound alone."""

import numpy as np
import pytest

from l3net.embeddings.interface import WindowEmbedding
from l3net.errors import ClipError
from tests.embeddings.test_windows import by_definition


def embedding() -> WindowEmbedding:
    """Return a network that gives of each window its first and its last sample."""
    return WindowEmbedding(lambda windows: windows[:, [0, -1]].copy(), 2, 10, 10)


def test_windows_of_many_sounds_share_batches_and_come_apart_again() -> None:
    rng = np.random.default_rng(2)
    sounds = {n: rng.random(int(rng.integers(1, 90))).astype(np.float32) for n in range(30)}
    found = {n: [] for n in sounds}
    for piece in embedding().embed(((n, [x]) for n, x in sounds.items()), hop_seconds=0.3, batch_size=7):
        assert piece.error is None
        found[piece.key].append((piece.vectors, piece.timestamps))
    for n, x in sounds.items():
        expected = by_definition(x, 10, 10, 0.3, False)
        vectors, times = (np.concatenate(values) for values in zip(*found[n], strict=True))
        np.testing.assert_array_equal(vectors, expected[:, [0, -1]])
        np.testing.assert_allclose(times, 0.3 * np.arange(len(expected)))


def test_a_sound_that_breaks_ends_with_its_error_and_the_rest_goes_on() -> None:
    def breaks():
        yield np.ones(25, np.float32)
        raise ClipError("b: damaged")

    sounds = [("a", [np.zeros(30, np.float32)]), ("b", breaks()), ("c", [np.zeros(30, np.float32)])]
    ends = {p.key: p.error for p in embedding().embed(sounds, hop_seconds=0.5, batch_size=4) if p.is_last}
    assert {key: str(error) for key, error in ends.items()} == {"a": "None", "b": "b: damaged", "c": "None"}


def test_what_is_no_users_error_is_not_kept_back() -> None:
    def fails():
        yield np.ones(25, np.float32)
        raise RuntimeError("a fault of the code")

    with pytest.raises(RuntimeError, match="a fault of the code"):
        list(embedding().embed([("a", fails())], hop_seconds=0.5))
