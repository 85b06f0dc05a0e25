"""The page of wrong configurations: each line on it is what the demo with that change says."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import h5py
import pytest
import yaml

from l3net.configuration.run import fault_of_file, read_configuration
from l3net.errors import ConfigError
from tests.workflow.preset_files import merged, read_preset

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "wrong-configuration.md"
FILES = re.findall(r"^\| ([\w ,-]+) \|(?: (.*))? \| `(config: my/x\.yaml.+)` \|$", PAGE.read_text(), re.MULTILINE)
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
    for name in ("wide.keras", "again.keras"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("l3net.json", json.dumps({"kind": "l3-vision"}))
            last = {"config": {"name": "vision_conv_4_2", "filters": 512}}
            archive.writestr("config.json", json.dumps({"config": {"layers": [last]}}))
    (tmp_path / "config.yaml").symlink_to(ROOT / "config.yaml")
    with pytest.raises(ConfigError) as caught:
        read_configuration(demo_with(written), tmp_path)
    assert str(caught.value) == line
    assert "\n" not in line


def written_file(folder: Path, what: str, content: str) -> Path:
    """Write ``my/x.yaml`` as a row of the page says."""
    path = folder / "my" / "x.yaml"
    path.parent.mkdir()
    if content:
        path.write_bytes(content.strip("`").encode("latin-1").decode("unicode_escape").encode("latin-1"))
    elif "folder" in what:
        path.mkdir()
    return Path("my/x.yaml")


@pytest.mark.parametrize(("what", "content", "line"), FILES, ids=[what for what, _, _ in FILES])
def test_a_broken_file_says_what_the_page_says(
    what: str, content: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert fault_of_file(written_file(tmp_path, what, content)) == line
    assert "\n" not in line
    assert len(line) <= 400


def test_the_page_has_every_kind_of_broken_file_and_none_of_the_projects_is_one() -> None:
    assert len(FILES) == 10
    for path in (ROOT / "config.yaml", *(ROOT / "presets").glob("*.yaml"), *(ROOT / "docs").rglob("*.yaml")):
        assert fault_of_file(path) is None


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
