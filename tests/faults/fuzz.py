"""Harms a good file of every kind in seeded ways and reads it: the right result, or one line; nothing else.

    python -m tests.faults.fuzz FOLDER N KIND ...

Each reading is a process of its own with 60 s and 2 GB. Prints one line of JSON for each kind: how many readings gave
the same content, another one, one line of an error, or anything else, with examples.
"""

import json
import os
import shutil
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from l3net.audioset.clip import ClipFailure
from l3net.errors import L3Error
from tests.faults.forked import Ending, forked
from tests.faults.fuzz_kinds import KINDS, Kind

LIMIT_SECONDS, MEMORY_BYTES = 60.0, 2 << 30
LONGEST_LINE = 400
EXAMPLES = 12


def main(folder: Path, n: int, names: list[str]) -> None:
    """Harm the kinds named, `n` times each."""
    for name in names:
        print(json.dumps({"kind": name, **harm(folder, KINDS[name], n)}), flush=True)


def harm(folder: Path, kind: Kind, n: int) -> dict[str, object]:
    """Read `n` harmed files of a kind; return the counts and examples of what must not be."""
    good = folder / "good" / kind.name / kind.name
    good.parent.mkdir(parents=True)
    made = forked(lambda: kind.make(good))
    assert made.code == 0, f"{kind.name}: {made.said}"
    target = folder / "harmed" / kind.name / kind.name
    shutil.copytree(good.parent, target.parent, symlinks=True)
    outcome, said = _outcome(_read(kind, target, folder))
    assert outcome == "read", f"the good {kind.name} is {outcome}: {said}"
    right, data = said, good.read_bytes()
    counts, examples, other_contents = Counter(), [], Counter()
    for seed in range(n):
        harmed, what = kind.mutate(data, f"{kind.name} {seed}")
        target.write_bytes(harmed)
        outcome, said = _outcome(_read(kind, target, folder))
        if outcome == "read":
            outcome = "same" if said == right else "another"
            if outcome == "another":
                other_contents[what] += 1
        if outcome == "other" or (outcome == "another" and kind.tells):
            examples.append({"seed": seed, "harm": what, "said": said})
        counts[outcome] += 1
    return {"n": n, **counts, "tells": kind.tells, "another_by": dict(other_contents), "examples": examples[:EXAMPLES]}


def _read(kind: Kind, path: Path, folder: Path) -> tuple[Ending, Path]:
    """Read a file in a child, which writes what it found to a file of its own."""
    answer = folder / "answer.json"
    answer.unlink(missing_ok=True)
    work: Callable[[], None] = lambda: answer.write_text(json.dumps(_ask(kind, path)))  # noqa: E731
    return forked(work, limit_seconds=LIMIT_SECONDS, memory_bytes=MEMORY_BYTES), answer


def _ask(kind: Kind, path: Path) -> tuple[str, str]:
    os.chdir(path.parent)
    try:
        return "read", str(kind.read(path))
    except (L3Error, ClipFailure) as error:
        line = str(error)
        if "\n" in line or len(line) > LONGEST_LINE:
            return "other", f"{len(line.splitlines())} lines, {len(line)} characters: {line[:500]}"
        return "refused", line
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)
        ours = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in where if "l3net" in frame.filename]
        return "other", f"{type(error).__name__} in {' '.join(ours[-3:])}: {str(error)[:200]}"


def _outcome(read: tuple[Ending, Path]) -> tuple[str, str]:
    ended, answer = read
    if ended.hung:
        return "other", "a hang"
    if ended.code or not answer.exists():
        return "other", f"ended with {ended.code}: {ended.said[-300:]}"
    outcome, said = json.loads(answer.read_text())
    return outcome, said


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
