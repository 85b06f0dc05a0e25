"""Requests to stop: noted while entered, with their usual effect before and after."""

import os
import signal
import subprocess
import sys

import pytest

from l3net.runtime.signals import StopRequests


def test_the_first_signal_is_noted_and_handlers_come_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with StopRequests() as stop:
        assert stop.received is None
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.received == "SIGTERM"
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


LOST = """
import os, signal, sys, time, weakref
def hit(*_):
    os.kill(os.getpid(), signal.{number})
    for _ in range(1000):
        pass  # the handler is called in here
class Held:
    pass
if "{place}" == "__del__":
    Held.__del__ = hit
def work(model):
    try:
        held = Held()
        seen = weakref.ref(held, hit) if "{place}" == "weakref" else None
        del held
        print("goes on", flush=True)
        time.sleep(30)
    finally:
        print("cleaned up", flush=True)
"""
STAGE = """
from l3net.runtime import stage
stage.main(work)
"""
COMMAND = """
from l3net.cli import info, main
info.run = lambda options: work(options.model)
sys.exit(main.main(["info", sys.argv[2]]))
"""


@pytest.mark.parametrize(
    ("door", "number", "code", "said"),
    [
        (STAGE, "SIGTERM", 143, "ended by SIGTERM; run again to go on"),
        (STAGE, "SIGINT", 130, "work: interrupted; run again to go on"),
        (COMMAND, "SIGTERM", 143, "ended by SIGTERM; run again to go on"),
        (COMMAND, "SIGINT", 130, "l3net: interrupted; what is done is kept, the same command goes on"),
    ],
    ids=["a stage, SIGTERM", "a stage, Ctrl-C", "a command, SIGTERM", "a command, Ctrl-C"],
)
@pytest.mark.parametrize("place", ["__del__", "weakref"])
def test_a_signal_ends_a_process_even_where_its_exit_is_lost(
    place: str, door: str, number: str, code: int, said: str
) -> None:
    """Python only prints an exception of ``__del__`` and of a weak reference's callback, and goes on."""
    program = LOST.format(place=place, number=number) + door
    done = subprocess.run([sys.executable, "-c", program, "--model", "a"], capture_output=True, text=True, timeout=25)
    assert (done.returncode, done.stdout) == (code, "goes on\ncleaned up\n")
    assert done.stderr == f"{said}\n"


@pytest.mark.parametrize("ignored", [True, False])
def test_an_interruption_that_a_shell_ignores_stays_ignored(ignored: bool) -> None:
    program = """
import os, signal
from l3net.runtime.signals import end_on_signals
end_on_signals()
os.kill(os.getpid(), signal.SIGINT)
print("goes on")
"""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=25)
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.stdout == ("goes on\n" if ignored else "")


def test_what_else_is_lost_is_printed_as_before() -> None:
    program = """
from l3net.runtime.signals import end_on_signals
class Held:
    def __del__(self):
        raise ValueError("of its own")
end_on_signals()
end_on_signals()
held = Held()
del held
print("goes on")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=25)
    assert (done.returncode, done.stdout) == (0, "goes on\n")
    assert done.stderr.startswith("Exception ignored in: <function Held.__del__")
    assert done.stderr.count("ValueError: of its own") == 1


def test_what_a_library_makes_of_an_end_ends_the_loop_over_files() -> None:
    """Otherwise the file would count as failed, and the next one be embedded."""
    program = """
import os, signal
from l3net.errors import ClipError
from l3net.runtime.signals import end_on_signals
from l3net.vectors.embed_tasks import EmbedOutcome
end_on_signals()
outcome = EmbedOutcome()
with outcome.of_one_file():
    raise ClipError("a.wav: of its own")
try:
    with outcome.of_one_file():
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            raise ClipError("b.wav: external error") from None
except ClipError as error:
    print(error, outcome.failed)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=25)
    assert done.stdout == "b.wav: external error ['a.wav: of its own']\n"
