"""The file of an embedded data set: what is written is read again, and wrong files are refused."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from l3net.errors import DatasetError
from l3net.vectors import dataset_vectors
from l3net.vectors.dataset_vectors import DatasetVectorsWriter, read_dataset_vectors

N_WINDOWS = (3, 1, 4)  # of each clip
CLIPS = pd.DataFrame(
    {"filename": ["a.wav", "b.wav", "ü.wav"], "label": ["rain", "dog", "NA"], "fold": list("123"), "group": list("xyx")}
)


@pytest.fixture
def vectors() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(sum(N_WINDOWS), 5)).astype(np.float32)


@pytest.fixture
def path(tmp_path: Path, vectors: np.ndarray) -> Path:
    ends = np.cumsum(N_WINDOWS)
    with DatasetVectorsWriter(tmp_path / "e.h5", 5, CLIPS, {"kind": "l3", "epoch": 2}) as writer:
        for end, n in zip(ends, N_WINDOWS, strict=True):
            writer.append(vectors[end - n : end - 1], np.arange(n - 1) * 0.1)
            writer.append(vectors[end - 1 : end], np.array([(n - 1) * 0.1]))
            writer.end_clip()
    return tmp_path / "e.h5"


def test_clips_and_attributes_are_read_again(path: Path) -> None:
    read = read_dataset_vectors(path)
    for column in CLIPS:
        assert getattr(read, column).tolist() == CLIPS[column].tolist()
    assert read.classes == ["NA", "dog", "rain"]
    assert read.window_clip.tolist() == [0, 0, 0, 1, 2, 2, 2, 2]
    assert (read.n_dimensions, read.offsets.tolist()) == (5, [0, 3, 4, 8])
    assert read.attributes == {"format_version": 1, "kind": "l3", "epoch": 2}
    with h5py.File(path) as file:
        np.testing.assert_allclose(file["timestamps"], [0.0, 0.1, 0.2, 0.0, 0.0, 0.1, 0.2, 0.3])


@pytest.mark.parametrize("block_bytes", [1, 60, 1 << 20])
def test_blocks_are_the_chosen_windows(
    path: Path, vectors: np.ndarray, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_vectors, "_BLOCK_BYTES", block_bytes)
    windows = np.array([1, 0, 1, 0, 0, 0, 1, 1], bool)
    numbers, read = zip(*read_dataset_vectors(path).blocks(windows), strict=True)
    np.testing.assert_array_equal(np.concatenate(numbers), [0, 2, 6, 7])
    np.testing.assert_array_equal(np.concatenate(read), vectors[windows])
    assert max(block.nbytes for block in read) <= max(block_bytes, 20)


def test_the_vectors_of_some_clips(path: Path, vectors: np.ndarray) -> None:
    last, first = read_dataset_vectors(path).clip_vectors(np.array([2, 0]))
    np.testing.assert_array_equal(last, vectors[4:])
    np.testing.assert_array_equal(first, vectors[:3])


def test_a_writer_that_misses_a_clip_says_so(tmp_path: Path) -> None:
    with (
        pytest.raises(DatasetError, match="1 of 3 clips were embedded"),
        DatasetVectorsWriter(tmp_path / "e.h5", 5, CLIPS, {}) as writer,
    ):
        writer.end_clip()


def test_wrong_files_are_refused(path: Path) -> None:
    (path.parent / "text.h5").write_text("no HDF5")
    with pytest.raises(DatasetError, match=r"text\.h5: cannot be read as an embeddings file"):
        read_dataset_vectors(path.parent / "text.h5")
    with h5py.File(path, "r+") as file:
        file["offsets"][:] = [0, 3, 3, 8]
    with pytest.raises(DatasetError, match=r"1 clips have no window, e\.g\. b\.wav"):
        read_dataset_vectors(path)
    with h5py.File(path, "r+") as file:
        file["offsets"][:] = [0, 3, 4, 9]
    with pytest.raises(DatasetError, match="offsets do not fit 3 clips and 8 windows"):
        read_dataset_vectors(path)
    with h5py.File(path, "r+") as file:
        del file["clips/group"]
    with pytest.raises(DatasetError, match="cannot be read as an embeddings file"):
        read_dataset_vectors(path)


def test_vectors_that_are_not_finite_are_refused_with_clip_and_time(path: Path) -> None:
    """As in files of before `embed_dataset` refused them."""
    with h5py.File(path, "a") as file:
        file["embedding"][6, 2] = np.nan
    read = read_dataset_vectors(path)
    assert len(list(read.blocks(np.arange(8) < 6))) == 1
    assert len(next(read.clip_vectors(np.array([0])))) == 3
    for reading in (read.blocks(np.arange(8) > 3), read.clip_vectors(np.array([0, 2]))):
        with pytest.raises(
            DatasetError, match=r"e\.h5: the vector of ü\.wav at 0\.20 s holds values that are not finite"
        ):
            list(reading)
