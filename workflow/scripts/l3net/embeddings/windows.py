"""Windows over sound of any length: where they start, how many there are, and cutting them from a stream.

Conventions: with a hop of h seconds, window k begins at the sample nearest to k h, and its timestamp is k h. Each start
is rounded from its exact time, so nothing drifts over hours. Without centring the timestamp is the window's start; with
centring half a window of silence goes before the sound, and the timestamp is the window's centre. The last window
reaches the last sample and is padded with silence behind it, so every sample is covered. A sound shorter than a window
makes one window; without centring the sound lies in its middle.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np

from l3net.errors import ConfigError, L3Error

Sounds = Iterable[tuple[Any, Iterable[np.ndarray]]]  # (key, blocks of one sound)
_WINDOWS_AT_ONCE = 64


@dataclass(frozen=True)
class Windows:
    """Say where the windows of one embedding lie, and cut them from a sound.

    Parameters
    ----------
    length : samples in a window.
    sample_rate : sample rate in Hz.
    hop_seconds : seconds from one window to the next.
    center : whether a timestamp is the centre of its window (True) or its start.

    Raises
    ------
    ConfigError
        A hop that is not above zero, or is longer than a window, so that samples between windows would be lost.
    """

    length: int
    sample_rate: int
    hop_seconds: float = 0.1
    center: bool = False

    def __post_init__(self) -> None:
        seconds = self.length / self.sample_rate
        if not isinstance(self.hop_seconds, Real):
            raise ConfigError(f"hop_seconds is {self.hop_seconds!r}; expected a number of seconds, e.g. 0.1")
        if not 1 / self.sample_rate <= self.hop_seconds <= seconds:
            hint = " (are these milliseconds?)" if self.hop_seconds > seconds else ""
            raise ConfigError(
                f"hop_seconds is {self.hop_seconds}{hint}; expected above 0 and at most the window's {seconds:g} s"
            )

    @property
    def padding(self) -> int:
        """The samples of silence before the sound."""
        return self.length // 2 if self.center else 0

    def starts(self, first: int, last: int) -> np.ndarray:
        """Return the first sample of windows `first` to `last` - 1; negative where a window begins before the sound."""
        return np.rint(np.arange(first, last) * self.hop_seconds * self.sample_rate).astype(np.int64) - self.padding

    def timestamps(self, first: int, last: int) -> np.ndarray:
        """Return the times of windows `first` to `last` - 1 in seconds."""
        return np.arange(first, last) * self.hop_seconds

    def count(self, n_samples: int) -> int:
        """Return the number of windows that cover `n_samples`."""
        beyond = max(n_samples + self.padding - self.length, 0)
        n = int(beyond / (self.hop_seconds * self.sample_rate)) + 1
        while self.starts(n - 1, n)[0] + self.length < n_samples:
            n += 1
        while n > 1 and self.starts(n - 2, n - 1)[0] + self.length >= n_samples:
            n -= 1
        return n

    def cut(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the windows of a sound that comes in blocks, some windows at a time.

        Parameters
        ----------
        blocks : mono float32 pieces of the sound, in order.

        Yields
        ------
        np.ndarray [shape=(n, length)]
            1 to 64 windows. Memory is bounded by these windows and one block.
        """
        cutter = WindowCutter(self)
        for block in blocks:
            yield from cutter.push(block)
        yield from cutter.finish()

    def complete(self, first: int, end: int) -> int:
        """Return the number of the first window, from `first` on, that reaches beyond sample `end`."""
        last = max(int((end + self.padding - self.length) / (self.hop_seconds * self.sample_rate)) + 2, first)
        return first + int(np.searchsorted(self.starts(first, last) + self.length, end, side="right"))

    def take(self, held: np.ndarray, base: int, first: int, last: int) -> np.ndarray:
        """Return windows `first` to `last` - 1 of sound of which the samples from `base` on are held."""
        every = np.lib.stride_tricks.sliding_window_view(held, self.length)
        return every[self.starts(first, last) - base]


def check_batch_size(batch_size: int) -> None:
    """Raise a `ConfigError` where so many windows or images cannot be a batch."""
    if not isinstance(batch_size, Integral) or batch_size < 1:
        raise ConfigError(f"batch_size is {batch_size!r}; expected a whole number of 1 or more")


class WindowCutter:
    """Cuts the windows of one sound that is pushed in block by block; it holds less than a window and a block."""

    def __init__(self, windows: Windows) -> None:
        self.windows, self.done = windows, 0  # windows cut so far
        self._held, self._base = np.zeros(windows.padding, np.float32), -windows.padding
        self._waiting: list[np.ndarray] = []  # blocks that complete no window yet
        self._n_waiting, self._n_samples = 0, 0

    def push(self, block: np.ndarray) -> Iterator[np.ndarray]:
        """Take a block; yield the windows that are complete with it [shape=(n, length)], 64 at a time at most."""
        windows = self.windows
        self._waiting.append(block)
        self._n_waiting, self._n_samples = self._n_waiting + len(block), self._n_samples + len(block)
        next_start = int(windows.starts(self.done, self.done + 1)[0])
        if self._base + len(self._held) + self._n_waiting < next_start + windows.length:
            return
        self._join()
        ready = windows.complete(self.done, self._base + len(self._held))
        for first in range(self.done, ready, _WINDOWS_AT_ONCE):
            yield windows.take(self._held, self._base, first, min(first + _WINDOWS_AT_ONCE, ready))
        self.done = max(self.done, ready)
        if (drop := int(windows.starts(self.done, self.done + 1)[0]) - self._base) > 0:
            drop = min(drop, len(self._held))
            # A copy, so that the block that it was part of can go.
            self._held, self._base = self._held[drop:].copy(), self._base + drop

    def finish(self) -> Iterator[np.ndarray]:
        """Yield the last windows, padded with silence."""
        windows, n = self.windows, self._n_samples
        self._join()
        if n and n < windows.length and not windows.center:
            before = (windows.length - n) // 2
            yield np.pad(self._held, (before, windows.length - n - before))[None]
        elif n and (total := windows.count(n)) > self.done:
            end = int(windows.starts(total - 1, total)[0]) + windows.length
            held = np.pad(self._held, (0, max(end - self._base - len(self._held), 0)))
            yield windows.take(held, self._base, self.done, total)

    def _join(self) -> None:
        self._held = np.concatenate([self._held, *self._waiting])
        self._waiting, self._n_waiting = [], 0


class Cut(NamedTuple):
    """Some windows of the sound `key`, the first of which has the number `first`; the last cut of a sound has none."""

    key: Any
    first: int
    windows: np.ndarray
    is_last: bool = False
    error: L3Error | None = None


def cut_sounds(sounds: Sounds, windows: Windows) -> Iterator[Cut]:
    """Yield the windows of each sound, some at a time; one whose blocks raise an `L3Error` ends with that error."""
    nothing = np.zeros((0, windows.length), np.float32)
    for key, blocks in sounds:
        first, error = 0, None
        try:
            for cut in windows.cut(blocks):
                yield Cut(key, first, cut)
                first += len(cut)
        except L3Error as broken:
            error = broken
        yield Cut(key, first, nothing, is_last=True, error=error)
