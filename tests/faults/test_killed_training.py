"""A training killed again and again ends as if nothing had happened; one asked to stop stops well."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny_training import contents


def test_ten_kills_leave_no_trace(tmp_path: Path, root: Path) -> None:
    command = [sys.executable, "-m", "tests.faults.killed_training", str(tmp_path)]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-3000:]
    endings = [line.split()[-1] for line in ended.stdout.splitlines()]
    assert endings == ["killed"] * 10 + ["finished"], ended.stdout
    undisturbed, disturbed = (contents(tmp_path / run / "epoch-003.h5") for run in ("undisturbed", "disturbed"))
    assert sorted(undisturbed) == sorted(disturbed)
    assert {"weights", "optimizer", "best", "history"} <= {name.split("/")[0] for name in undisturbed}
    different = [name for name in undisturbed if undisturbed[name].tobytes() != disturbed[name].tobytes()]
    assert different == []
    assert not (tmp_path / "disturbed" / "state" / "state.h5").exists()
    assert list((tmp_path / "disturbed" / "state").glob(".*")) == []


STOPPED = """
import os, signal, sys, threading
from pathlib import Path
from l3net.runtime import stage
from l3net.training import loop
from tests.stages.loading import stage_function
from tests.tiny_training import arguments

folder, activity, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
make = getattr(loop, activity)
def signalling(*a, **k):
    step, calls = make(*a, **k), []
    def told(batch):
        calls.append(batch)
        if len(calls) == number:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(batch)
    return told
setattr(loop, activity, signalling)
stage.log_to(None)
stage.run(stage_function("train_leg"), lambda: arguments(folder, folder / "run", epoch=1))
"""


@pytest.mark.parametrize(("activity", "number", "batches"), [("training_step", 4, 4), ("validation_step", 2, 6)])
def test_sigterm_saves_and_ends_with_an_exit_code_that_snakemake_retries(
    activity: str, number: int, batches: int, tmp_path: Path, root: Path
) -> None:
    from l3net.training.checkpoint import read_checkpoint
    from tests import tiny_shards

    tiny_shards.write_split(tmp_path, "train")
    tiny_shards.write_split(tmp_path, "valid")
    command = [sys.executable, "-c", STOPPED, str(tmp_path), activity, str(number)]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert ended.returncode == 1, ended.stderr[-3000:]
    assert f"train_leg: stopped by {signal.Signals(15).name} after epoch 0; run it again" in ended.stderr
    assert "Traceback" not in ended.stderr
    state = read_checkpoint(tmp_path / "run" / "state" / "state.h5")
    assert state.position["batches"] == batches
    assert not (tmp_path / "run" / "epoch-001.h5").exists()
