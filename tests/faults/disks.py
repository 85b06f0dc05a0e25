"""Lets stages write where they cannot: on a full disk, a read-only one, under a limit of file sizes."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.forked import Ending
from tests.faults.kills import OWN_STATE, artefacts, run_job, spoken
from tests.faults.same_files import tree
from tests.faults.stage_jobs import WITH_NETWORKS, Places, job_of

PAGE, LEAST_LIMIT = 4096, 1 << 16
CONDITIONS = ("full", "half", "read-only", "file-limit")


def try_stage(folder: Path, name: str, condition: str) -> dict[str, object] | None:
    """Run a stage under a condition; return what came of it, or None where the condition means nothing for it."""
    made = folder / "made" / name
    sizes = [path.stat().st_size for path in made.rglob("*") if path.is_file() and not path.is_symlink()]
    if condition == "half" and sum(sizes) < 4 * PAGE:
        return None  # what fits into a page or two is written at once
    largest = max(sizes) // 2
    if condition == "file-limit" and name in WITH_NETWORKS and largest < LEAST_LIMIT:
        return None  # TensorFlow itself writes small temporary files
    disk = folder / "out" / name
    shutil.rmtree(disk, ignore_errors=True)
    disk.mkdir(parents=True)
    out = disk / "out"
    if condition == "file-limit":
        out.mkdir()
        ended = run_job(folder, name, out, log=folder / "logs" / f"{name}.log", file_bytes=largest)
        return judge(name, ended, made, out)
    room = sum(sizes) // 2 // PAGE if condition == "half" else 0
    # The log stands on the same disk where it can be opened.
    log = folder / "logs" / f"{name}.log" if condition == "read-only" else disk / "job.log"
    places = Places(folder / "given", folder / "made", out)
    # A link that a job's inputs need is made while it can be.
    with small_disk(disk, room, lambda: job_of(name, places), read_only=condition == "read-only"):
        return judge(name, run_job(folder, name, out, log=log), made, out)


@contextmanager
def small_disk(
    folder: Path, pages_free: int, prepare: Callable[[], object], *, read_only: bool, more: int = 0
) -> Iterator[None]:
    """Mount a disk in memory with `pages_free` pages left; `prepare` has `more`, and runs before it is read-only."""
    options = f"size={(pages_free + more + 1) * PAGE}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        (folder / "filler").write_bytes(bytes(PAGE))
        (folder / "out").mkdir()
        prepare()
        if read_only:
            subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def judge(name: str, ended: Ending, made: Path, out: Path) -> dict[str, object]:
    """Return how a stage ended and what did not hold."""
    wrong = []
    lines = spoken(name, ended)
    if ended.hung or ended.code != 1:
        wrong.append(f"ended with {'a hang' if ended.hung else ended.code}")
    if len(lines) != 1:
        wrong.append(f"said {len(lines)} lines")
    elif str(out) not in lines[0] or len(lines[0]) > 400:
        wrong.append("named no target" if str(out) not in lines[0] else f"said {len(lines[0])} characters")
    if left := [name for name in tree(out) if ".partial" in name]:
        wrong.append(f"left {left[:3]}")
    if not any((made / name).exists() for name in OWN_STATE):
        wanted, found = artefacts(made)[0], artefacts(out)[0]
        if half := [name for name, content in found.items() if name in wanted and content != wanted[name]]:
            wrong.append(f"wrote half of {half[:3]}")
    return {"said": ended.said[-400:], "wrong": wrong}
