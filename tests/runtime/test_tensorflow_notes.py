"""What TensorFlow writes while it loads: notes are left out, and nothing else, even where it ends the process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTES = ["WARNING: All log messages before absl::InitializeLog() is called are written to STDERR"]
NOTES += ["I0000 00:00:1795864473.828221   17603 port.cc:153] oneDNN custom operations are on."]
WARNING = "W0131 00:00:1795864473.836622   17603 cuda.cc:1] a driver is old"
ERROR = "E0131 00:00:1795864473.836622   17603 cuda.cc:1] a factory is registered twice"
FATAL = "F0131 00:00:1795864473.836622   17603 cpu.cc:1] this CPU has no AVX"
OTHERS = ["Illinois has a line of its own", "I am not a note", ""]


def import_it(folder: Path, code: str, level: str | None, program: str = "import l3net, tensorflow") -> tuple[str, int]:
    """Return what reaches the error stream when a TensorFlow of this `code` is imported, and how the process ends."""
    (folder / "tensorflow").mkdir()
    (folder / "tensorflow" / "__init__.py").write_text("import os, sys\n" + code, "utf-8")
    given = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    given |= {"TF_CPP_MIN_LOG_LEVEL": level} if level is not None else {}
    scripts = Path(__file__).parents[2] / "workflow" / "scripts"
    given["PYTHONPATH"] = f"{folder}{os.pathsep}{scripts}"
    done = subprocess.run([sys.executable, "-c", program], env=given, capture_output=True, text=True, timeout=60)
    return done.stderr, done.returncode


def written(lines: list[str], end: str = "\n") -> str:
    return f"os.write(2, {(chr(10).join(lines) + end)!r}.encode())\n"


@pytest.mark.parametrize(
    ("level", "kept"),
    [(None, OTHERS), ("3", OTHERS), ("2", [ERROR, *OTHERS]), ("1", [WARNING, ERROR, *OTHERS])],
)
def test_notes_below_the_level_are_left_out(tmp_path: Path, level: str | None, kept: list[str]) -> None:
    code = written([*NOTES, WARNING, ERROR, *OTHERS]) + "print('after', file=sys.stderr)\n"
    assert import_it(tmp_path, code, level) == ("\n".join(kept) + "\nafter\n", 0)


def test_level_0_shows_everything(tmp_path: Path) -> None:
    assert import_it(tmp_path, written([*NOTES, WARNING]), "0") == ("\n".join([*NOTES, WARNING, ""]), 0)


def test_the_last_words_of_a_process_that_ends_are_read(tmp_path: Path) -> None:
    words, code = import_it(tmp_path, written([*NOTES, FATAL], end="") + "os.abort()\n", None)
    assert words == FATAL
    assert code == -6


def test_an_import_that_fails_raises_what_it_raised_and_the_stream_is_as_before(tmp_path: Path) -> None:
    program = "import os, l3net\ntry:\n import tensorflow\nexcept OSError as error:\n os.write(2, f'{error}'.encode())"
    assert import_it(tmp_path, "raise OSError('I0101 no such library')", None, program) == ("I0101 no such library", 0)


def test_the_installed_tensorflow_loads_without_a_word() -> None:
    program = "import l3net, tensorflow; tensorflow.constant(1.0)"
    given = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run([sys.executable, "-c", program], env=given, capture_output=True, text=True, timeout=300)
    assert (done.stderr, done.returncode) == ("", 0)
