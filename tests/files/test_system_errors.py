"""Errors of the file system: one line that names the target, and nothing partial left, for every stage alike."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from l3net.files.system_errors import file_system_line

STAGE = """
import resource, sys
from pathlib import Path
from l3net.files import atomic
from l3net.runtime import stage

def fill(output: Path, *, megabytes: int, limit: int = 0) -> None:
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit << 20, limit << 20))
    with atomic.replacing(output) as temporary, open(temporary, "wb") as file:
        for _ in range(megabytes):
            file.write(bytes(1 << 20))

def fill_hdf5(output: Path, *, megabytes: int) -> None:
    with atomic.replacing(output) as temporary:
        raise OSError("Unable to write data (file write failed: time = 1, errno = 28, error message = 'x')")

stage.main(fill_hdf5 if "--hdf5" in sys.argv and not sys.argv.remove("--hdf5") else fill)
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script" / "fill.py"
    path.parent.mkdir()
    path.write_text(STAGE)
    return path


def run(script: Path, *options: object, **settings: object) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, script, *map(str, options)], capture_output=True, text=True, **settings)


@pytest.fixture
def small_disk(tmp_path: Path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk(script: Path, small_disk: Path) -> None:
    ended = run(script, "--output", small_disk / "a.bin", "--megabytes", 5)
    assert ended.returncode == 1
    assert ended.stderr == f"fill: {small_disk / 'a.bin'}: the disk is full; make room, or write to another disk, " \
        "then run again\n"  # fmt: skip
    assert not list(small_disk.iterdir())


def test_a_limit_of_file_sizes(script: Path, tmp_path: Path) -> None:
    ended = run(script, "--output", tmp_path / "out" / "a.bin", "--megabytes", 5, "--limit", 1)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"fill: {tmp_path / 'out' / 'a.bin'}: the file would be larger than the limit")
    assert ended.stderr.count("\n") == 1
    assert not list((tmp_path / "out").iterdir())


def test_a_folder_that_cannot_be_written_to(script: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    ended = run(script, "--output", tmp_path / "file" / "a.bin", "--megabytes", 1)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith(f"fill: {tmp_path / 'file'}: ")  # what is in the way


def test_a_read_only_file_system(script: Path, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    ended = run(script, "--output", small_disk / "a.bin", "--megabytes", 1)
    assert ended.stderr.startswith(f"fill: {small_disk / 'a.bin'}: the file system is read-only;")


def test_too_long_a_name(script: Path, tmp_path: Path) -> None:
    ended = run(script, "--output", tmp_path / ("a" * 300), "--megabytes", 1)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "aaa: the name is too long for the file system, which takes 255 bytes at most" in ended.stderr
    assert not run(script, "--output", tmp_path / ("b" * 250 + ".h5"), "--megabytes", 1).stderr


def test_what_hdf5_says_of_a_full_disk(script: Path, tmp_path: Path) -> None:
    ended = run(script, "--hdf5", "--output", tmp_path / "a.h5", "--megabytes", 1)
    assert ended.stderr.startswith(f"fill_hdf5: {tmp_path / 'a.h5'}: the disk is full; make room")


def test_a_quota_that_is_used_up() -> None:
    said = file_system_line(OSError(errno.EDQUOT, "Disk quota exceeded", "a.h5"))
    assert said.startswith("a.h5: your quota of the disk is used up; make room")


def test_the_targets_are_named_where_the_error_names_no_file() -> None:
    error = OSError(28, "No space left on device")
    assert file_system_line(error, ["a.h5", "b.csv"]).startswith("a.h5, b.csv: the disk is full")
    assert file_system_line(OSError(1234, "Odd\nthing", "c.h5")) == "c.h5: Odd thing"


SLOW = """
import time
from pathlib import Path
from l3net.files import atomic
from l3net.runtime import stage

def slow(output: Path) -> None:
    with atomic.replacing(output) as temporary:
        temporary.write_text("half")
        print("half", flush=True)
        time.sleep(60)

stage.main(slow)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_a_killed_run_leaves_is_gone_after_the_next(tmp_path: Path, number: int) -> None:
    script, output = tmp_path / "slow.py", tmp_path / "out" / "a.txt"
    script.write_text(SLOW)
    process = subprocess.Popen([sys.executable, script, "--output", output], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    assert process.stdout.readline() == "half\n"
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    left = list(output.parent.iterdir())
    if number == signal.SIGTERM:
        assert (process.returncode, said, left) == (143, "ended by SIGTERM; run again to go on\n", [])
        return
    assert [path.suffix for path in left] == [".txt"]
    from l3net.files import atomic

    atomic.write_text(output, "whole")
    assert list(output.parent.iterdir()) == [output]


def test_the_file_of_a_process_that_lives_is_left_alone(tmp_path: Path) -> None:
    from l3net.files import atomic

    target = tmp_path / "a.txt"
    with atomic.replacing(target) as first:
        first.write_text("first")
        atomic.write_text(target, "second")
        assert first.exists()
    assert target.read_text() == "first"
    elsewhere = tmp_path / f".a.{'0' * 16}.partial.txt"
    elsewhere.write_text("of another machine")
    atomic.write_text(target, "third")
    kept = elsewhere.exists()
    os.utime(elsewhere, (time.time() - 1e6,) * 2)
    atomic.write_text(target, "fourth")
    assert (kept, elsewhere.exists()) == (True, False) or atomic._machine() == "0000"


def test_numbers_that_stand_in_the_text_alone() -> None:
    said = file_system_line(OSError("No space left on device (os error 28)"), ["a.csv"])
    assert said.startswith("a.csv: the disk is full; make room")
    assert len(file_system_line(OSError(36, "File name too long", "a" * 5000))) <= 400


SWALLOWED = """
import os, signal, sys
from pathlib import Path
from l3net.runtime import stage

def swallow(output: Path) -> None:
    try:
        os.kill(os.getpid(), signal.{number})
    except (SystemExit, KeyboardInterrupt):
        raise SystemError("returned a result with an exception set") from None

stage.main(swallow)
"""


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        ("SIGTERM", 143, "ended by SIGTERM; run again to go on\n"),
        ("SIGINT", 130, "swallow: interrupted; run again to go on\n"),
    ],
)
def test_an_end_by_a_signal_that_a_library_takes_for_its_own_error(
    tmp_path: Path, number: str, code: int, said: str
) -> None:
    (tmp_path / "swallow.py").write_text(SWALLOWED.format(number=number))
    ended = run(tmp_path / "swallow.py", "--output", tmp_path / "a")
    assert (ended.returncode, ended.stderr) == (code, said)
