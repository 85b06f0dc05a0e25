"""The two forms of the tests of faults, the processes that run them, and the notes that become docs/reliability.md.

``L3NET_FAULTS=full`` (``make test-faults``) kills each stage 20 times, harms each kind of input 300 times, and writes
what came of it into results.json. Without it each stage is killed once and each kind of input harmed 20 times.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

import pytest

from tests.faults.results import Notes

FULL = os.environ.get("L3NET_FAULTS") == "full"
ROOT = Path(__file__).parents[2]


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark by which a test of ../shared/cases says what must hold."""
    config.addinivalue_line("markers", "case(input, must): the input of ../shared/cases that a test is about")


class Driven:
    """A process that prints a line of JSON for each thing it tried; started when it is first asked, read to its end."""

    def __init__(self, command: list[object], log: Path) -> None:
        self._log = log
        with open(log, "w") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *map(str, command)], cwd=ROOT, stdout=file, stderr=subprocess.STDOUT
            )

    @cached_property
    def found(self) -> list[dict]:
        """What the process told, once it has ended."""
        code = self._process.wait()
        lines = self._log.read_text().splitlines()
        assert code == 0, "\n".join(lines[-30:])
        return [json.loads(line) for line in lines if line.startswith("{")]

    def end(self) -> None:
        """End the process where nobody waits for it any more."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()


@pytest.fixture(scope="session")
def notes() -> Iterator[Notes]:
    """What tests note of what they saw; kept in the full form."""
    made = Notes()
    yield made
    if FULL:
        made.keep()


@pytest.fixture(scope="session")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Driven]]:
    """Start a driver, each of them once in a session."""
    started: dict[str, Driven] = {}

    def start(module: str, *arguments: object) -> Driven:
        if module not in started:
            folder = tmp_path_factory.mktemp(module.rpartition(".")[2])
            started[module] = Driven([module, folder / "run", *arguments], folder / "told.jsonl")
        return started[module]

    yield start
    for driven in started.values():
        driven.end()


@pytest.fixture(scope="session")
def stages_tried(drive: Callable[..., Driven], request: pytest.FixtureRequest) -> list[dict]:
    """What came of killing the stages whose tests were chosen, and of starving them of disk."""
    # Both drivers at once; under pytest-xdist, which runs files side by side, another process has the other one.
    if not hasattr(request.config, "workerinput"):
        request.getfixturevalue("inputs_harmed")
    chosen = [item.callspec.params["name"] for item in request.session.items if "stages_tried" in item.fixturenames]
    how = ["--kills", 20] if FULL else ["--kills", 1, "--few"]
    disks = ["--disks", "full", "half", "read-only", "file-limit"]
    return drive("tests.faults.drive", *how, *disks, "--stages", *dict.fromkeys(chosen)).found


@pytest.fixture(scope="session")
def inputs_harmed(drive: Callable[..., Driven], request: pytest.FixtureRequest) -> Driven:
    """The process that harms inputs of the kinds whose tests were chosen."""
    items = [item for item in request.session.items if "inputs_harmed" in item.fixturenames]
    kinds = [item.callspec.params["name"] for item in items]
    return drive("tests.faults.fuzz", 300 if FULL else 20, *kinds)
