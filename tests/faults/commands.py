"""Runs every command of l3net that writes on disks that take no more, in processes forked from one that imported all.

    python -m tests.faults.commands FOLDER [--few]

Prints one line of JSON for each command and each disk, with what did not hold.
"""

import argparse
import importlib.util
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

# All that commands need is imported before the first fork.
import keras  # noqa: F401
import tensorflow  # noqa: F401

from l3net.acquisition.clip_store import ClipRecord
from l3net.cli import real_input
from l3net.cli.main import main as l3net
from tests import media_sources, tiny_datasets, tiny_embedding
from tests.faults.disks import CONDITIONS, LEAST_LIMIT, PAGE, small_disk
from tests.faults.forked import Ending, forked
from tests.faults.full_disks import can_mount
from tests.faults.same_files import contents, differences, tree

PROGRESS = ("embedding: ", "looking at: ")
ONTOLOGY = Path(__file__).parents[2] / "resources" / "ontology.json"
CHEAP = json.dumps({"kind": "hear", "module": "tests.faults.cheap_embedding"})


@dataclass(frozen=True)
class Command:
    """A command of l3net.

    Attributes
    ----------
    words : (folder of inputs, folder of outputs) -> the words after ``l3net``.
    prepare : puts into the folder of outputs what the command changes.
    makes_one : what it makes is one thing, which is there whole or not at all.
    has_network : it needs TensorFlow: slow, and TensorFlow itself writes small temporary files.
    conditions : the disks that it is tried on.
    """

    words: Callable[[Path, Path], list[object]]
    prepare: Callable[[Path, Path], object] = lambda given, out: None
    makes_one: bool = True
    has_network: bool = False
    conditions: tuple[str, ...] = CONDITIONS


def _export(name: str, **more: object) -> Command:
    return Command(lambda given, out: ["export", given / "embedding.keras", out / name], has_network=True, **more)


def _share(name: str) -> Command:
    return Command(lambda given, out: ["share", given / "embedding.keras", "--output", out / name], has_network=True)


COMMANDS = {
    "embed": Command(
        lambda given, out: ["embed", given / "sounds", "--settings", CHEAP, "--output", out / "vectors"],
        makes_one=False,
    ),
    "videos": Command(
        lambda given, out: ["videos", given / "videos", "--ontology", ONTOLOGY, "--every", 1.2,
                            "--output", out / "segments.csv"],
        makes_one=False,  # links, which stay, and a list
    ),
    "real-input": Command(
        lambda given, out: ["real-input", given / "list.csv", out / "real", "--ontology", ONTOLOGY,
                            "--esc10", given / "esc10"],
    ),
    "clips retry": Command(
        lambda given, out: ["clips", "retry", "--store", out / "store", "--status", "removed"],
        prepare=lambda given, out: shutil.copytree(given / "store", out / "store"),
        conditions=("read-only",),  # it only removes
    ),
    "export .h5": _export("openl3.h5"),
    "export .pt": _export("embedding.pt"),
    "export folder": _export("saved_model"),
    "share folder": _share("mine"),
    "share .zip": _share("mine.zip"),
}  # fmt: skip
if importlib.util.find_spec("tf2onnx"):
    COMMANDS["export .onnx"] = _export("embedding.onnx")
# In the short form networks are written to the disks where most can go wrong.
FEW = ("half", "read-only")


def make_inputs(given: Path) -> None:
    """Write what the commands read."""
    given.mkdir(parents=True)
    for n in range(20):
        tiny_datasets.write_sound(given / "sounds" / f"{n}.wav", n)
    (given / "videos").mkdir()
    for n in range(3):
        media_sources.video(given / "videos" / f"{n}.mp4", seconds=(3, 4, 60)[n], size="64x48")
    rows = "".join(f"videos/{n % 3}.mp4,Piano,{n // 3}.25,\n" for n in range(150))
    (given / "list.csv").write_text(f"file,label,start_seconds,part\n{rows}")
    for number, name in enumerate(real_input.ESC10):
        folder = given / "esc10" / f"{number:03d} - {name}"
        folder.mkdir(parents=True)
        for fold in range(1, 11):
            (folder / f"{fold}-1234-A.ogg").write_text(name)
    store = given / "store" / "ab"
    store.mkdir(parents=True)
    (store.parent / "store.json").write_text('{"crf": 18}')
    record = ClipRecord("removed", "gone", 1, "2026-01-01T00:00:00+00:00")
    (store / "a.json").write_text(json.dumps(asdict(record)))
    tiny_embedding.write_embedding(given / "embedding.keras", 512, width=1.0, hop_length=242)


def run(command: Command, given: Path, out: Path, **how: object) -> Ending:
    """Run a command in a child process; its exit code becomes the child's."""
    return forked(lambda: sys.exit(l3net([str(word) for word in command.words(given, out)])), **how)


def try_command(folder: Path, name: str, condition: str) -> dict[str, object] | None:
    """Run a command under a condition; return what came of it, or None where the condition means nothing for it."""
    command, given, made = COMMANDS[name], folder / "given", folder / "made" / name
    sizes = [path.stat().st_size for path in made.rglob("*") if path.is_file() and not path.is_symlink()]
    if condition not in command.conditions or (condition == "half" and sum(sizes) < 4 * PAGE):
        return None
    largest = max(sizes) // 2
    if condition == "file-limit" and command.has_network and largest < LEAST_LIMIT:
        return None
    disk = folder / "out" / name
    disk.mkdir(parents=True, exist_ok=True)
    out = disk / "out"
    if condition == "file-limit":
        out.mkdir()
        return judge(command, run(command, given, out, file_bytes=largest), made, out)
    room = sum(sizes) // 2 // PAGE if condition == "half" else 0
    is_read_only = condition == "read-only"
    with small_disk(disk, room, lambda: command.prepare(given, out), read_only=is_read_only, more=16 * is_read_only):
        return judge(command, run(command, given, out), made, out)


def judge(command: Command, ended: Ending, made: Path, out: Path) -> dict[str, object]:
    """Return how a command ended and what did not hold."""
    lines = [line for line in ended.said.splitlines() if not line.startswith(PROGRESS)]
    wrong = []
    if ended.hung or ended.code != 1:
        wrong.append(f"ended with {'a hang' if ended.hung else ended.code}")
    if len(lines) != 1:
        wrong.append(f"said {len(lines)} lines")
    elif len(lines[0]) > 400:
        wrong.append(f"said {len(lines[0])} characters")
    # Under a limit of file sizes a model may not even be unpacked, which names the folder of temporary files.
    elif str(out) not in lines[0] and f"l3net: {tempfile.gettempdir()}: the file would be larger" not in lines[0]:
        wrong.append("named no target")
    left = [name for name in tree(out) if any(part.startswith(".") for part in Path(name).parts)]
    if left:
        wrong.append(f"left {left[:3]}")
    found = tree(out)
    changes = command.prepare is not Command.prepare  # what was there before, and made nothing new
    if command.makes_one and found and not changes:
        wrong.append(f"made a part: {found[:5]}")
    wanted = contents(made)
    if half := [name for name in differences(wanted, contents(out)) if name in found and not changes]:
        wrong.append(f"wrote half of {half[:3]}")
    return {"said": ended.said[-600:], "wrong": wrong}


def main() -> None:
    """Try every command on every disk."""
    parser = argparse.ArgumentParser(prog="commands")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--few", action="store_true", help="fewer disks for the commands with networks")
    parser.add_argument("--only", nargs="+", default=list(COMMANDS))
    given = parser.parse_args()
    os.environ["MPLBACKEND"] = "agg"
    ended = forked(lambda: make_inputs(given.folder / "given"))
    assert ended.code == 0, ended.said
    may_mount = can_mount()
    for name in given.only:
        command, out = COMMANDS[name], given.folder / "out" / name / "out"
        out.mkdir(parents=True)
        command.prepare(given.folder / "given", out)
        ended = run(command, given.folder / "given", out)
        assert ended.code == 0, f"{name}: {ended.said}"
        assert name != "clips retry" or ended.said.startswith("1 clips are asked for again")
        (given.folder / "made").mkdir(exist_ok=True)
        out.rename(given.folder / "made" / name)
        for condition in CONDITIONS:
            if (condition != "file-limit" and not may_mount) or (
                given.few and command.has_network and condition not in FEW
            ):
                continue
            if (found := try_command(given.folder, name, condition)) is not None:
                print(json.dumps({"command": name, "condition": condition, **found}), flush=True)
            shutil.rmtree(out, ignore_errors=True)


if __name__ == "__main__":
    main()
