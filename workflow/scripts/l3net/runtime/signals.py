"""Noting requests to stop, so that a stage can stop at a good moment.

SIGTERM comes with a time limit or a preemption, SIGINT from a keyboard.
"""

import signal
import threading


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
