"""Our own networks as embeddings: sound in arrays, files that are no embedding, and what a file says of itself."""

from pathlib import Path

import numpy as np
import pytest

import l3net
from l3net.embeddings.embedding_keras import load_keras_embedding, load_l3
from l3net.errors import ClipError, ConfigError, WeightsError
from tests import tiny_embedding


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "embedding.keras"
    tiny_embedding.write_embedding(path)
    return path


def test_python_takes_one_sound_or_a_list(model: Path) -> None:
    rng = np.random.default_rng(3)
    first, second = rng.normal(0, 0.1, 100000), (rng.normal(0, 3000, (30000, 2))).astype(np.int16)
    vectors, times = l3net.embed([first, second], 44100, model=model, hop_seconds=0.3, center=True)
    alone, alone_times = l3net.embed(second, 44100, model=model, hop_seconds=0.3, center=True)
    np.testing.assert_allclose(vectors[1], alone, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(times[1], alone_times)
    assert alone.dtype == np.float32
    assert len(vectors[0]) == len(times[0])
    with pytest.raises(ClipError, match="not a finite number"):
        l3net.embed(np.array([np.nan]), 48000, model=model)
    with pytest.raises(WeightsError, match=r"none.keras: cannot be read: No such file"):
        l3net.embed(second, 44100, model="none.keras")


def test_a_precision_is_checked_before_the_file_is_read() -> None:
    with pytest.raises(ConfigError, match="precision is 'float16'; expected one of float32, bfloat16"):
        load_keras_embedding("none.keras", "float16")


def test_a_file_that_is_not_what_its_settings_say_is_refused(model: Path) -> None:
    right = {"front_end": "mel128", "subset": "music", "pooling": 512}  # the file does not tell its pooling
    assert load_l3([model], **right, model_seed=2).about["model_seed"] == 2
    assert load_l3([model]).about["model_seed"] == 7
    for key, value in {"front_end": "mel256", "subset": "environmental"}.items():
        with pytest.raises(WeightsError, match=rf"embedding.keras: its {key} is \w+, the settings say {value}"):
            load_l3([model], **{**right, key: value})
