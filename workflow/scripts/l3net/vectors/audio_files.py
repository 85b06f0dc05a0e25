"""Embedding sound files, many or long ones: one file of vectors for each.

The files share the batches of the network. A file that cannot be read is reported and the rest goes on. Vectors go to
disk as they come, so memory holds a few batches, whatever the length of a file.
"""

import contextlib
import itertools
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from l3net.embeddings.interface import Embedding, Piece
from l3net.errors import ClipError, ConfigError
from l3net.files import atomic
from l3net.media import audio_blocks, probe_media
from l3net.runtime import Progress
from l3net.vectors.embed_tasks import EmbedOutcome, EmbedTask, files_in, find_tasks
from l3net.vectors.vector_file import vector_writer

POOLS = ("mean", "max", "std")
# Suffixes of texts, tables, pictures (covers of albums), lists and archives, which are not tried in a folder.
_NOT_SOUND = (
    " csv tsv txt json jsonl md rst pdf xml yaml yml html log nfo npz npy h5 hdf5 parquet keras onnx pt pkl py ipynb "
    "sh ini jpg jpeg png gif bmp tif tiff webp heic svg cue m3u m3u8 pls lrc srt vtt jams textgrid lab mid midi zip "
    "tar gz bz2 xz 7z rar md5 sfv db lnk url doc docx xlsx "
)
_log = logging.getLogger("l3net")


def find_audio_files(paths: list[Path], output: Path, suffix: str) -> list[EmbedTask]:
    """Return a task for each sound file of `paths`, as `find_tasks` does, with its errors."""
    return find_tasks(paths, output, suffix, is_wanted=_may_be_sound, what="files")


def sounds_below(folder: Path) -> list[Path]:
    """Return the files of a folder that are to be tried: no texts, tables, pictures or archives, by their suffixes."""
    return files_in(folder, _may_be_sound)


def _may_be_sound(path: Path) -> bool:
    return f" {path.suffix[1:].lower()} " not in _NOT_SOUND


def check_pool(pool: tuple[str, ...]) -> None:
    """Raise a `ConfigError` for a name that is not one of `POOLS`."""
    if unknown := [name for name in pool if name not in POOLS]:
        raise ConfigError(f"pooling over time by {unknown[0]!r} is unknown; expected some of {', '.join(POOLS)}")


def embed_audio_files(
    load: Callable[[], Embedding],
    tasks: list[EmbedTask],
    *,
    hop_seconds: float = 0.1,
    center: bool = False,
    pool: tuple[str, ...] = (),
    batch_size: int = 32,
    overwrite: bool = False,
    about: dict[str, Any] | None = None,
) -> EmbedOutcome:
    """Embed every file whose vectors are not there yet.

    Parameters
    ----------
    load : returns the embedding; called only when a file is waiting.
    tasks : the files, as `find_audio_files` returns them.
    hop_seconds : seconds from one window to the next.
    center : whether a timestamp is the centre of its window or its start.
    pool : some of `POOLS`; with them a file has one vector, these statistics over time one behind the other.
    batch_size : how many windows the network is given at a time.
    overwrite : whether to embed a file again whose vectors were made with the same settings.
    about : what else the vectors depend on, such as the digest of the model; it is compared and written with them.

    Raises
    ------
    ConfigError
        An unknown pool, or a hop that is not above zero or is longer than a window.
    """
    check_pool(pool)
    settings = {"hop_seconds": hop_seconds, "center": center, "pool": list(pool), **(about or {})}
    outcome = EmbedOutcome()
    waiting = [task for task in tasks if outcome.is_waiting(task, settings, overwrite=overwrite)]
    if not waiting:
        return outcome
    embedding = load()
    sounds = ((task, audio_blocks(task.source, embedding.sample_rate)) for task in waiting)
    pieces = embedding.embed(sounds, hop_seconds=hop_seconds, center=center, batch_size=batch_size)
    seconds = {task: _seconds(task.source) for task in waiting}
    with contextlib.closing(pieces), Progress("embedding", sum(seconds.values()) or None, "s of sound") as progress:
        for task, own_pieces in itertools.groupby(pieces, key=lambda piece: piece.key):
            end = progress.done + seconds[task]
            with outcome.of_one_file():
                _write_vectors(task, own_pieces, embedding, settings, progress)
            progress.advance(max(end - progress.done, 0))
    return outcome


def _write_vectors(
    task: EmbedTask, pieces: Iterator[Piece], embedding: Embedding, settings: dict[str, Any], progress: Progress
) -> None:
    """Write the vectors of one file, or raise its error and leave nothing."""
    statistics = _Statistics() if settings["pool"] else None
    dimension = embedding.dimension * max(1, len(settings["pool"]))
    with atomic.replacing(task.target) as temporary:
        origin = task.source_metadata() if task.source.exists() else {}
        with vector_writer(temporary, dimension, {**settings, **origin, "embedding": embedding.about}) as writer:
            reported = 0
            for piece in pieces:
                if piece.error is not None:
                    raise piece.error
                if not len(piece.vectors):
                    continue
                if statistics is None:
                    writer.append(piece.vectors, piece.timestamps)
                else:
                    statistics.add(piece.vectors)
                progress.advance(int(piece.timestamps[-1]) - reported)
                reported = int(piece.timestamps[-1])
            if statistics is not None:
                writer.append(statistics.vector(settings["pool"])[None], np.zeros(1))


class _Statistics:
    """Compute mean, maximum and standard deviation of vectors that come in pieces."""

    def __init__(self) -> None:
        self._n, self._mean, self._squares, self._max = 0, 0.0, 0.0, -np.inf

    def add(self, vectors: np.ndarray) -> None:
        for vector in vectors.astype(np.float64):
            self._n += 1
            step = vector - self._mean
            self._mean = self._mean + step / self._n
            self._squares = self._squares + step * (vector - self._mean)
        self._max = np.maximum(self._max, vectors.max(axis=0))

    def vector(self, names: list[str]) -> np.ndarray:
        values = {"mean": self._mean, "max": self._max, "std": np.sqrt(self._squares / self._n)}
        return np.concatenate([values[name] for name in names]).astype(np.float32)


def _seconds(path: Path) -> int:
    """Return the length of a sound by its header; 0 for a broken file, which is reported when its turn comes."""
    with contextlib.suppress(ClipError):
        return int(probe_media(path).duration or 0)
    return 0
