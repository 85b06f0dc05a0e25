"""What an embedding is to the rest of the library: it takes sounds, block by block, and yields their vectors.

There are two kinds. A `WindowEmbedding` gives a vector for each window of fixed length; the windows of many sounds
share its batches. A `SoundEmbedding` hears a sound as a whole (in stretches of bounded length) and sets the times of
its vectors itself.

Conventions: sounds are mono float32 at the embedding's `sample_rate`; vectors are float32; times are in seconds.
"""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from l3net.embeddings.windows import Windows
from l3net.errors import L3Error

_AHEAD = 2  # times up to 64 windows
T = TypeVar("T")
Sounds = Iterable[tuple[Any, Iterable[np.ndarray]]]  # (key, blocks of one sound)


@dataclass(frozen=True)
class Piece:
    """Some vectors of the sound `key`; then one with `is_last` and, if it broke, `error`."""

    key: Any
    vectors: np.ndarray
    timestamps: np.ndarray
    is_last: bool = False
    error: L3Error | None = None


@dataclass(frozen=True)
class WindowEmbedding:
    """An embedding of windows.

    Parameters
    ----------
    network : float32 [batch, window_samples] -> float32 [batch, dimension], for any batch up to the size asked for.
    dimension : length of a vector.
    sample_rate : Hz of the sound it takes.
    window_samples : length of a window.
    about : where it comes from: kind, front_end, subset, epoch, samples_seen, model_seed, ...
    """

    network: Callable[[np.ndarray], np.ndarray]
    dimension: int
    sample_rate: int
    window_samples: int
    about: dict[str, Any] = field(default_factory=dict)

    def embed(
        self, sounds: Sounds, *, hop_seconds: float = 0.1, center: bool = False, batch_size: int = 64
    ) -> Iterator[Piece]:
        """Yield the vectors of each sound, in order, in pieces; the end of each as a piece with `is_last`.

        A sound whose blocks raise an `L3Error` ends with that error; the others are not touched by it.

        Raises
        ------
        ConfigError
            At once: a hop that is not above zero or longer than a window.
        """
        return self._embed(sounds, Windows(self.window_samples, self.sample_rate, hop_seconds, center), batch_size)

    def _embed(self, sounds: Sounds, windows: Windows, batch_size: int) -> Iterator[Piece]:
        batch = np.zeros((batch_size, self.window_samples), np.float32)
        filled, parts = 0, []  # parts: (key, first window, number of windows, is_last, error)
        for key, cut, first, is_last, error in _ahead(_cut(sounds, windows)):
            while len(cut):
                taken = min(len(cut), batch_size - filled)
                batch[filled : filled + taken] = cut[:taken]
                parts.append((key, first, taken, False, None))
                filled, first, cut = filled + taken, first + taken, cut[taken:]
                if filled == batch_size:
                    yield from _pieces(self.network(batch), parts, windows)
                    filled, parts = 0, []
            if is_last:
                parts.append((key, first, 0, True, error))
        if parts:
            vectors = self.network(batch[:filled]) if filled else np.zeros((0, self.dimension), np.float32)
            yield from _pieces(vectors, parts, windows)


def _cut(sounds: Sounds, windows: Windows) -> Iterator[tuple[Any, np.ndarray, int, bool, L3Error | None]]:
    """Yield (key, some windows, number of the first, whether the sound is over, its error)."""
    nothing = np.zeros((0, windows.length), np.float32)
    for key, blocks in sounds:
        first, error = 0, None
        try:
            for cut in windows.cut(blocks):
                yield key, cut, first, False, None
                first += len(cut)
        except L3Error as found:
            error = found
        yield key, nothing, first, True, error


def _ahead(items: Iterable[T]) -> Iterator[T]:
    """Yield `items`, made in a thread of their own a few ahead: sounds are decoded while the network works."""
    made, stop = queue.Queue(_AHEAD), threading.Event()

    def put(entry: tuple[T | None, bool, BaseException | None]) -> None:
        while not stop.is_set():
            try:
                made.put(entry, timeout=0.1)
            except queue.Full:
                continue
            return

    def work() -> None:
        try:
            for item in items:
                put((item, False, None))
                if stop.is_set():
                    return
            put((None, True, None))
        except BaseException as error:  # raised again where the items are wanted
            put((None, True, error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            item, is_over, error = made.get()
            if error is not None:
                raise error
            if is_over:
                return
            yield item
    finally:
        stop.set()
        thread.join()


def _pieces(vectors: np.ndarray, parts: list[tuple], windows: Windows) -> Iterator[Piece]:
    row = 0
    for key, first, n, is_last, error in parts:
        yield Piece(key, vectors[row : row + n], windows.timestamps(first, first + n), is_last, error)
        row += n


@dataclass(frozen=True)
class SoundEmbedding:
    """An embedding of whole sounds.

    Parameters
    ----------
    stretches : (blocks of one sound, hop_seconds) -> pairs (vectors [n, dimension], times [n]), in order.
    """

    stretches: Callable[[Iterable[np.ndarray], float], Iterator[tuple[np.ndarray, np.ndarray]]]
    dimension: int
    sample_rate: int
    about: dict[str, Any] = field(default_factory=dict)

    def embed(
        self, sounds: Sounds, *, hop_seconds: float = 0.1, center: bool = False, batch_size: int = 64
    ) -> Iterator[Piece]:
        """Yield the vectors of each sound as `WindowEmbedding.embed` does; the embedding decides on its own times."""
        nothing = np.zeros((0, self.dimension), np.float32), np.zeros(0)
        for key, blocks in sounds:
            error = None
            try:
                for vectors, times in self.stretches(blocks, hop_seconds):
                    yield Piece(key, vectors, times)
            except L3Error as found:
                error = found
            yield Piece(key, *nothing, is_last=True, error=error)


Embedding = WindowEmbedding | SoundEmbedding
