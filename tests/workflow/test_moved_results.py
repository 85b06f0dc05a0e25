"""Finished results moved with and without their times, and with times in the future: what docs/reruns.md says of it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.workflow.stub_run import StubRun

SMALL = {
    "models": {"front_ends": ["linear"]},
    "datasets": dict.fromkeys(("us8k", "dcase2013")),
    "classify": {"curve": []},
    "report": {"reference": "music-linear"},
}
LARGE = "truncate -s 1100000"  # Snakemake compares smaller files by content, and would run nothing again


class MovedRun(StubRun):
    """The same run in another folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def touch(self) -> None:
        self.snakemake("--cores", 8, "--touch", "--forceall", *self.configure(SMALL))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, root: Path) -> StubRun:
    made = StubRun(tmp_path_factory.mktemp("finished"), root, work=LARGE)
    made.run(**SMALL)
    assert made.plan(**SMALL) == {}
    return made


@pytest.mark.parametrize("command", [["cp", "-a"], ["rsync", "-rlt"]], ids=["cp -a", "rsync -t"])
def test_moved_with_their_times_nothing_runs(command: list[str], finished: StubRun, tmp_path: Path) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    subprocess.run([*command, f"{finished.folder}/.", tmp_path / "moved"], check=True)
    assert MovedRun(tmp_path / "moved").plan(**SMALL) == {}


def test_moved_without_their_times_training_runs_again_until_they_are_touched(
    finished: StubRun, tmp_path: Path
) -> None:
    subprocess.run(["cp", "-r", finished.folder, tmp_path / "moved"], check=True)
    moved = MovedRun(tmp_path / "moved")
    assert "train_leg" in moved.plan(**SMALL)
    moved.touch()
    assert moved.plan(**SMALL) == {}


def test_times_in_the_future_are_healed_by_a_touch(finished: StubRun, tmp_path: Path) -> None:
    subprocess.run(["cp", "-a", finished.folder, tmp_path / "moved"], check=True)
    moved = MovedRun(tmp_path / "moved")
    for path in (moved.folder / "results").rglob("*"):
        status = path.stat()
        os.utime(path, (status.st_atime + 86400, status.st_mtime + 86400))
    assert "train_leg" in moved.plan(**SMALL)
    moved.touch()
    assert moved.plan(**SMALL) == {}
