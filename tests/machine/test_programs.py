"""What is said of the programs of a machine, with and without them."""

from pathlib import Path

import pytest

from l3net.errors import ConfigError
from l3net.machine import programs


def script(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_ffmpeg_with_its_version_or_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(programs, "ffmpeg_binary", lambda: script(tmp_path, "f", "echo ffmpeg version 7 Copyright x"))
    found = programs.examine_ffmpeg()
    assert (found.state, found.found.startswith("ffmpeg version 7 (")) == ("good", True)
    monkeypatch.setattr(programs, "ffmpeg_binary", lambda: script(tmp_path, "g", "exit 3"))
    assert (programs.examine_ffmpeg().state, programs.examine_ffmpeg().advice[:12]) == ("bad", "reinstall it")

    def none() -> str:
        raise ConfigError("no ffmpeg")

    monkeypatch.setattr(programs, "ffmpeg_binary", none)
    assert (programs.examine_ffmpeg().state, programs.examine_ffmpeg().found) == ("bad", "no ffmpeg")


@pytest.mark.parametrize(("lanes", "state"), [((16, 8), "good"), ((), "note")])
def test_compiled_convolutions(monkeypatch: pytest.MonkeyPatch, lanes: tuple, state: str) -> None:
    monkeypatch.setattr(programs.winograd, "available_lanes", lambda: lanes)
    found = programs.examine_convolutions()
    assert found.state == state
    assert bool(found.advice) == (state == "note")


def test_a_javascript_runtime_or_what_needs_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    node = script(tmp_path, "node", "echo v20.1.0")
    monkeypatch.setattr(programs, "js_runtime", {"node": node}.get)
    assert programs.examine_js_runtime().found == "node v20.1.0"
    monkeypatch.setattr(programs, "js_runtime", lambda name: None)
    assert programs.examine_js_runtime().state == "note"
    assert "audioset.source youtube cannot be used" in programs.examine_js_runtime().found


def test_slurm_with_its_partitions_without_an_answer_and_not_at_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert programs.examine_slurm().found.startswith("none here")
    script(tmp_path, "sbatch", "exit 0")
    script(tmp_path, "sinfo", "exit 1")
    assert "sinfo gets no answer" in programs.examine_slurm().found
    script(tmp_path, "sinfo", "echo 'main (null)'; echo 'gpu gpu:a100:4'")
    found = programs.examine_slurm()
    assert found.found.startswith("partitions main, gpu (gpu:a100:4); its Snakemake plugin 2.")
    assert found.state == "good"


def test_python_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert programs.examine_python().state == "good"
    monkeypatch.setattr(programs, "_EXPECTED", ("tensorflow", "no-such-package"))
    assert programs.examine_python().state == "note"
