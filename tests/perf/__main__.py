"""Measure the areas named on the command line (all by default); write results/perf.json and print a table.

Each area is a module of this package whose ``measure()`` returns
``{name: {"ratio": float, "goal": float, "better": "higher" | "lower", "figures": {...}}}``.
"""

import importlib
import json
import sys
from pathlib import Path

AREAS = ("acquisition", "samples", "training", "embeddings", "downstream")
RESULT = Path("results/perf.json")


def main() -> None:
    """Measure, keep the figures of areas not measured this time, and print everything."""
    measured = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    for area in sys.argv[1:] or AREAS:
        for name, figures in importlib.import_module(f"tests.perf.{area}").measure().items():
            reached = figures["ratio"] >= figures["goal"]
            if figures.pop("better") == "lower":
                reached = figures["ratio"] <= figures["goal"]
            measured[name] = {
                "ratio": figures["ratio"],
                "goal": figures["goal"],
                "met": bool(reached),
                "figures": figures["figures"],
            }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(measured, indent=2, sort_keys=True) + "\n")
    width = max(map(len, measured), default=0)
    for name, row in sorted(measured.items()):
        print(f"{name:{width}}  {row['ratio']:8.3f}  goal {row['goal']:<6}  {'met' if row['met'] else 'NOT met'}")
    print(f"written to {RESULT}")


if __name__ == "__main__":
    main()
