"""Kills stages at random moments and runs them again; the next run must end as if nothing had happened."""

import random
import shutil
import signal
from collections import Counter
from pathlib import Path

# All that stages need is imported before the first fork.
import keras  # noqa: F401
import matplotlib.pyplot  # noqa: F401
import tensorflow  # noqa: F401

from tests.faults.forked import UNEXPECTED, Ending, forked
from tests.faults.same_files import contents, differences, tree
from tests.faults.stage_jobs import STAGES, WILDCARD, Places, job_of, make_inputs

# What a stage keeps for itself: its names and contents may differ, and none of it is a final artefact.
OWN_STATE = ("state",)
TRIES = 20


def run_undisturbed(folder: Path) -> dict[str, float]:
    """Make the inputs, run every stage in ``folder/made``; return how long each took."""
    ended = forked(lambda: make_inputs(folder / "given"))
    assert ended.code == 0, ended.said
    seconds = {}
    for name in STAGES:
        out = folder / "out" / name  # where the killed ones will work too: some files name their place
        ended = run_job(folder, name, out)
        assert ended.code == 0, f"{name}: {ended.said}"
        assert spoken(name, ended) == [], f"{name} says without a reason: {ended.said}"
        (folder / "made").mkdir(exist_ok=True)
        out.rename(folder / "made" / name)
        seconds[name] = ended.seconds
    return seconds


def run_job(folder: Path, name: str, out: Path, *, log: Path | None = None, **how: object) -> Ending:
    """Run the job of a stage with its outputs in `out`, its log beside `folder`'s others."""
    places = Places(folder / "given", folder / "made", out)
    path = log or folder / "logs" / f"{name}.log"
    return forked(lambda: job_of(name, places).run(path), **how)


def spoken(name: str, ended: Ending) -> list[str]:
    """Return the lines that a job said, without those on its progress."""
    return [line for line in ended.said.splitlines() if not line.startswith(f"{name} {WILDCARD}: ")]


def kill_stage(folder: Path, name: str, times: int, seconds: float) -> dict[str, object]:
    """Kill a stage `times` times, each time in a folder of its own; return the counts and what did not hold."""
    draw, wrong, counts = random.Random(f"kills {name}"), [], Counter()
    wanted, names = artefacts(folder / "made" / name)
    for n in range(times):
        number = (signal.SIGKILL, signal.SIGTERM)[(n + len(name)) % 2]
        out = folder / "out" / name
        for _ in range(TRIES):
            shutil.rmtree(out, ignore_errors=True)
            ended = run_job(folder, name, out, kill=number, after_seconds=draw.uniform(0, seconds))
            if ended.killed:
                break
            seconds = min(seconds, ended.seconds) * 0.95  # it was faster than before
        else:
            wrong.append("was never caught alive")
            continue
        seconds *= 1.05
        counts[number.name] += 1
        wrong += ended_badly(ended, number, out)
        again = run_job(folder, name, out)
        if again.code or spoken(name, again):
            wrong.append(f"the next run ended with {again.code}: {again.said[-300:]}")
            continue
        found, found_names = artefacts(out)
        if found_names != names:
            wrong.append(f"left or missing: {sorted(set(found_names) ^ set(names))[:5]}")
        elif different := differences(wanted, found):
            wrong.append(f"other contents: {different[:5]}")
    return {"killed": dict(counts), "wrong": wrong}


def artefacts(out: Path) -> tuple[dict[str, object], list[str]]:
    """Return what a stage wrote, and the names of it all, without what it keeps for itself."""

    def is_final(name: str) -> bool:
        return name.partition("/")[0] not in OWN_STATE

    return {k: v for k, v in contents(out).items() if is_final(k)}, [name for name in tree(out) if is_final(name)]


def ended_badly(ended: Ending, number: int, out: Path) -> list[str]:
    """Return what is wrong with the end of a killed stage: SIGTERM ends it cleanly, in its own words."""
    if number == signal.SIGKILL:
        return [] if ended.code in (-signal.SIGKILL, 0) else [f"SIGKILL: ended with {ended.code}"]
    wrong = []
    # 0: it was done; -15: it had not begun; 1: a training leg saved its state and says so.
    if ended.code not in (143, 1, 0, -signal.SIGTERM) or ended.code == UNEXPECTED or ended.hung:
        wrong.append(f"SIGTERM: ended with {ended.code}: {ended.said[-300:]}")
    if "Traceback" in ended.said or len(spoken(out.name, ended)) > 1:
        wrong.append(f"SIGTERM: said {ended.said[-300:]!r}")
    if left := [name for name in tree(out) if ".partial" in name]:
        wrong.append(f"SIGTERM: left {left[:3]}")
    return wrong
