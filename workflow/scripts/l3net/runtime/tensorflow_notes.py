"""TensorFlow's notes at its import, kept off the screen.

From 2.21 on it writes what it notices while it loads (no GPU, the instructions that it uses) before it looks at
``TF_CPP_MIN_LOG_LEVEL``: six lines in every job and every command, whatever the level. What is below the level is
left out here; anything else is passed on at once, by a process of its own, so that the last words of a TensorFlow that
ends the process are read too.
"""

import importlib.machinery
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

# A line of absl's log begins with its severity, month and day: I0131 12:00:00.123456 thread file:line] text.
_NOTE = re.compile(rb"([IWEF])\d{4} |WARNING: All log messages before absl::InitializeLog\(\)")
_SEVERITIES = b"IWEF"


def leave_out_notes() -> None:
    """See to it that TensorFlow, whoever imports it, loads without notes below ``TF_CPP_MIN_LOG_LEVEL``."""
    if hasattr(os, "fork") and not any(isinstance(finder, _TensorFlowFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _TensorFlowFinder())


class _TensorFlowFinder:
    """Find TensorFlow as Python does, and change how it is loaded."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "tensorflow":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_without_notes(module: ModuleType) -> None:
                with _filtered_errors(int(os.environ.get("TF_CPP_MIN_LOG_LEVEL") or 0)):
                    load(module)

            spec.loader.exec_module = load_without_notes
        return spec


@contextmanager
def _filtered_errors(level: int) -> Iterator[None]:
    """Pass what is written to file descriptor 2 through `_pass_on`, while this lasts."""
    if level <= 0:
        yield
        return
    sys.stderr.flush()
    reading, writing = os.pipe()
    screen = os.dup(2)
    reader = os.fork()
    if reader == 0:
        try:
            os.close(writing)
            _pass_on(reading, screen, level)
        finally:
            os._exit(0)
    os.close(reading)
    os.dup2(writing, 2)
    os.close(writing)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(screen, 2)
        os.close(screen)
        os.waitpid(reader, 0)


def _pass_on(reading: int, screen: int, level: int) -> None:
    """Write to `screen` all lines that are read, without notes below `level`, until the other end closes."""
    rest = b""
    while piece := os.read(reading, 65536):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if not _is_left_out(line, level):
                os.write(screen, line + b"\n")
    if rest and not _is_left_out(rest, level):
        os.write(screen, rest)


def _is_left_out(line: bytes, level: int) -> bool:
    found = _NOTE.match(line)
    return found is not None and (found[1] is None or _SEVERITIES.index(found[1]) < level)
