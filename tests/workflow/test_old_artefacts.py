"""Files of version 0.1.0, made before the library moved into rooms: a model, a checkpoint and a shard still load.

They were made with that version's tests.tiny_embedding and tests.tiny_shards (synthetic), and ``expected.npz`` with its
own functions.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ARTEFACTS = Path(__file__).parents[1] / "golden" / "artefacts"
# A fresh interpreter that imports l3net alone: what loads the file must bring the layers that stand in it.
EMBED = """
import sys
import numpy as np
import l3net
sound = np.load(sys.argv[2])
vectors, times = l3net.embed(sound, 48000, model=sys.argv[1], hop_seconds=0.5)
np.savez(sys.argv[3], vectors=vectors, times=times)
"""


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    with np.load(ARTEFACTS / "expected.npz") as file:
        return dict(file)


def sound() -> np.ndarray:
    """Return 3 s of a rising tone under growing noise."""
    rng = np.random.default_rng(0)
    t = np.arange(3 * 48000) / 48000
    return (0.3 * np.sin(2 * np.pi * 300 * t * (1 + t)) + 0.1 * t * rng.normal(0, 1, t.size)).astype(np.float32)


def test_an_embedding_gives_the_vectors_it_gave(expected: dict[str, np.ndarray], tmp_path: Path) -> None:
    np.save(tmp_path / "sound.npy", sound())
    words = [str(ARTEFACTS / "embedding.keras"), str(tmp_path / "sound.npy"), str(tmp_path / "found.npz")]
    subprocess.run([sys.executable, "-c", EMBED, *words], check=True)
    with np.load(tmp_path / "found.npz") as found:
        np.testing.assert_array_equal(found["times"], expected["times"])
        np.testing.assert_allclose(found["vectors"], expected["vectors"], rtol=1e-4, atol=1e-3)


def test_a_checkpoint_gives_the_answers_it_gave(expected: dict[str, np.ndarray]) -> None:
    from l3net.training import load_l3

    model, about = load_l3(ARTEFACTS / "checkpoint.h5")
    image = np.linspace(-1, 1, 32 * 32 * 3, dtype=np.float32).reshape(1, 32, 32, 3)
    found = model({"image": image, "audio": sound()[None, :48000]}, training=False)
    np.testing.assert_allclose(np.asarray(found), expected["probabilities"], atol=1e-5)
    assert (about["subset"], about["epoch"], about["network"]["front_end"]) == ("music", 2, "mel128")


def test_a_shard_gives_the_sample_it_gave(expected: dict[str, np.ndarray]) -> None:
    from l3net.samples.sample import read_sample
    from l3net.samples.shard_index import read_shard_index
    from l3net.samples.shard_reader import Shard

    index = read_shard_index(ARTEFACTS / "index.json")
    assert index.n_samples == json.loads((ARTEFACTS / "index.json").read_text())["n_samples"] == 4
    with Shard(Path(index.shards[0].path)) as shard:
        shard.check()
        sample = read_sample(shard, 1)
    assert sample.recipe["start"] == expected["recipe_start"]
    np.testing.assert_array_equal(sample.image, expected["image"])
    np.testing.assert_array_equal(sample.sound[:100], expected["sound"])
