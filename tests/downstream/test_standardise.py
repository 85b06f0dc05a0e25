"""Mean and deviation of training windows, against scikit-learn's scaler and whatever the size of the blocks."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from l3net.downstream.folds import split_fold
from l3net.downstream.standardise import fill_standardised, fit_standardiser
from l3net.vectors import dataset_vectors, read_dataset_vectors
from tests.tiny_datasets import write_embeddings


@pytest.fixture(scope="module")
def embeddings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_embeddings(tmp_path_factory.mktemp("embeddings") / "easy.h5")


def test_standardised_on_training_windows_only(embeddings: Path) -> None:
    clips = read_dataset_vectors(embeddings)
    split = split_fold(clips, "1", protocol="paper", validation_share=0.2, seed=1)
    with h5py.File(embeddings) as file:
        windows = file["embedding"][:]
    standardiser = fit_standardiser(clips, split.train)
    expected = StandardScaler().fit(windows[split.train])
    np.testing.assert_allclose(standardiser.mean, expected.mean_, rtol=1e-5)
    np.testing.assert_allclose(standardiser.deviation, expected.scale_, rtol=1e-5)
    buffer = np.full((200, 16), np.nan, np.float32)
    n = fill_standardised(clips, split.valid, standardiser, buffer)
    np.testing.assert_allclose(buffer[:n], expected.transform(windows[split.valid]), atol=1e-6)
    assert (buffer[n:] == 0).all()


def test_read_in_small_blocks_it_is_the_same(embeddings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = read_dataset_vectors(embeddings)
    windows = np.arange(144) % 3 != 1
    whole = fit_standardiser(clips, windows)
    monkeypatch.setattr(dataset_vectors, "_BLOCK_BYTES", 4 * 16 * 7)
    assert sum(len(rows) for rows, _ in clips.blocks(windows)) == windows.sum()
    in_blocks = fit_standardiser(clips, windows)
    np.testing.assert_allclose(in_blocks.mean, whole.mean, rtol=1e-5)
    np.testing.assert_allclose(in_blocks.deviation, whole.deviation, rtol=1e-5)


def test_a_constant_dimension_stays_finite(embeddings: Path, tmp_path: Path) -> None:
    path = tmp_path / "constant.h5"
    path.write_bytes(embeddings.read_bytes())
    with h5py.File(path, "a") as file:
        file["embedding"][:, 3] = 7.0
    clips = read_dataset_vectors(path)
    standardiser = fit_standardiser(clips, np.ones(144, bool))
    assert (standardiser.mean[3], standardiser.deviation[3]) == (7.0, 1.0)
