"""What Snakemake itself costs: planning ten times the paper's parts, and its own time for each job of a run.

Both are runs of stubs (`tests.workflow.stub_run`), whose rules, configuration and params are the project's own.
"""

import re
import sys
import tempfile
import time
from pathlib import Path

from tests.perf.ratios import Ratio
from tests.workflow.stub_run import StubRun
from tests.workflow.test_presets import MEASURED

ROOT = Path(__file__).parents[2]
PARTS_PLANNED, PARTS_RUN = 8000, 100
GOAL_SECONDS, GOAL_GIGABYTES, GOAL_MILLISECONDS = 60, 1, 30
ROUNDS = 3


def measure() -> list[Ratio]:
    return [*plan_many(rounds=2), run_stubs(rounds=ROUNDS)]


def plan_many(rounds: int) -> list[Ratio]:
    """Plan the paper with ten times its parts."""
    seconds, gigabytes, jobs = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        run = StubRun(Path(folder), ROOT)
        options = run.configure({"audioset": {"parts": PARTS_PLANNED}}, preset="paper")
        for _ in range(rounds):
            began = time.perf_counter()
            under = (sys.executable, "-c", MEASURED)
            printed = run.snakemake("--dry-run", "--quiet", "rules", "--cores", 1, *options, timeout=3000, under=under)
            seconds.append(time.perf_counter() - began)
            gigabytes.append(int(re.search(r"peak KiB: (\d+)", printed)[1]) * 1024 / 1e9)
            jobs = int(re.search(r"^total +(\d+)", printed, re.MULTILINE)[1])
    figures = {"jobs": jobs, "seconds": min(seconds), "gigabytes": max(gigabytes)}
    return [
        Ratio(
            name=f"workflow: planning {PARTS_PLANNED} parts, seconds of {GOAL_SECONDS}",
            rounds=[one / GOAL_SECONDS for one in seconds],
            goal=1,
            better="lower",
            figures=figures,
        ),
        Ratio(
            name=f"workflow: planning {PARTS_PLANNED} parts, memory of {GOAL_GIGABYTES} GB",
            rounds=[one / GOAL_GIGABYTES for one in gigabytes],
            goal=1,
            better="lower",
            figures=figures,
        ),
    ]


def run_stubs(rounds: int) -> Ratio:
    """Run the paper with an eighth of its parts, eight stubs at a time, and divide the time by the jobs."""
    milliseconds, figures = [], {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            run = StubRun(Path(folder), ROOT)
            options = run.configure({"audioset": {"parts": PARTS_RUN}}, preset="paper")
            planned = run.snakemake("--dry-run", "--quiet", "rules", "--cores", 8, *options)
            jobs = int(re.search(r"^total +(\d+)", planned, re.MULTILINE)[1])
            began = time.perf_counter()
            run.snakemake("--cores", 8, "--quiet", "all", *options, timeout=3000)
            seconds = time.perf_counter() - began
            milliseconds.append(seconds / jobs * 1000)
            figures = {"jobs": jobs, "seconds": seconds, "milliseconds a job": milliseconds[-1]}
    return Ratio(
        name=f"workflow: Snakemake's own time a job, ms of {GOAL_MILLISECONDS}",
        rounds=[one / GOAL_MILLISECONDS for one in milliseconds],
        goal=1,
        better="lower",
        figures=figures,
    )
