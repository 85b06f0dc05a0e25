"""Requests to stop: noted, so that a stage can stop at a good moment, or obeyed at once and cleanly.

SIGTERM comes with a time limit or a preemption, SIGINT from a keyboard.
"""

import logging
import os
import signal
import sys
import threading
from typing import Any


class StopRequests:
    """A context in which SIGTERM and SIGINT are noted and do not end the process.

    Attributes
    ----------
    received : the name of the first signal; None before it.
    """

    def __init__(self) -> None:
        self.received: str | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> "StopRequests":
        # Only the main thread may set handlers; in other threads signals keep their effect.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._note)
        return self

    def _note(self, number, frame):
        self.received = self.received or signal.Signals(number).name

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


_ended: list[int] = []  # the signal that `end_on_sigterm` obeyed


def was_ended() -> bool:
    """Return whether `end_on_sigterm` has begun to end this process: what fails afterwards fails for that.

    Libraries in C take the exit that it raises for an error of their own, and raise another one.
    """
    return _ended != []


def end_on_sigterm() -> None:
    """Have SIGTERM end this process as an error would, so that nothing half-written stays; its exit code is 143."""
    main_process = os.getpid()

    def end(number: int, frame: Any) -> None:
        if os.getpid() != main_process:  # a worker that was forked: end as if nothing were set
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        _ended.append(number)
        logging.getLogger("l3net").error("ended by SIGTERM; run again to go on")
        sys.exit(128 + number)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, end)
