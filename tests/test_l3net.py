"""What `import l3net` offers: four functions and a version, without loading TensorFlow."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import yaml

import l3net
from l3net.errors import ConfigError
from tests import tiny_embedding

SAY = "import sys, l3net; print(sorted(dir(l3net)), [name for name in ('tensorflow', 'keras') if name in sys.modules])"


def test_the_package_shows_four_functions_and_its_version() -> None:
    ended = subprocess.run([sys.executable, "-c", SAY], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "['__version__', 'embed', 'embed_film', 'load', 'stream'] []"


def test_embed_takes_what_load_returns(tmp_path: Path) -> None:
    tiny_embedding.write_embedding(tmp_path / "embedding.keras")
    sound = np.random.default_rng(0).normal(0, 0.1, 60000).astype(np.float32)
    model = l3net.load(str(tmp_path / "embedding.keras"))
    vectors, times = l3net.embed(sound, 48000, model=model, hop_seconds=0.5)
    again, _ = l3net.embed(sound, 48000, model=str(tmp_path / "embedding.keras"), hop_seconds=0.5)
    np.testing.assert_array_equal(vectors, again)
    assert times.tolist() == [0.0, 0.5]


def test_sounds_of_several_rates_are_embedded_together(tmp_path: Path) -> None:
    tiny_embedding.write_embedding(tmp_path / "embedding.keras")
    model = l3net.load(str(tmp_path / "embedding.keras"))
    rng = np.random.default_rng(0)
    sounds, rates = [rng.normal(0, 0.1, rate).astype(np.float32) for rate in (48000, 16000)], [48000, 16000]
    together, _ = l3net.embed(sounds, rates, model=model)
    for sound, rate, vectors in zip(sounds, rates, together, strict=True):
        np.testing.assert_allclose(vectors, l3net.embed(sound, rate, model=model)[0], rtol=1e-4, atol=1e-5)
    for given, rate in ((sounds, [48000]), (sounds[0], [48000])):
        with pytest.raises(ConfigError, match=r"1 sample rates for [12] sounds; expected one, or a list"):
            l3net.embed(given, rate, model=model)


def test_one_version_stands_everywhere() -> None:
    root = Path(__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    newest, day = re.search(r"^## (\S+) \((.+)\)$", (root / "CHANGELOG.md").read_text(), re.MULTILINE).groups()
    assert l3net.__version__ == project == citation["version"] == newest
    assert str(citation["date-released"]) == day
