"""Embeddings of many sounds: their windows share batches, and an error ends one sound alone."""

import numpy as np
import pytest

from l3net.embeddings.interface import SoundEmbedding, WindowEmbedding
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


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_a_vector_that_is_not_finite_ends_its_sound_with_clip_and_time(value: float, batch_size: int) -> None:
    """Of a network that divides by the loudness of a window: the silent one spoils its own sound and no other."""
    silent = np.ones(40, np.float32)
    silent[15:30] = 0
    divides = WindowEmbedding(lambda windows: np.where(windows.any(1), 1.0, value)[:, None].astype("f4"), 1, 10, 10)
    sounds = [("a", [np.ones(30, np.float32)]), ("b", [silent]), ("c", [np.ones(30, np.float32)])]
    pieces = list(divides.embed(sounds, hop_seconds=0.5, batch_size=batch_size))
    ends = {piece.key: piece.error for piece in pieces if piece.is_last}
    assert ends["a"] is ends["c"] is None
    assert isinstance(ends["b"], ClipError)
    assert str(ends["b"]).startswith("b: the vector at 1.50 s holds values that are not finite numbers")
    assert all(np.isfinite(piece.vectors).all() for piece in pieces)
    assert sum(len(piece.vectors) for piece in pieces if piece.key == "c") == 5


def test_so_does_a_vector_of_an_embedding_of_whole_sounds() -> None:
    def stretches(blocks, hop_seconds):
        for number, block in enumerate(blocks):
            yield block[:, None], number + np.arange(len(block)) / len(block)

    blocks = [np.ones(4, np.float32), np.array([1, 1, np.nan, 1], np.float32), np.ones(4, np.float32)]
    pieces = list(SoundEmbedding(stretches, 1, 4).embed([(7, blocks), ("b", blocks[:1])]))
    assert [str(piece.error) for piece in pieces if piece.is_last] == [
        "sound 7: the vector at 1.50 s holds values that are not finite numbers; an embedding must bear every sound, "
        "silence too",
        "None",
    ]
