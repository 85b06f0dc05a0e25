"""What a run is to make, as status knows it."""

import json
import os
from pathlib import Path

import pytest
import yaml

from l3net.configuration import read_configuration
from l3net.errors import ConfigError
from l3net.runs import find_runs, read_plan, write_plan
from tests.workflow.preset_files import merged, read_preset

ROOT = Path(__file__).parents[2]


def demo() -> dict:
    return merged(yaml.safe_load((ROOT / "config.yaml").read_text()), read_preset("demo.yaml"))


def test_a_plan_counts_what_the_rules_make(tmp_path: Path) -> None:
    write_plan(read_configuration(demo()), tmp_path / "logs" / "demo")
    plan = read_plan("demo", tmp_path)
    assert (plan.parts, plan.epochs, len(plan.models), plan.subsets) == (10, 12, 6, ["environmental", "music"])
    assert plan.datasets == ["dcase2013", "esc50", "us8k"]
    # jobs of classify_dataset for each data set: six models, three untrained networks, two checkpoints of the curve
    assert len(plan.scored) == 11
    assert {"random", "l3-music-mel256", "l3-music-mel256-epoch-004"} <= set(plan.scored)


def test_no_secret_of_the_configuration_stands_in_it(tmp_path: Path) -> None:
    secret = "https://user:word@mirror.example.org/{ytid}.mp4?token=hidden"
    given = merged(demo(), {"audioset": {"source": "http", "url_template": secret}})
    write_plan(read_configuration(given), tmp_path)
    text = (tmp_path / "plan.json").read_text()
    assert "hidden" not in text
    assert "word" not in text


def test_a_run_without_a_plan_is_known_by_its_results(tmp_path: Path) -> None:
    for path in ("manifests/part-0000.csv", "shards/music/part-0000.h5", "models/music-mel256/best.h5"):
        file = tmp_path / "results" / "old" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    plan = read_plan("old", tmp_path)
    assert (plan.parts, plan.subsets, plan.models, plan.datasets) == (1, ["music"], ["music-mel256"], [])


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"run": "a"})])
def test_a_plan_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "logs" / "a").mkdir(parents=True)
    (tmp_path / "logs" / "a" / "plan.json").write_text(text)
    with pytest.raises(ConfigError, match=r"plan\.json: is no plan of a run"):
        read_plan("a", tmp_path)


def test_the_run_that_was_busy_last_comes_first(tmp_path: Path) -> None:
    for name, when in (("old", 1e9), ("new", 1.5e9)):
        folder = tmp_path / "logs" / name
        folder.mkdir(parents=True)
        (folder / "jobs.jsonl").touch()
        os.utime(folder / "jobs.jsonl", (when, when))
        os.utime(folder, (when, when))
    assert find_runs(tmp_path) == ["new", "old"]
