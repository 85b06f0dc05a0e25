"""The page of wrong configurations: each line on it is what the demo with that change says."""

import json
import re
from pathlib import Path
from typing import Any

import h5py
import pytest
import yaml

from l3net.configuration.run import read_configuration
from l3net.errors import ConfigError
from tests.workflow.preset_files import merged, read_preset

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "wrong-configuration.md"
ROWS = re.findall(r"^\| `(.+?)` \| `(.+)` \|$", PAGE.read_text(), re.MULTILINE)


def changes_of(written: str) -> dict[str, Any]:
    """Return the nested keys that ``section.key: value; section.key: value`` stands for."""
    changes: dict[str, Any] = {}
    for one in written.split("; "):
        name, _, value = one.partition(": ")
        nested = yaml.safe_load(value)
        for key in reversed(name.split(".")):
            nested = {key: nested}
        changes = merged(changes, nested)
    return changes


def demo_with(written: str) -> dict[str, Any]:
    """Return what Snakemake would hand over: config.yaml, the demo's preset and a change, laid over each other."""
    base = merged(yaml.safe_load((ROOT / "config.yaml").read_text()), read_preset("demo.yaml"))
    return merged(base, changes_of(written))


@pytest.mark.parametrize(("written", "line"), ROWS, ids=[written for written, _ in ROWS])
def test_a_mistake_says_what_the_page_says(written: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "resources").symlink_to(ROOT / "resources")
    for model in ("music-linear", "music-mel128"):
        (tmp_path / "results" / "finished" / "models" / model).mkdir(parents=True)
    with h5py.File(tmp_path / "results" / "finished" / "models" / "music-mel128" / "best.h5", "w") as checkpoint:
        about = {"front_end": "mel128", "front_end_version": "training", "hop_length": 2400}
        checkpoint.attrs["metadata"] = json.dumps(about)
    with pytest.raises(ConfigError) as caught:
        read_configuration(demo_with(written), tmp_path)
    assert str(caught.value) == line
    assert "\n" not in line


def test_every_check_between_keys_is_on_the_page() -> None:
    from l3net.configuration import between_keys

    assert len(ROWS) >= 40
    said = " ".join(line for _, line in ROWS)
    n_checks = len(between_keys.CHECKS) + len(between_keys.FILE_CHECKS)
    assert n_checks == 20, "show a new check's line on the page"
    for words in (
        "not a model of the grid",
        "a subset of audioset.subsets",
        "a file of section weights",
        "no such file",
    ):
        assert words in said
