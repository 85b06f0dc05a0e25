"""Requests to stop (SIGTERM of a time limit or preemption, SIGINT of a keyboard), kept until a good moment."""

import signal
import threading


class StopRequests:
    """While entered, notes SIGTERM and SIGINT instead of dying of them.

    Attributes
    ----------
    received : the name of the first signal, or None.
    """

    def __init__(self) -> None:
        self.received: str | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> "StopRequests":
        # Python lets only the main thread set handlers; elsewhere signals keep their effect.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._note)
        return self

    def _note(self, number, frame):
        self.received = self.received or signal.Signals(number).name

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
