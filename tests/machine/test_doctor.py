"""The doctor's door: every finding is printed, and what no run goes without makes the exit code."""

import json
from pathlib import Path

import pytest

from l3net.cli.main import main
from l3net.machine import Finding, accelerators, doctor, file_system, programs


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """TensorFlow is not asked, and the options of the batch are kept."""
    asked: list[list[str]] = []
    monkeypatch.setattr(accelerators, "examine_gpus", lambda: [Finding("GPU", "good", "none")])
    monkeypatch.setattr(
        accelerators, "largest_batches", lambda options: asked.append(options) or Finding("batch", "note", "none")
    )
    return asked


def test_every_examination_is_made(calm: list, tmp_path: Path) -> None:
    made = {name for room in (programs, file_system) for name in dir(room) if name.startswith("examine_")}
    text = Path(doctor.__file__).read_text()
    assert all(f".{name}(" in text for name in made | {"examine_gpus"})
    assert len(list(doctor.examine(tmp_path))) == 11


def test_what_is_missing_makes_the_exit_code(
    calm: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    assert main(["doctor", "--folder", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("ok    Python")
    monkeypatch.setattr(programs, "examine_ffmpeg", lambda: Finding("ffmpeg", "bad", "none", "install it"))
    assert main(["doctor", "--folder", str(tmp_path)]) == 1
    printed = capsys.readouterr().out.splitlines()
    place = next(n for n, line in enumerate(printed) if line.startswith("BAD   ffmpeg"))
    assert printed[place + 1].strip() == "-> install it"


def test_the_batch_is_tried_where_it_is_asked_for(
    calm: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["doctor", "--gpu", "--width", "0.5", "--folder", str(tmp_path), "--json"]) == 0
    (options,) = calm
    assert options[options.index("--width") + 1] == "0.5"
    assert options[options.index("--precision") + 1] == "mixed_bfloat16"
    found: list[dict] = json.loads(capsys.readouterr().out)
    assert {"subject", "state", "found", "advice"} == set(found[0])
    assert found[-1]["subject"] == "batch"
