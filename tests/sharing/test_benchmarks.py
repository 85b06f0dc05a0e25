"""The examples for X-ARES (pip install xares torch loguru) and MTEB pass those benchmarks' own checks, offline.

Each runs in a process of its own: PyTorch has to be loaded before TensorFlow, which the tests have loaded already.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiny_embedding

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
X_ARES = """
import sys, numpy as np, torch
from xares_encoder import L3Encoder
import l3net
from xares.audio_encoder_checker import check_audio_encoder
encoder = L3Encoder(sys.argv[1])
assert check_audio_encoder(encoder)
sound = np.random.default_rng(0).normal(0, 0.1, (2, 40_000)).astype(np.float32)
expected, _ = l3net.embed(sound[1], 16_000, model=sys.argv[1], hop_seconds=0.1)
np.testing.assert_allclose(encoder(torch.from_numpy(sound))[1].numpy(), expected, rtol=1e-5, atol=1e-5)
"""
MTEB = """
import sys
from mteb_audio import L3Audio
import mteb
ended = mteb.mock_run(L3Audio(sys.argv[1], hop_seconds=0.5))
tried = [name for name, status in ended.items() if status is not None]
assert len(tried) >= 5 and ended.all_passed, ended.to_markdown()
"""


@pytest.mark.parametrize(("package", "code"), [("xares", X_ARES), ("mteb", MTEB)])
def test_a_benchmark_s_own_check_accepts_a_model_of_ours(package: str, code: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(package) is None or importlib.util.find_spec("torch") is None:
        pytest.skip(f"{package} or PyTorch is not installed")
    tiny_embedding.write_embedding(tmp_path / "embedding.keras")
    command = [sys.executable, "-c", code, str(tmp_path / "embedding.keras")]
    ended = subprocess.run(command, cwd=EXAMPLES, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-4000:]
