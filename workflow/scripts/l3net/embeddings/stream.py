"""Embedding sound while it comes in: blocks of any length go in, vectors come out as soon as their window is heard.

Conventions: times in seconds from the first sample; a window that is heard to its end is embedded at once, so a vector
comes at most its window, and what a resampler holds back (some 20 ms, where rates differ), after the window's start.
"""

from collections.abc import Iterable, Iterator
from numbers import Real
from pathlib import Path

import numpy as np

from l3net.embeddings.embedding_keras import as_embedding
from l3net.embeddings.interface import Embedding, WindowEmbedding
from l3net.embeddings.windows import WindowCutter, Windows, check_batch_size
from l3net.errors import ClipError, ConfigError
from l3net.media import AudioConverter

Vectors = tuple[np.ndarray, np.ndarray]


class SoundStream:
    """A sound under way. It holds less than a window and a block, however long it runs.

    Streams run beside each other, also in threads of their own and with one model; a stream takes one call at a time.

    Parameters
    ----------
    embedding : one that cuts sound into windows.
    hop_seconds : seconds from one window to the next.
    sample_rate : Hz of the blocks.
    center : whether a timestamp is the centre of its window or its start.
    batch_size : how many windows the network is given at a time, at most.
    """

    def __init__(
        self, embedding: WindowEmbedding, hop_seconds: float, sample_rate: int, center: bool, batch_size: int
    ) -> None:
        self.embedding, self.batch_size, self._ended = embedding, batch_size, False
        self._windows = Windows(embedding.window_samples, embedding.sample_rate, hop_seconds, center)
        self._cutter, self._converter = WindowCutter(self._windows), AudioConverter(sample_rate, embedding.sample_rate)
        self._n_given = 0

    def __call__(self, blocks: Iterable[np.ndarray]) -> Iterator[Vectors]:
        """Yield the vectors and timestamps that each block completes, then the last ones; blocks without any give none.

        The errors are those of `push`.
        """
        for block in blocks:
            if len((made := self.push(block))[0]):
                yield made
        if len((made := self.finish())[0]):
            yield made

    def push(self, block: np.ndarray) -> Vectors:
        """Take the next block of the sound and return what can be had with it.

        Parameters
        ----------
        block : np.ndarray [shape=(n,) or (n, channels)]
            Floating point in [-1, 1], or integers; n may be 0.

        Returns
        -------
        embeddings : np.ndarray float32 [shape=(n_windows, d)], often of no window
        timestamps : np.ndarray float64 [shape=(n_windows,)] in seconds

        Raises
        ------
        ClipError
            Sound of another shape or type, of more or fewer channels than before, or with samples, or a vector, that
            are no finite numbers. A block that is refused is no part of the sound: put silence of its length in its
            place, so that later times stay true.
        ConfigError
            The stream was finished.
        """
        if self._ended:
            raise ConfigError("the stream is finished; open another with l3net.stream for another sound")
        return self._embed(self._cutter.push(self._converter.push(block)))

    def finish(self) -> Vectors:
        """Return the vectors of the last windows, padded with silence, as a file's are; the stream is then closed."""
        if self._ended:
            raise ConfigError("the stream is finished; open another with l3net.stream for another sound")
        self._ended = True
        rest = self._converter.finish()
        return self._embed(cut for part in (self._cutter.push(rest), self._cutter.finish()) for cut in part)

    def _embed(self, cuts: Iterable[np.ndarray]) -> Vectors:
        vectors = [np.zeros((0, self.embedding.dimension), np.float32)]
        for cut in cuts:
            for first in range(0, len(cut), self.batch_size):
                batch = np.ascontiguousarray(cut[first : first + self.batch_size])
                vectors.append(np.asarray(self.embedding.network(batch)))
        made = np.concatenate(vectors)
        times = self._windows.timestamps(self._n_given, self._n_given + len(made))
        self._n_given += len(made)
        if not (finite := np.isfinite(made).all(axis=1)).all():
            raise ClipError(
                f"the vector at {times[finite.argmin()]:.2f} s holds values that are not finite numbers; an embedding "
                "must bear every sound, silence too"
            )
        return made, times


def stream(
    model: Path | str | Embedding,
    *,
    hop_seconds: float = 0.1,
    sample_rate: int | None = None,
    center: bool = False,
    batch_size: int = 32,
    precision: str = "float32",
) -> SoundStream:
    """Open a stream of sound that is embedded as it comes in; the vectors are those of `embed` on the whole.

    Parameters
    ----------
    model : the path of an embedding.keras, or what `load` returned.
    hop_seconds : seconds from one window to the next.
    sample_rate : Hz of the blocks that will come; None for the model's own, 48000.
    center : whether a timestamp is the centre of its window or its start.
    batch_size : how many windows the network is given at a time, at most.
    precision : precision of a model that is given as a file.

    Returns
    -------
    SoundStream
        Call `push` with each block and `finish` at the end, or call it with an iterable of blocks.

    Raises
    ------
    ConfigError
        A hop that is not above zero or is longer than a window; a sample rate that is no whole number of 1 or more; a
        batch of none; a model that hears sounds as a whole.
    WeightsError
        A model that cannot be loaded.
    """
    embedding = as_embedding(model, precision)
    if not isinstance(embedding, WindowEmbedding):
        raise ConfigError(f"{embedding.about.get('kind', 'this embedding')} hears a sound as a whole and has no stream")
    check_batch_size(batch_size)
    rate = embedding.sample_rate if sample_rate is None else sample_rate
    if not isinstance(rate, Real) or rate < 1 or rate % 1:
        raise ConfigError(f"sample_rate is {rate!r}; expected a whole number of Hz, e.g. 48000")
    return SoundStream(embedding, hop_seconds, int(rate), center, batch_size)
