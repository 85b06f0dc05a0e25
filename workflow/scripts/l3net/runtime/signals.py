"""Requests to stop: noted, so that a stage can stop at a good moment, or obeyed at once and cleanly.

SIGTERM comes with a time limit or a preemption, SIGINT from a keyboard.
"""

import logging
import os
import signal
import sys
import threading
from typing import Any

INTERRUPTED = 128 + signal.SIGINT  # the exit code after an interruption
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


_ended: list[int] = []  # the signals that `end_on_signals` obeyed


def exit_code_of_signal() -> int | None:
    """Return the exit code of the signal that ends this process; None where none does.

    What fails after a signal fails for that: libraries in C take what it raises for an error of their own, and raise
    another one.
    """
    return 128 + _ended[0] if _ended else None


def end_on_signals() -> None:
    """Have SIGTERM and SIGINT end this process as an error would, so that nothing half-written stays.

    SIGTERM says so in one line and exits with 143. SIGINT raises Python's KeyboardInterrupt, which is the caller's to
    report, with 130; where it was ignored, as in the background of a shell, it stays so.
    """
    main_process = os.getpid()

    def end(number: int, frame: Any) -> None:
        if os.getpid() != main_process:  # a worker that was forked: as if nothing were set
            if number == signal.SIGINT:
                signal.default_int_handler(number, frame)
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        if number == signal.SIGTERM and number not in _ended:
            logging.getLogger("l3net").error("ended by SIGTERM; run again to go on")
        _ended.append(number)
        _raise_end(number)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, end)
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, end)
        _end_also_after_lost_exits()


def _raise_end(number: int) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)


def _end_also_after_lost_exits() -> None:
    """Raise the end anew where it was raised in a place that no exception leaves.

    Python only prints what is raised in the callback of a weak reference or in ``__del__``, and goes on.
    """
    hook = sys.unraisablehook
    if getattr(hook, "ends_anew", False):
        hook = hook.before

    def end_anew(lost: Any) -> None:
        if not (_ended and isinstance(lost.exc_value, SystemExit | KeyboardInterrupt)):
            hook(lost)
            return
        signal.signal(signal.SIGALRM, lambda number, frame: _raise_end(_ended[-1]))
        signal.setitimer(signal.ITIMER_REAL, _ANEW_AFTER_SECONDS)

    end_anew.ends_anew, end_anew.before = True, hook
    sys.unraisablehook = end_anew
