"""Runs every stage undisturbed, then kills it and starves it of disk.

    python -m tests.faults.drive FOLDER [--kills N] [--disks CONDITION ...] [--stages STAGE ...]

Prints one line of JSON for each stage and what was done to it, with what did not hold.
"""

import argparse
import json
from pathlib import Path

from tests.faults.disks import CONDITIONS, try_stage
from tests.faults.full_disks import can_mount
from tests.faults.kills import kill_stage, run_undisturbed
from tests.faults.stage_jobs import STAGES, WITH_NETWORKS

FEW = {"half": {"make_shard", "train_leg", "embed_dataset"}}
FEW |= {"file-limit": {"make_shard"}, "read-only": {"make_shard"}}


def main() -> None:
    """Do to the stages what the command line asks for."""
    parser = argparse.ArgumentParser(prog="drive")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=0, metavar="N")
    parser.add_argument("--disks", nargs="*", choices=CONDITIONS, default=[])
    parser.add_argument("--few", action="store_true", help="fewer disks: the short form")
    parser.add_argument("--stages", nargs="+", default=list(STAGES))
    given = parser.parse_args()
    seconds = run_undisturbed(given.folder)
    for name in given.stages if given.kills else []:
        tell("kill", name, kill_stage(given.folder, name, given.kills, seconds[name]))
    may_mount = can_mount()
    for condition in given.disks:
        for name in chosen(condition, given.stages) if given.few else given.stages:
            if condition == "file-limit" or may_mount:
                found = try_stage(given.folder, name, condition)
                tell(condition, name, found or {"left_out": "its output fits into a page of the disk", "wrong": []})


def chosen(condition: str, stages: list[str]) -> list[str]:
    """Return the stages of the short form: all quick ones on a full disk, and a few that write HDF5 elsewhere."""
    if condition == "full":
        return [name for name in stages if name not in WITH_NETWORKS]
    return [name for name in stages if name in FEW[condition]]


def tell(what: str, name: str, found: dict[str, object]) -> None:
    """Print what came of one thing done to one stage."""
    print(json.dumps({"what": what, "stage": name, **found}), flush=True)


if __name__ == "__main__":
    main()
