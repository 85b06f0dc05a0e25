"""After a SIGKILL of snakemake the next call says, however quiet, what to do about the lock that is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.workflow.stub_run import StubRun

TARGET = "results/demo/attrition.csv"


@pytest.fixture
def killed(tmp_path: Path) -> StubRun:
    """Kill a run, its jobs too, while it is at work, as a power loss would."""
    made = StubRun(tmp_path, Path(__file__).parents[2], work="sleep 60 && touch")
    command = [sys.executable, "-m", "snakemake", "--cores", "1", TARGET]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    run = subprocess.Popen(command, cwd=tmp_path, start_new_session=True, **quiet)
    while not (locks := list(tmp_path.glob(".snakemake/locks/*"))):
        assert run.poll() is None
        time.sleep(0.1)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert all(path.exists() for path in locks)
    for rules in (tmp_path / "rules").glob("*.smk"):
        rules.write_text(rules.read_text().replace("sleep 60 && ", ""))
    return made


@pytest.mark.timeout(300)  # Snakemake is started five times
def test_the_lock_that_is_left_is_told_however_quiet_and_can_be_removed(killed: StubRun) -> None:
    command = [sys.executable, "-m", "snakemake", "--cores", "1", TARGET]
    for quiet in ((), ("--quiet",), ("--quiet", "all")):
        refused = subprocess.run([*command, *quiet], cwd=killed.folder, capture_output=True, text=True)
        assert refused.returncode == 1
        assert refused.stderr.splitlines()[-1] == (
            f"{killed.folder} is locked: another snakemake is at work here, or one was killed; where none is "
            "(pgrep -af snakemake), remove the lock by snakemake --unlock, then give the same command again"
        )
    killed.snakemake("--unlock")
    killed.snakemake("--cores", 4, TARGET)
    assert (killed.folder / TARGET).exists()
