"""Requests to stop: noted while entered, with their usual effect before and after."""

import os
import signal
import subprocess
import sys

from l3net.runtime.signals import StopRequests


def test_the_first_signal_is_noted_and_handlers_come_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with StopRequests() as stop:
        assert stop.received is None
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.received == "SIGTERM"
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_sigterm_ends_a_process_even_where_its_exit_is_lost() -> None:
    """Python only prints an exception of ``__del__``, and goes on."""
    program = """
import os, signal, time
from l3net.runtime.signals import end_on_sigterm
class Held:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):
            pass  # the handler is called in here
end_on_sigterm()
try:
    held = Held()
    del held
    print("goes on", flush=True)
    time.sleep(30)
finally:
    print("cleaned up")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=25)
    assert (done.returncode, done.stdout) == (143, "goes on\ncleaned up\n")
    assert done.stderr == "ended by SIGTERM; run again to go on\n"


def test_what_else_is_lost_is_printed_as_before() -> None:
    program = """
from l3net.runtime.signals import end_on_sigterm
class Held:
    def __del__(self):
        raise ValueError("of its own")
end_on_sigterm()
end_on_sigterm()
held = Held()
del held
print("goes on")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=25)
    assert (done.returncode, done.stdout) == (0, "goes on\n")
    assert done.stderr.startswith("Exception ignored in: <function Held.__del__")
    assert done.stderr.count("ValueError: of its own") == 1
