"""Measure the areas named on the command line (all by default); write results/perf.json and print a table.

Each area is a module of this package whose ``measure()`` returns a list of `Ratio`. It runs in a process of its own, in
the environment that stands here, so that none changes another's threads or memory; a fixed matrix product before and
after it tells how fast the machine was at the time.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import l3net  # noqa: F401  before TensorFlow, which then loads without its notes
from tests.perf.ratios import machine_speed

# Feeds are measured in CPU seconds of one core: every library gets one thread there, and all elsewhere.
_ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}
AREAS: dict[str, dict[str, str]] = {
    "acquisition": {},
    "samples": _ONE_THREAD,
    "feed": _ONE_THREAD,
    "training": {},
    "embeddings": {},
    "runtimes": {},
    "downstream": {},
    "workflow": {},
}
RESULT = Path("results/perf.json")


def main() -> None:
    """Measure, keep the figures of areas not measured this time, and print everything."""
    kept = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    measured = {name: row for name, row in kept.items() if "verdict" in row}
    for area in sys.argv[1:] or AREAS:
        measured |= _in_own_process(area)
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(measured, indent=2, sort_keys=True) + "\n")
    width = max(map(len, measured), default=0)
    for name, row in sorted(measured.items()):
        low, high = row["spread"]
        goal = f"{'at least' if row['better'] == 'higher' else 'at most'} {row['goal']}"
        speed = " to ".join(f"{one:.0f}" for one in row["machine_gflops"])
        n = len(row["rounds"])
        spread = f"({low:.3g} to {high:.3g}, {n} round{'s' * (n > 1)})"
        print(f"{name:{width}}  {row['ratio']:8.3f} {spread:34} {goal:14} {row['verdict']:9}  at {speed} GFLOP/s")
    print(f"written to {RESULT}")


def _in_own_process(area: str) -> dict[str, dict]:
    """Measure one area in a process of its own; return its rows by name."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "rows.json"
        before = machine_speed()
        environment = {**os.environ, **AREAS[area]}
        subprocess.run(
            [sys.executable, "-m", "tests.perf.__main__", "--area", area, target], env=environment, check=True
        )
        speeds = sorted((before, machine_speed()))
        return {name: row | {"machine_gflops": speeds} for name, row in json.loads(target.read_text()).items()}


def _measure(area: str, target: Path) -> None:
    rows = importlib.import_module(f"tests.perf.{area}").measure()
    target.write_text(json.dumps({one.name: one.row() for one in rows}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--area"]:
        _measure(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
