"""A run's RO-Crate: read back by the library itself; files, digests, times, and no secret."""

import hashlib
import json
import os
from pathlib import Path

import pytest
import yaml
from rocrate.rocrate import ROCrate

from describe_run import describe_run
from l3net.configuration import Configuration, without_secrets


@pytest.fixture
def crate(tmp_path: Path) -> Path:
    folder = tmp_path / "results" / "mine"
    for name, text in {
        "tables/a.csv": "x\n1\n",
        "models/m/README.md": "# m\n",
        "models/m/embedding.keras": "zip",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        os.utime(folder / name, (2_000_000_000, 2_000_000_000))
    (tmp_path / "Snakefile").write_text("rule all:\n")
    for name, seconds, ended in (("first.tsv", 100.5, 1_999_999_000), ("deep/last.tsv", 20.0, 1_999_999_990)):
        path = tmp_path / "benchmarks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:01:40\t1\n")
        os.utime(path, (ended, ended))
    settings = Configuration().model_dump()
    settings["audioset"] |= {
        "proxy": "http://me:hunter2@proxy.example",
        "url_template": "https://x.example/{ytid}?t=hunter2",
    }
    describe_run(
        tmp_path / "Snakefile",
        sorted(path for path in folder.rglob("*") if path.is_file()),
        folder / "ro-crate-metadata.json",
        folder / "Snakefile",
        folder / "configuration.yaml",
        name="mine",
        settings=without_secrets(settings),
        benchmarks=tmp_path / "benchmarks",
        licence="Mine.",
        synthetic=True,
    )
    return folder


def test_the_crate_names_workflow_settings_results_and_times(crate: Path) -> None:
    read = ROCrate(crate)
    assert read.mainEntity.id == "Snakefile" and "ComputationalWorkflow" in read.mainEntity.type
    (action,) = read.get_by_type("CreateAction")
    assert action["instrument"].id == "Snakefile"
    assert action["object"].id == "configuration.yaml"
    assert {one.id for one in action["result"]} == {"tables/a.csv", "models/m/README.md", "models/m/embedding.keras"}
    # The first job began 100.5 s before its benchmark was written; the results are the last thing that was.
    assert (action["startTime"], action["endTime"]) == ("2033-05-18T03:14:59+00:00", "2033-05-18T03:33:20+00:00")
    table = read.get("tables/a.csv")
    assert table["sha256"] == hashlib.sha256(b"x\n1\n").hexdigest() and table["contentSize"] == "4"
    assert table["encodingFormat"] == "text/csv"
    assert read.description.startswith("Synthetic data.")
    assert read.root_dataset["license"] == "Mine."
    profiles = {one.id for one in read.root_dataset["conformsTo"]}
    assert "https://w3id.org/ro/wfrun/workflow/0.5" in profiles


def test_every_file_that_the_crate_names_is_there(crate: Path) -> None:
    graph = json.loads((crate / "ro-crate-metadata.json").read_text())["@graph"]
    files = [entity["@id"] for entity in graph if "File" in entity["@type"]]
    assert len(files) == 5 and all((crate / name).is_file() for name in files)


def test_no_secret_is_published(crate: Path) -> None:
    assert yaml.safe_load((crate / "configuration.yaml").read_text())["audioset"]["proxy"] == "(not shown)"
    for path in crate.rglob("*"):
        assert path.is_dir() or b"hunter2" not in path.read_bytes()
