"""The example that compares runs: it asks all models about the same samples, and prints what came of it."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from l3net import training
from l3net.report import clustered_difference, clustered_share
from l3net.training.correspondence import Answers

SCRIPT = str(Path(__file__).parents[2] / "docs" / "examples" / "compare_runs.py")
HISTORY = "epoch,val_accuracy,samples_seen\n1,0.5,100\n2,{},900\n3,0.9,1000\n"  # as texts, 1000 comes before 900


def run_folder(folder: Path, accuracies: list[float]) -> Path:
    """Write what the example reads of a run with a model for each seed."""
    for seed, accuracy in enumerate(accuracies):
        model = folder / "models" / ("music-mel256" + (f"-seed{seed}" if seed else ""))
        (model / "checkpoints").mkdir(parents=True)
        (model / "history.csv").write_text(HISTORY.format(accuracy))
        for epoch in (2, 10):
            (model / "checkpoints" / f"epoch-{epoch:03d}.h5").touch()
    return folder


def test_runs_are_compared_on_the_same_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, other = run_folder(tmp_path / "first", [0.8, 0.6]), run_folder(tmp_path / "other", [0.9, 0.76])
    rng, asked, clips = np.random.default_rng(0), [], np.repeat(np.arange(6), 4)[:, None].repeat(2, axis=1)
    right = {
        (model, split): rng.random(24) < (0.9 if "other" in str(model) else 0.5)
        for run in (first, other)
        for model in sorted((run / "models").iterdir())
        for split in ("valid", "test")
    }

    def ask(network: Path, index: Path, **_: object) -> Answers:
        asked.append(index)
        return Answers(right[network, index.stem], clips, [])

    def load(path: Path, *, best: bool) -> tuple[Path, dict]:
        assert (path.name, best) == ("epoch-010.h5", False)  # the last epoch, which no validation has chosen
        return path.parents[1], {}

    monkeypatch.setattr(training, "load_l3", load, raising=False)
    monkeypatch.setattr(training, "ask_correspondence", ask, raising=False)
    monkeypatch.setattr(sys, "argv", [SCRIPT, str(first), str(other), "--reach", "0.75"])
    runpy.run_path(SCRIPT, run_name="__main__")
    shards = first / "shards" / "music"
    assert asked == [shards / "valid.json", shards / "test.json"] * 4
    units = np.concatenate([clips, clips + 6])
    answers = {run: [] for run in (first, other)}
    for run in answers:
        for model in sorted((run / "models").iterdir()):
            answers[run].append(np.concatenate([right[model, "valid"], right[model, "test"]]))
    lines = capsys.readouterr().out.splitlines()
    share = clustered_share(np.concatenate(answers[other]), np.tile(units, (2, 1)), confidence=0.95)
    ends = f"{100 * share.accuracy:.1f} % ({100 * share.ci_low:.1f} to {100 * share.ci_high:.1f})"
    seeds = ", ".join(f"{100 * one.mean():.1f}" for one in answers[other])
    assert lines[2] == f"other: {ends} of 48 samples of 12 clips; 2 seeds: {seeds}"
    means = [np.mean(answers[run], axis=0) for run in (other, first)]
    found = clustered_difference(*means, units, confidence=0.95)
    ends = f"({100 * found.ci_low:+.1f} to {100 * found.ci_high:+.1f})"
    assert lines[3] == f"  less first: {100 * found.difference:+.1f} points {ends}"
    assert lines[1] == "  training samples until 75 %: 900, 1000"
    assert lines[4] == "  training samples until 75 %: 900, 900"


def test_a_run_without_the_shards_that_are_asked_about_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_folder(tmp_path / "run", [0.8])
    monkeypatch.setattr(training, "load_l3", lambda *_, **__: (None, {}), raising=False)
    monkeypatch.setattr(sys, "argv", [SCRIPT, str(run)])
    with pytest.raises(SystemExit, match=r"valid\.json: does not exist; make it \(index_shards\)"):
        runpy.run_path(SCRIPT, run_name="__main__")


def test_a_run_that_is_not_finished_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [SCRIPT, str(tmp_path)])
    with pytest.raises(SystemExit, match=r"has no finished model; expected models/\*/history\.csv"):
        runpy.run_path(SCRIPT, run_name="__main__")


def test_a_damaged_history_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_folder(tmp_path / "run", [0.8])
    (run / "models" / "music-mel256" / "history.csv").write_text("epoch,val_accuracy\n1,0.5\n")
    monkeypatch.setattr(sys, "argv", [SCRIPT, str(run)])
    with pytest.raises(SystemExit, match=r"history\.csv: .*samples_seen"):
        runpy.run_path(SCRIPT, run_name="__main__")
