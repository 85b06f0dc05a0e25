"""Status: counted from files, in words and as JSON, without a lock and without TensorFlow."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from l3net.cli.main import main
from l3net.errors import ConfigError
from l3net.runs import Journal, journal, status_lines, status_of
from l3net.runs.status import seconds_left

PLAN = {
    "run": "mine",
    "parts": 4,
    "epochs": 8,
    "subsets": ["music"],
    "models": ["music-mel256", "music-linear"],
    "datasets": ["esc50"],
    "scored": ["l3-music-mel256", "random"],
}
HISTORY = "epoch,loss,val_accuracy,seconds\n1,0.7,0.5,60\n2,0.6,0.75,60\n3,0.5,0.7,60\n"
SCORES = "seed,fold,label,predicted,correct\n0,1,a,a,1\n0,1,b,a,0\n0,2,a,a,1\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run in the middle: two of four parts, a model in epoch 3 of 8, one score, one job under way."""
    files = {
        "logs/mine/plan.json": json.dumps(PLAN),
        "logs/mine/train_leg/x.log": "2026-11-28 08:00:00,1 INFO epoch 3: loss 0.5\n",
        "results/mine/manifests/part-0000.csv": "ytid,status\na,ok\nb,removed\n",
        "results/mine/manifests/part-0001.csv": "ytid,status\nc,ok\n",
        "results/mine/shards/music/part-0000.h5": "",
        "results/mine/models/music-mel256/state/history.csv": HISTORY,
        "results/mine/scores/esc50/random.csv": SCORES,
        "results/mine/scores/esc50/random.settings.csv": "",
        "benchmarks/mine/classify_dataset/a.tsv": "s\th:m:s\n40.0\t0:00:40\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setenv(journal.FOLDER, str(tmp_path / "logs" / "mine"))
    written = Journal()
    written.begin({"make_shard": 4, "train_leg": 1, "all": 1})
    written.started(1, "make_shard", "make_shard music 0000", "")
    written.ended(1)
    written.started(2, "train_leg", "train_leg music-mel256 008", "logs/mine/train_leg/x.log")
    return tmp_path


def test_status_tells_what_the_files_hold(folder: Path) -> None:
    lines = status_lines(None, folder)
    assert lines[0].startswith("run mine: running, 1 of 6 jobs done, 1 under way; started ")
    assert lines[1:] == [
        "  running   train_leg music-mel256 008 (0 s): epoch 3: loss 0.5",
        "  clips     2 of 4 parts: 2 ok, 1 removed",
        "  shards    music: 1 of 4 parts",
        "  training  music-mel256  epoch 3 of 8, validation 70.0 %, best 75.0 % in epoch 2, 5 min of training left",
        "  training  music-linear  not begun",
        "  scores    esc50: 1 of 2 embeddings; best so far random 75.0 %",  # the mean of 1/2 and 1/1
    ]


def test_status_as_json_is_for_programs(folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["status", "--run", "mine", "--folder", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["progress"]["models"]["music-mel256"]["best_epoch"] == 2
    assert found["jobs"]["state"] == "running"
    assert found["progress"]["accuracies"]["esc50"]["random"] == 0.75


def test_folders_of_other_programs_are_no_runs(folder: Path, tmp_path: Path) -> None:
    for name in ("logs/nginx", "results/draft"):
        (folder / name).mkdir()
        (folder / name / "access.log").touch()
    with pytest.raises(ConfigError, match=r"--run draft: no such run in .*; there are mine$"):
        status_of("draft", folder)


def test_nothing_is_estimated_of_nothing(folder: Path) -> None:
    Journal().begin({"fetch_clips": 3})
    (line, *_) = status_lines("mine", folder)
    assert line.endswith(", the time left is not known yet (3 jobs of no known time)")


def test_until_a_leg_has_ended_its_epochs_tell_the_time_left(folder: Path) -> None:
    """Five epochs of a minute, and eight of the model that has not begun: 13 minutes beside jobs that took no time."""
    (line, *_) = status_lines("mine", folder)
    assert line.endswith(", about 13 min left")


def test_a_run_that_was_killed_says_how_to_go_on(folder: Path) -> None:
    path = folder / "logs" / "mine" / "jobs.jsonl"
    path.write_text(path.read_text().replace(f'"pid": {os.getpid()}', '"pid": 4194304'))
    lines = status_lines("mine", folder)
    assert ": killed, 1 of 6 jobs done" in lines[0]
    assert lines[1] == "  the same command goes on where it ended; after a kill, first: snakemake --unlock"


def test_failed_jobs_are_named(folder: Path) -> None:
    with open(folder / "logs" / "mine" / "jobs.jsonl", "a") as file:
        reason = "train_leg x failed: no memory"
        file.write(json.dumps({"what": "failed", "time": time.time(), "number": 2, "reason": reason}))
        file.write('\n{"what": "over", "time": 1}\n')
    lines = status_lines("mine", folder)
    assert ": failed, 1 of 6 jobs done, 0 under way, 1 failed" in lines[0]
    assert lines[1] == "  failed    train_leg x: no memory"


def test_time_left_is_the_rest_at_the_pace_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    from l3net.runs import status
    from l3net.runs.journal import JobsSoFar

    monkeypatch.setattr(status.time, "time", lambda: 1100.0)
    jobs = JobsSoFar(1000.0, 1100.0, {"shard": 10, "leg": 2, "plot": 3, "all": 1}, is_alive=True)
    jobs.seconds = {"shard": [20.0, 40.0, 30.0, 30.0]}  # 120 s of work and a leg's 80 in 100 s: two at a time
    jobs.running = {7: {"time": 1020.0, "rule": "leg"}}
    seconds, n_unknown = seconds_left(jobs, {"leg": [200.0]})
    assert seconds == pytest.approx((6 * 30 + 2 * 200 - 80) / 2)
    assert n_unknown == 3  # plots, of which nothing is known; all takes no time


def test_what_is_not_there_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--run other: no such run in .*; there are mine"):
        status_of("other", folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no run was started here"):
        status_of(None, tmp_path / "empty")


def test_a_login_node_is_asked_nothing_heavy_and_nothing_is_written(folder: Path) -> None:
    before = sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*"))
    ask = (
        "import sys; from l3net.cli.main import main; code = main(sys.argv[1:]);"
        "print(code, [n for n in ('tensorflow', 'pandas', 'h5py', 'snakemake', 'sklearn') if n in sys.modules])"
    )
    command = [sys.executable, "-c", ask, "status", "--folder", str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "0 []"
    assert sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*")) == before
