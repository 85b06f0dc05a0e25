"""What an embedding is to the rest of the library: it takes sounds, block by block, and yields their vectors.

There are two types. A `WindowEmbedding` computes a vector for each window of fixed length; the windows of many sounds
share its batches. A `SoundEmbedding` hears a sound as a whole (in stretches of bounded length) and sets the times of
its vectors itself.

Conventions: sounds are mono float32 at the embedding's `sample_rate`; vectors are float32; times are in seconds.
"""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np

from l3net.embeddings.windows import Sounds, Windows, check_batch_size, cut_sounds
from l3net.errors import ClipError, L3Error

_CUTS_AHEAD = 2  # of up to 64 windows each
T = TypeVar("T")


@dataclass(frozen=True)
class Piece:
    """Some vectors of the sound `key`.

    The last piece of a sound has `is_last`; if the sound broke, it also has the `error`.
    """

    key: Any
    vectors: np.ndarray
    timestamps: np.ndarray
    is_last: bool = False
    error: L3Error | None = None


@dataclass(frozen=True)
class WindowEmbedding:
    """Embed windows of fixed length.

    Parameters
    ----------
    network : float32 [batch, window_samples] -> float32 [batch, dimension], for a batch of any size.
    dimension : length of a vector.
    sample_rate : sample rate in Hz of the sound it takes.
    window_samples : samples in a window.
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
        """Yield the vectors of each sound in pieces, in order; the last piece of each has `is_last`.

        A sound whose blocks raise an `L3Error` ends with that error, and the next sound follows; so does one with a
        vector that is not finite.

        Parameters
        ----------
        sounds : pairs of a key and the blocks of a sound.
        hop_seconds : seconds from one window to the next.
        center : whether a timestamp is the centre of its window or its start.
        batch_size : how many windows the network is given at a time.

        Raises
        ------
        ConfigError
            A hop that is not above zero or is longer than a window, or a batch of none; it is raised at the call.
        """
        check_batch_size(batch_size)
        windows = Windows(self.window_samples, self.sample_rate, hop_seconds, center)
        return _refuse_not_finite(self._embed(sounds, windows, batch_size))

    def _embed(self, sounds: Sounds, windows: Windows, batch_size: int) -> Iterator[Piece]:
        batch = np.zeros((batch_size, self.window_samples), np.float32)
        n_filled, runs = 0, []
        for cut in _read_ahead(cut_sounds(sounds, windows)):
            n_taken = 0
            while n_taken < len(cut.windows):
                n = min(len(cut.windows) - n_taken, batch_size - n_filled)
                batch[n_filled : n_filled + n] = cut.windows[n_taken : n_taken + n]
                runs.append(_Run(cut.key, cut.first + n_taken, n))
                n_filled, n_taken = n_filled + n, n_taken + n
                if n_filled == batch_size:
                    yield from _pieces(self.network(batch), runs, windows)
                    n_filled, runs = 0, []
            if cut.is_last:
                runs.append(_Run(cut.key, cut.first, 0, is_last=True, error=cut.error))
        if runs:
            vectors = self.network(batch[:n_filled]) if n_filled else np.zeros((0, self.dimension), np.float32)
            yield from _pieces(vectors, runs, windows)


class _Run(NamedTuple):
    """`n` rows of a batch that are windows of the sound `key` in a row, from the number `first` on."""

    key: Any
    first: int
    n: int
    is_last: bool = False
    error: L3Error | None = None


def _pieces(vectors: np.ndarray, runs: list[_Run], windows: Windows) -> Iterator[Piece]:
    """Yield the vectors of a batch, each run as a piece."""
    row = 0
    for run in runs:
        times = windows.timestamps(run.first, run.first + run.n)
        yield Piece(run.key, vectors[row : row + run.n], times, run.is_last, run.error)
        row += run.n


class _End(NamedTuple):
    """The end of what a thread makes, and the error that ended it."""

    error: BaseException | None


def _read_ahead(items: Iterable[T]) -> Iterator[T]:
    """Yield `items`, which a thread makes a few ahead, so that sounds are decoded while the network works."""
    made, stop = queue.Queue(_CUTS_AHEAD), threading.Event()

    def put(entry: T | _End) -> None:
        while not stop.is_set():
            try:
                made.put(entry, timeout=0.1)
            except queue.Full:
                continue
            return

    def work() -> None:
        try:
            for item in items:
                put(item)
                if stop.is_set():
                    return
            put(_End(None))
        except BaseException as error:  # raised again in the thread that takes the items
            put(_End(error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while not isinstance(entry := made.get(), _End):
            yield entry
        if entry.error is not None:
            raise entry.error
    finally:
        stop.set()
        thread.join()


@dataclass(frozen=True)
class SoundEmbedding:
    """Embed whole sounds.

    Parameters
    ----------
    stretches : (blocks of one sound, hop_seconds) -> pairs (vectors [n, dimension], times [n]), in order.
    dimension : length of a vector.
    sample_rate : sample rate in Hz of the sound it takes.
    about : where it comes from, as of `WindowEmbedding`.
    """

    stretches: Callable[[Iterable[np.ndarray], float], Iterator[tuple[np.ndarray, np.ndarray]]]
    dimension: int
    sample_rate: int
    about: dict[str, Any] = field(default_factory=dict)

    def embed(
        self, sounds: Sounds, *, hop_seconds: float = 0.1, center: bool = False, batch_size: int = 64
    ) -> Iterator[Piece]:
        """Yield the vectors of each sound as `WindowEmbedding.embed` does; the embedding sets their times itself."""
        return _refuse_not_finite(self._embed(sounds, hop_seconds))

    def _embed(self, sounds: Sounds, hop_seconds: float) -> Iterator[Piece]:
        nothing = np.zeros((0, self.dimension), np.float32), np.zeros(0)
        for key, blocks in sounds:
            error = None
            try:
                for vectors, times in self.stretches(blocks, hop_seconds):
                    yield Piece(key, vectors, times)
            except L3Error as broken:
                error = broken if str(broken).startswith(str(key)) else type(broken)(f"{_name(key)}: {broken}")
            yield Piece(key, *nothing, is_last=True, error=error)


def _refuse_not_finite(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield the pieces; a sound with a vector that is not finite ends with an error that names its time."""
    error = None
    for piece in pieces:
        if error is None and not (finite := np.isfinite(piece.vectors).all(axis=1)).all():
            error = ClipError(
                f"{_name(piece.key)}: the vector at {piece.timestamps[finite.argmin()]:.2f} s holds values that are not"
                " finite numbers; an embedding must bear every sound, silence too"
            )
        if error is None:
            yield piece
        elif piece.is_last:
            yield replace(piece, vectors=piece.vectors[:0], timestamps=piece.timestamps[:0], error=piece.error or error)
            error = None


def _name(key: Any) -> str:
    return f"sound {key}" if isinstance(key, int) else str(key)


Embedding = WindowEmbedding | SoundEmbedding
