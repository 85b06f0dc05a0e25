"""Stages that run in several tasks: who starts the tasks, and who does the work."""

from pathlib import Path

import pytest

from l3net.errors import ConfigError
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


def test_a_task_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "3")
    work("one of three", tasks=3)
    assert called == [("one of three", 3)]


def test_outside_slurm_several_tasks_are_refused() -> None:
    with pytest.raises(ConfigError, match="3 tasks are asked for, but this is no SLURM job"):
        work("nowhere", tasks=3)
