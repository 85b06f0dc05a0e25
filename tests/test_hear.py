"""l3net.hear: an embedding.keras as a HEAR module."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import l3net
from l3net import hear
from l3net.errors import ConfigError
from tests import tiny_embedding


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "embedding.keras"
    tiny_embedding.write_embedding(path)
    return path


def test_the_functions_of_the_api(model: Path) -> None:
    loaded = hear.load_model(str(model))
    assert loaded.sample_rate == 48000
    audio = np.random.default_rng(0).uniform(-1, 1, (3, 60000)).astype(np.float32)
    vectors, times = hear.get_timestamp_embeddings(audio, loaded)
    assert vectors.shape == (3, times.shape[1], loaded.timestamp_embedding_size)
    np.testing.assert_allclose(np.diff(times), 50.0, atol=1e-3)
    assert times[0, 0] == 0.0  # the centre of the first window
    alone, _ = l3net.embed(audio[1], 48000, model=model, hop_seconds=0.05, center=True)
    np.testing.assert_allclose(vectors[1], alone, rtol=1e-4, atol=1e-4)
    assert hear.get_scene_embeddings(audio, loaded).shape == (3, loaded.scene_embedding_size)
    with pytest.raises(ConfigError, match="set L3NET_MODEL"):
        hear.load_model()


def test_an_independent_validator_passes(model: Path) -> None:
    """Needs the package hearvalidator (and PyTorch) beside this project's: docs/embeddings.md."""
    if importlib.util.find_spec("hearvalidator") is None:
        pytest.skip("hearvalidator (with PyTorch) is not installed")
    command = [sys.executable, "-m", "hearvalidator.validate", "l3net.hear", "-m", str(model), "-d", "CPU:0"]
    assert "Looks good!" in subprocess.run(command, capture_output=True, text=True).stdout
