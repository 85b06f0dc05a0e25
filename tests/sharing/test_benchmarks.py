"""The examples for X-ARES (pip install xares torch loguru) and MTEB pass those benchmarks' own checks, offline."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import l3net
from tests import tiny_embedding

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "embedding.keras"
    tiny_embedding.write_embedding(path)
    return path


def test_x_ares_accepts_a_model_of_ours(model: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    checker = pytest.importorskip("xares.audio_encoder_checker", reason="X-ARES is not installed")
    encoder = example("xares_encoder").L3Encoder(str(model))
    assert checker.check_audio_encoder(encoder)
    sound = np.random.default_rng(0).normal(0, 0.1, (2, 40_000)).astype(np.float32)
    expected, _ = l3net.embed(sound[1], 16_000, model=model, hop_seconds=0.1)
    np.testing.assert_allclose(encoder(torch.from_numpy(sound))[1].numpy(), expected, rtol=1e-5, atol=1e-5)


def test_mteb_runs_a_model_of_ours(model: Path) -> None:
    mteb = pytest.importorskip("mteb", reason="MTEB is not installed")
    wrapper = example("mteb_audio").L3Audio(str(model), hop_seconds=0.5)
    ended = mteb.mock_run(wrapper)
    tried = {name: status for name, status in ended.items() if status is not None}
    assert len(tried) >= 5 and ended.all_passed, ended.to_markdown()
