"""Commands answer --help at once: nothing that takes long to load is loaded for it."""

import re
import subprocess
import sys

import pytest

from tests.stages.loading import SCRIPTS

SLOW = {
    "av",
    "keras",
    "matplotlib",
    "pandas",
    "polars",
    "pooch",
    "requests",
    "scipy",
    "sklearn",
    "tensorflow",
    "yt_dlp",
}
ANSWER_AT_ONCE = [
    "fetch_clips",
    "fetch_dataset",
    "fetch_segments",
    "fetch_weights",
    "plot_attrition",
    "report_attrition",
    "select_clips",
]


@pytest.mark.parametrize("stage", ANSWER_AT_ONCE)
def test_help_loads_nothing_slow(stage: str) -> None:
    command = [sys.executable, "-X", "importtime", str(SCRIPTS / f"{stage}.py"), "--help"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"usage: {stage}.py" in ended.stdout
    loaded = set(re.findall(r"\| +([\w.]+)$", ended.stderr, re.MULTILINE))
    assert "l3net.runtime.stage" in loaded
    assert not loaded & SLOW
