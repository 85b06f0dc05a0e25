"""Go on with the sample of mutants: plant each in a copy of the project, run the nearest tests, write down the outcome.

``python -m tests.mutation [--rooms samples training] [--minutes 30] [--share 1/2] [--report]``
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.mutation.mutants import Mutant, sample

ROOT = Path(__file__).parents[2]
LOG = Path(__file__).with_name("log.jsonl")
DRAWN = Path(__file__).with_name("sample.txt")  # what was drawn before; a mutant whose line has gone is drawn anew
LIBRARY = Path("workflow") / "scripts" / "l3net"
N_MUTANTS = 200
# A loop without an end uses up the first; whatever waits without an end is stopped by the second.
LIMIT_CPU_SECONDS, LIMIT_SECONDS = 400, 1800
# The tests of the stages that use a room, asked after the room's own.
OF_STAGES = {
    "acquisition": ["tests/stages/test_fetch_clips.py"],
    "audioset": ["tests/stages/test_lists_and_attrition.py"],
    "configuration": [],
    "cli": [],
    "demo": ["tests/stages/test_demo.py"],
    "devices": ["tests/stages/test_devices.py"],
    "downstream": ["tests/stages/test_classify_dataset.py", "tests/stages/test_fetch_dataset.py"],
    "sharing": [],
    "vectors": ["tests/cli/test_embed.py", "tests/stages/test_embed_dataset.py"],
    "embeddings": ["tests/stages/test_embed_dataset.py", "tests/stages/test_extract_embedding.py"],
    "exchange": ["tests/stages/test_training.py"],
    "feed": ["tests/stages/test_samples.py"],
    "inference": [],
    "containers": ["tests/media", "tests/stages/test_fetch_clips.py"],
    "media": ["tests/stages/test_fetch_clips.py", "tests/samples", "tests/stages/test_samples.py"],
    "models": ["tests/stages/test_fetch_weights.py", "tests/stages/test_extract_embedding.py"],
    "report": ["tests/stages/test_report_stages.py"],
    "downloads": ["tests/acquisition", "tests/stages/test_fetch_clips.py"],
    "network": ["tests/stages/test_fetch_weights.py"],
    "files": ["tests/stages/test_help.py", "tests/samples"],
    "runtime": ["tests/stages/test_help.py"],
    "samples": ["tests/stages/test_samples.py"],
    "training": ["tests/stages/test_training.py", "tests/stages/test_wiring.py", "tests/stages/test_pairing.py"],
    "machine": [],
    "runs": [],
    "": ["tests/test_l3net.py", "tests/test_hear.py"],
}
# Rooms whose tests need no TensorFlow come first.
ORDER = [
    "files", "network", "runtime", "audioset", "configuration", "report", "samples", "downloads", "acquisition",
    "containers", "media",
    "downstream", "feed", "cli", "machine", "runs", "demo", "devices", "training", "models", "embeddings", "vectors",
    "inference", "sharing", "exchange", "",
]  # fmt: skip


def room_of(mutant: Mutant) -> str:
    return mutant.module.partition("/")[0] if "/" in mutant.module else ""


def tests_of(mutant: Mutant) -> list[list[str]]:
    """Return the tests to ask one after the other: the module's own, the room's, those of its stages."""
    room, own = room_of(mutant), f"tests/{room_of(mutant)}/test_{Path(mutant.module).stem}.py"
    asked = [[own]] if room and (ROOT / own).exists() else []
    folder = [f"tests/{room}", f"--ignore={own}"] if room and (ROOT / "tests" / room).is_dir() else []
    return [group for group in (*asked, folder, OF_STAGES[room]) if group]


def copy_project(target: Path) -> None:
    """Copy the files of the working tree, and what is compiled beside them."""
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    compiled = [str(path.relative_to(ROOT)) for path in (ROOT / LIBRARY).rglob("*.so")]
    for name in [*names.stdout.splitlines(), *compiled]:
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def _run_tests(folder: Path, tests: list[str]) -> None:
    """Run in a child: ask some tests in the copy, and exit with pytest's code."""
    os.setsid()
    with contextlib.suppress(OSError):  # Linux shares the processor between sessions; this one comes last
        Path("/proc/self/autogroup").write_text("19")
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_CPU_SECONDS, LIMIT_CPU_SECONDS))
    os.chdir(folder)
    sys.path[:0] = [str(folder), str(folder / "workflow" / "scripts")]
    os.environ.update({"PYTHONPATH": f"{folder / 'workflow' / 'scripts'}", "PYTHONDONTWRITEBYTECODE": "1"})
    for name in [name for name in sys.modules if name.split(".")[0] in ("tests", "l3net")]:
        del sys.modules[name]
    os.dup2(os.open(folder / "pytest.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    import pytest

    options = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not network and not slow", "--durations=0"]
    os._exit(int(pytest.main([*options, *tests])))


def ask(folder: Path, tests: list[str]) -> str:
    """Return what some tests say: passed, failed, or time, where they took too long."""
    child = multiprocessing.get_context("fork").Process(target=_run_tests, args=(folder, tests))
    child.start()
    child.join(LIMIT_SECONDS)
    if child.is_alive():
        os.killpg(child.pid, 9)
        child.join()
        return "time"
    if child.exitcode in (-signal.SIGKILL, -signal.SIGXCPU):
        return "time"
    return "passed" if child.exitcode in (0, 5) else "failed"


def judge(folder: Path, mutant: Mutant) -> dict:
    """Plant a mutant, ask its tests until one sees it, and take it out again."""
    path = folder / LIBRARY / mutant.module
    before = path.read_text(encoding="utf-8")
    began, seen = time.monotonic(), None
    path.write_text(mutant.source(before), encoding="utf-8")
    try:
        for tests in tests_of(mutant):
            if (said := ask(folder, tests)) != "passed":
                log = (folder / "pytest.log").read_text(errors="replace").splitlines()
                seen = next((line for line in log if line.startswith(("FAILED", "ERROR"))), said)[:150]
                break
    finally:
        path.write_text(before, encoding="utf-8")
    # Out of time may be a loop without an end, or a busy machine: asked again by --again, as survivors are.
    verdict = {"mutant": mutant.key, "verdict": {None: "survived", "time": "time"}.get(seen, "killed"), "by": seen}
    return {**verdict, "seconds": round(time.monotonic() - began)}


def known() -> dict[str, dict]:
    """Return what the log says of each mutant; the last word counts."""
    lines = LOG.read_text().splitlines() if LOG.exists() else []
    return {entry["mutant"]: entry for entry in map(json.loads, lines)}


def report(mutants: list[Mutant], log: dict[str, dict]) -> None:
    """Print the counts of each room and every survivor with its reason."""
    counts: dict[str, Counter] = {}
    for mutant in mutants:
        verdict = log[mutant.key]["verdict"] if mutant.key in log else "not asked"
        counts.setdefault(room_of(mutant) or "l3net", Counter())[verdict] += 1
    for room, found in sorted(counts.items()):
        print(f"{room:15}", dict(found))
    print(f"{'all':15}", dict(sum(counts.values(), Counter())))
    for mutant in mutants:
        if mutant.key in log and log[mutant.key]["verdict"] == "survived":
            print(f"survived: {mutant.key}  # {log[mutant.key].get('reason', '')}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", nargs="*", default=ORDER)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--again", action="store_true", help="ask again about those that survived or ran out of time")
    parser.add_argument("--share", default="1/1", help="2/2: the second of two processes that share the work")
    parser.add_argument("--report", action="store_true", help="only print what is known")
    options = parser.parse_args()
    drawn = sample(ROOT / LIBRARY, N_MUTANTS, DRAWN.read_text(encoding="utf-8").splitlines())
    mutants = sorted(drawn, key=lambda mutant: ORDER.index(room_of(mutant)))
    share, of = map(int, options.share.split("/"))
    until = time.monotonic() + 60 * options.minutes
    if not options.report:
        # Loaded once; each child that asks tests begins with them.
        import av, h5py, matplotlib, pandas, pytest, sklearn.linear_model, tensorflow  # noqa: E401, F401, I001

        os.nice(10)
        DRAWN.write_text("".join(f"{mutant.key}\n" for mutant in drawn), encoding="utf-8")
        with tempfile.TemporaryDirectory() as name:
            copy_project(Path(name))
            for mutant in mutants[share - 1 :: of]:
                entry, room = known().get(mutant.key), room_of(mutant)
                is_open = entry is None or (options.again and entry["verdict"] != "killed")
                if room not in options.rooms or not is_open or time.monotonic() > until:
                    continue
                entry = judge(Path(name), mutant)
                with LOG.open("a") as log:
                    log.write(json.dumps(entry, ensure_ascii=False) + "\n")
                print(entry["verdict"], entry["seconds"], "s", mutant.key, flush=True)
    report(mutants, known())


if __name__ == "__main__":
    main()
