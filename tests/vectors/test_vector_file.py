"""Files of vectors in every format: pieces come back as one, and what is damaged has no metadata."""

from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet
import pytest

from l3net.errors import ConfigError
from l3net.files import read_kept
from l3net.vectors.vector_file import VECTOR_WRITERS, read_to_end, read_vector_metadata, vector_writer

METADATA = {"pool": [], "source": "ü.wav", "hop_seconds": 0.1}


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            return file["embedding"], file["timestamps"]
    if path.suffix == ".h5":
        with h5py.File(path) as file:
            return file["embedding"][:], file["timestamps"][:]
    table = pyarrow.parquet.read_table(path)
    return np.stack(table["embedding"].to_numpy()), table["timestamp"].to_numpy()


@pytest.mark.parametrize("suffix", VECTOR_WRITERS)
def test_pieces_come_back_as_one(tmp_path: Path, suffix: str) -> None:
    path, vectors = tmp_path / f"a{suffix}", np.random.default_rng(0).normal(size=(700, 3)).astype(np.float32)
    times = np.arange(700) * 0.1
    with vector_writer(path, 3, METADATA) as writer:
        for piece in (slice(0, 1), slice(1, 400), slice(400, 700)):
            writer.append(vectors[piece], times[piece])
    found, found_times = read(path)
    np.testing.assert_array_equal(found, vectors)
    np.testing.assert_array_equal(found_times, times)
    assert (found.dtype, found_times.dtype) == (np.float32, np.float64)
    assert read_vector_metadata(path) == METADATA
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", VECTOR_WRITERS)
def test_what_is_damaged_or_anothers_has_no_metadata(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    assert read_kept(path, read_vector_metadata) is None
    with vector_writer(path, 3, METADATA) as writer:
        writer.append(np.zeros((5, 3), np.float32), np.zeros(5))
    assert read_kept(path, read_vector_metadata) == METADATA
    whole = path.read_bytes()
    for damaged in (whole[:100], b"", b"no vectors", bytes(len(whole)), whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        assert read_kept(path, read_vector_metadata) is None


@pytest.mark.parametrize("suffix", VECTOR_WRITERS)
def test_every_bit_of_the_vectors_is_looked_at(tmp_path: Path, suffix: str) -> None:
    path, vectors = tmp_path / f"a{suffix}", np.random.default_rng(0).normal(size=(700, 3)).astype(np.float32)
    with vector_writer(path, 3, METADATA) as writer:
        for piece in (slice(0, 300), slice(300, 700)):
            writer.append(vectors[piece], np.arange(700)[piece] * 0.1)
    assert read_to_end(path) == 700
    whole = path.read_bytes()
    place = whole.find(vectors[350].tobytes()) if suffix != ".parquet" else len(whole) // 2
    assert place > 0
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    assert read_kept(path, read_vector_metadata) == METADATA
    assert read_kept(path, read_to_end) is None


def test_an_error_leaves_nothing_beside_the_archive(tmp_path: Path) -> None:
    with pytest.raises(KeyError), vector_writer(tmp_path / "a.npz", 3, METADATA) as writer:
        writer.append(np.zeros((5, 3), np.float32), np.zeros(5))
        raise KeyError
    assert not list(tmp_path.iterdir())


def test_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown format '\.csv'; expected one of \.npz, \.h5, \.parquet"):
        vector_writer(tmp_path / "a.csv", 3, {})
