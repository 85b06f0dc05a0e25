"""Showing the progress of a long step: a bar on a terminal; else a line a minute in the log, fewer on the screen."""

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

from l3net.runtime.logs import ON_SCREEN, may_draw

_SECONDS_BETWEEN_LINES = 60.0
_SECONDS_BETWEEN_LINES_ON_SCREEN = 300.0
_log = logging.getLogger("l3net")
T = TypeVar("T")


class Progress:
    """Counts units of work, shown as a bar on a terminal, or else as a line a minute and a last line in the log.

    Parameters
    ----------
    what : the activity, such as ``"fetching"``.
    total : number of units expected; None where it is not known.
    unit : the unit's name in the plural, such as ``"clips"``.
    """

    def __init__(self, what: str, total: int | None = None, unit: str = "items") -> None:
        self.what, self.total, self.unit, self.done = what, total, unit, 0
        self._started = self._said = self._shown = time.monotonic()
        self._bar = tqdm(total=total, desc=what, unit=f" {unit}") if may_draw() else None

    def advance(self, n: int = 1) -> None:
        """Count `n` more units."""
        self.done += n
        if self._bar is not None:
            self._bar.update(n)
        elif time.monotonic() - self._said >= _SECONDS_BETWEEN_LINES:
            self._said = now = time.monotonic()
            shown = now - self._shown >= _SECONDS_BETWEEN_LINES_ON_SCREEN
            self._shown = now if shown else self._shown
            _log.info(self.line(), extra=ON_SCREEN if shown else None)

    def line(self) -> str:
        """Describe the state in one line: units done and expected, units a second, minutes left."""
        seconds = max(time.monotonic() - self._started, 1e-9)
        rate = self.done / seconds
        text = f"{self.what}: {self.done}{'' if self.total is None else f' of {self.total}'} {self.unit}, {rate:.3g}/s"
        if self.total is not None and 0 < self.done < self.total:
            text += f", {(self.total - self.done) / rate / 60:.1f} min left"
        return text

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
        else:
            _log.info(self.line())


def track_progress(items: Iterable[T], what: str, total: int | None = None, unit: str = "items") -> Iterator[T]:
    """Yield `items` and show the progress."""
    if total is None and hasattr(items, "__len__"):
        total = len(items)
    with Progress(what, total, unit) as progress:
        for item in items:
            yield item
            progress.advance()
