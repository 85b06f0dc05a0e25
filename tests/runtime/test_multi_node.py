"""Stages that run in several tasks: who starts the tasks, and who does the work."""

import logging
import os
import runpy
import sys
from pathlib import Path

import pytest

from l3net.errors import ConfigError, L3Error
from l3net.runtime import multi_node

called: list[tuple[str, int]] = []


@multi_node.runs_in_tasks
def work(name: str, *, tasks: int = 1, threads: int = 1) -> None:
    """Note the call."""
    called.append((name, tasks))


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    called.clear()
    for variable in ("SLURM_STEP_NUM_TASKS", "SLURM_JOB_ID"):
        monkeypatch.delenv(variable, raising=False)


def test_one_task_does_the_work_here() -> None:
    work("alone")
    assert called == [("alone", 1)]


def test_several_tasks_are_started_with_the_same_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    monkeypatch.setattr(multi_node, "run_tasks", lambda *args, **options: started.append((args, options)))
    work("together", tasks=3, threads=8)
    ((_, script, arguments), options) = started[0]
    assert script == Path(__file__)
    assert arguments == {"name": "together", "tasks": 3, "threads": 8}
    assert options == {"tasks": 3, "cpus": 8}
    assert called == []


def test_the_tasks_run_the_script_and_not_snakemakes_copy_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snakemake runs a copy, which begins with the job's settings and sets ``__file__`` to the script."""
    text = "@runs_in_tasks\ndef stage(*, tasks, threads):\n    pass\n"
    module = {"__file__": "/scripts/stage.py", "runs_in_tasks": multi_node.runs_in_tasks}
    exec(compile(text, "/copies/tmp1234.stage.py", "exec"), module)
    started = []
    monkeypatch.setattr(multi_node, "run_tasks", lambda *args, **options: started.append(args))
    module["stage"](tasks=2, threads=1)
    assert started[0][1] == Path("/scripts/stage.py")


def test_a_task_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "3")
    work("one of three", tasks=3)
    assert called == [("one of three", 3)]


def test_outside_slurm_several_tasks_are_refused() -> None:
    with pytest.raises(ConfigError, match="3 tasks are asked for, but this is no SLURM job"):
        work("nowhere", tasks=3)


STAGE = """
from pathlib import Path
from l3net.runtime import multi_node, stage

@multi_node.runs_in_tasks
def note(target: Path, *, name: str, tasks: int = 1, threads: int = 1) -> None:
    target.write_text(f"{name} {tasks} {threads}")

if __name__ == "__main__":
    stage.main(note)
"""
# As SLURM's programs answer: two nodes, and each task started with the number of tasks of its step.
SCONTROL = """#!/bin/sh
case "$2" in
  job) echo "JobId=7 NodeList=n[1-2] BatchHost=n1" ;;
  hostnames) echo n1; echo n2 ;;
  node) echo "NodeName=n1 NodeAddr=10.0.0.1 CPUs=8"; echo "NodeName=n2 NodeAddr=10.0.0.2 CPUs=8" ;;
esac
"""
SRUN = """#!/bin/sh
echo "$L3NET_ADDRESSES $*" >> "$SAID"
while [ "${1#--}" != "$1" ]; do shift; done
SLURM_STEP_NUM_TASKS=2 exec "$@"
"""


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A SLURM job on two nodes, played by two scripts; return the file of what srun was asked."""
    for name, text in (("scontrol", SCONTROL), ("srun", SRUN)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SAID", str(tmp_path / "said"))
    return tmp_path / "said"


def stage_in(folder: Path):
    """Write the stage as a script; return its function."""
    (folder / "note.py").write_text(STAGE)
    return runpy.run_path(str(folder / "note.py"))["note"]


def test_tasks_are_started_on_all_nodes_by_the_stage_s_own_command(slurm: Path, tmp_path: Path) -> None:
    stage_in(tmp_path)(tmp_path / "target", name="a b", tasks=2, threads=3)
    assert (tmp_path / "target").read_text() == "a b 2 3"
    addresses, *words = slurm.read_text().split(" ")
    assert addresses == "n1=10.0.0.1,n2=10.0.0.2"
    assert {"--nodes=2", "--ntasks=2", "--cpus-per-task=3", sys.executable} <= set(words)


def test_a_task_that_fails_ends_the_stage_with_one_line(
    slurm: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="l3net")
    with pytest.raises(L3Error, match="a task of 2 ended with exit code 1; its last lines are in the log above"):
        stage_in(tmp_path)(tmp_path / "no" / "folder", name="nowhere", tasks=2)
    assert "No such file or directory" in caplog.text


def test_the_nodes_of_a_job_come_with_their_addresses_in_slurms_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scontrol that answers as SLURM's does."""
    (tmp_path / "scontrol").write_text(
        """#!/bin/sh
case "$2" in
  job) echo "JobId=$3 Partition=p ReqNodeList=(null) NodeList=n[2,10] BatchHost=n2" ;;
  hostnames) [ "$3" = "n[2,10]" ] && printf "n2\\nn10\\n" ;;
  node) printf "NodeName=n10 Arch=x NodeAddr=10.0.0.10 Port=1\\nNodeName=n2 Arch=x NodeAddr=10.0.0.2 Port=1\\n" ;;
esac
"""
    )
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert list(multi_node._nodes("17").items()) == [("n2", "10.0.0.2"), ("n10", "10.0.0.10")]


def test_a_job_whose_nodes_slurm_does_not_name_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scontrol").write_text("#!/bin/sh\necho Invalid job id specified >&2\nexit 1\n")
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(L3Error, match="SLURM does not name the nodes of job 17: Invalid job id"):
        multi_node._nodes("17")
