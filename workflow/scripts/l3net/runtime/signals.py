"""Requests to stop: noted, so that a stage can stop at a good moment, or obeyed at once and cleanly.

SIGTERM comes with a time limit or a preemption, SIGINT from a keyboard.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

_ANEW_AFTER_SECONDS = 0.02  # the callback has ended by then


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
        if not _ended:
            logging.getLogger("l3net").error("ended by SIGTERM; run again to go on")
        _ended.append(number)
        sys.exit(128 + signal.SIGTERM)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, end)
        _end_also_after_lost_exits(end)


def _end_also_after_lost_exits(end: Callable[[int, Any], None]) -> None:
    """Have `end` called anew where its exit was raised in a place that no exception leaves.

    Python only prints what is raised in the callback of a weak reference or in ``__del__``, and goes on.
    """
    hook = sys.unraisablehook
    if getattr(hook, "ends_anew", False):
        hook = hook.before

    def end_anew(lost: Any) -> None:
        if not (_ended and isinstance(lost.exc_value, SystemExit)):
            hook(lost)
            return
        signal.signal(signal.SIGALRM, end)
        signal.setitimer(signal.ITIMER_REAL, _ANEW_AFTER_SECONDS)

    end_anew.ends_anew, end_anew.before = True, hook
    sys.unraisablehook = end_anew
