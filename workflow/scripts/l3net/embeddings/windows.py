"""Windows over sound of any length: where they start, how many there are, and cutting them from a stream.

Conventions: with a hop of h seconds, window k begins at the sample nearest to k h, and its timestamp is k h. Each start
is rounded from its exact time, so nothing drifts over hours. Without centring the timestamp is the window's start; with
centring half a window of silence goes before the sound, and the timestamp is the window's centre. The last window
reaches the last sample and is padded with silence behind it, so every sample is covered. A sound shorter than a window
makes one window; without centring the sound lies in its middle.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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
        held, base, n_samples, done = np.zeros(self.padding, np.float32), -self.padding, 0, 0
        for block in blocks:
            held = np.concatenate([held, block])
            n_samples += len(block)
            ready = self._complete(done, base + len(held))
            for first in range(done, ready, _WINDOWS_AT_ONCE):
                yield self._take(held, base, first, min(first + _WINDOWS_AT_ONCE, ready))
            done = max(done, ready)
            if (drop := int(self.starts(done, done + 1)[0]) - base) > 0:
                held, base = held[drop:], base + min(drop, len(held))
        if n_samples and n_samples < self.length and not self.center:
            before = (self.length - n_samples) // 2
            yield np.pad(held, (before, self.length - n_samples - before))[None]
        elif n_samples and (total := self.count(n_samples)) > done:
            end = int(self.starts(total - 1, total)[0]) + self.length
            held = np.pad(held, (0, max(end - base - len(held), 0)))
            yield self._take(held, base, done, total)

    def _complete(self, first: int, end: int) -> int:
        """Return the number of the first window, from `first` on, that reaches beyond sample `end`."""
        last = max(int((end + self.padding - self.length) / (self.hop_seconds * self.sample_rate)) + 2, first)
        return first + int(np.searchsorted(self.starts(first, last) + self.length, end, side="right"))

    def _take(self, held: np.ndarray, base: int, first: int, last: int) -> np.ndarray:
        every = np.lib.stride_tricks.sliding_window_view(held, self.length)
        return every[self.starts(first, last) - base]


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
