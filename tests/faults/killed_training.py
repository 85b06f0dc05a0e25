"""Trains twice: once undisturbed, once killed by SIGKILL again and again and started anew; a test compares the results.

    python -m tests.faults.killed_training FOLDER

Each attempt is a process forked from this one, which has imported TensorFlow and run nothing. The attempt tells through
a pipe what it is about to do; this process waits for the moment it has chosen, and a random while, and kills it. It
prints a line an attempt.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from l3net.training import loop
from tests import tiny_shards, tiny_training
from tests.stages.loading import stage_function

# What an attempt is doing when it is killed: (activity, which one of this attempt, longest while in seconds after).
MOMENTS = [
    ("update", 1, 1.5),
    ("update", 3, 0.05),
    ("save", 1, 0.02),
    ("update", 4, 0.05),
    ("validation", 2, 0.02),
    ("save", 3, 0.02),
    ("update", 2, 0.05),
    ("save", 2, 0.02),
    ("validation", 1, 0.3),
    ("update", 5, 0.05),
]
LEG = {"epoch": 3, "save_every_seconds": 0.05}


def main(folder: Path) -> None:
    """Run the undisturbed and the disturbed training."""
    tiny_shards.write_split(folder, "train")
    tiny_shards.write_split(folder, "valid")
    assert attempt(folder, folder / "undisturbed") == "finished"
    draw = random.Random(7)
    for activity, number, seconds in MOMENTS:
        print(activity, number, attempt(folder, folder / "disturbed", (activity, number, draw.random() * seconds)))
    print("last", attempt(folder, folder / "disturbed"))


def attempt(data: Path, run: Path, moment: tuple[str, int, float] | None = None) -> str:
    """Train in a process of its own, killed at `moment`; return how it ended."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(told)
        report(lambda activity: os.write(tell, f"{activity}\n".encode()))
        stage_function("train_leg")(**tiny_training.arguments(data, run, **LEG))
        os._exit(0)
    os.close(tell)
    with os.fdopen(told) as lines:
        seen: list[str] = []
        for line in lines:
            seen.append(line.strip())
            if moment and seen.count(moment[0]) == moment[1]:
                time.sleep(moment[2])
                os.kill(child, signal.SIGKILL)
                break
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {0: "finished", -signal.SIGKILL: "killed"}.get(code, f"ended with {code}")


def report(tell) -> None:
    """Make the training of this process tell what it is about to do."""
    make_update, make_measure, write = loop.training_step, loop.validation_step, loop.write_checkpoint

    def telling(function, activity):
        def told(*arguments):
            tell(activity)
            return function(*arguments)

        return told

    loop.training_step = lambda *a, **k: telling(make_update(*a, **k), "update")
    loop.validation_step = lambda *a, **k: telling(make_measure(*a, **k), "validation")
    loop.write_checkpoint = telling(write, "save")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
