"""Embedding sound files, many or long: which files, what is done already, and one file of vectors for each.

Files share the batches of the network. A file that breaks is reported and the rest goes on. Memory is bounded by a few
batches, whatever the length of a file: vectors go to disk as they come.
"""

import contextlib
import itertools
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from l3net.embeddings.interface import Embedding, Piece
from l3net.embeddings.vector_file import read_vector_metadata, vector_writer
from l3net.errors import ClipError, ConfigError
from l3net.media import audio_blocks, probe_media
from l3net.runtime import Progress, atomic

POOLS = ("mean", "max", "std")
_NOT_SOUND = {".csv", ".txt", ".json", ".md", ".pdf", ".xml", ".yaml", ".html", ".npz", ".npy", ".h5", ".parquet"}
_log = logging.getLogger("l3net")


@dataclass(frozen=True)
class EmbedTask:
    """One file to embed and the file of vectors it becomes."""

    source: Path
    target: Path


@dataclass
class EmbedOutcome:
    """What became of the files."""

    done: int = 0
    skipped: int = 0
    failed: list[str] = field(default_factory=list)


def find_audio_files(paths: list[Path], output: Path, suffix: str) -> list[EmbedTask]:
    """Return a task for each file; folders are searched, and keep their structure under `output`.

    The target of ``dog.wav`` is ``dog.wav.npz``: two formats of one name do not collide.

    Raises
    ------
    ClipError
        A path that does not exist, or a folder without files.
    ConfigError
        Two files that would be written to one.
    """
    tasks: dict[Path, EmbedTask] = {}
    for path in paths:
        found = [(path, Path(path.name))]
        if path.is_dir():
            found = [(file, file.relative_to(path)) for file in sorted(path.rglob("*")) if _may_be_sound(file)]
        if not found or not path.exists():
            raise ClipError(f"{path}: {'no files in this folder' if path.is_dir() else 'no such file'}")
        for source, name in found:
            target = output / name.with_name(name.name + suffix)
            other = tasks.setdefault(target, EmbedTask(source, target)).source
            if other.resolve() != source.resolve():
                raise ConfigError(f"{other} and {source} would both be {target}; give the folder above them instead")
    return list(tasks.values())


def _may_be_sound(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.suffix.lower() not in _NOT_SOUND


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
    """Embed every file that is not done yet.

    Parameters
    ----------
    load : gives the embedding; called only when there is something to embed.
    pool : of `POOLS`; given, one vector a file: these over time, one behind the other.
    overwrite : also those whose file of vectors is there and was made with the same settings.
    about : further metadata that decide whether a file is done, e.g. the model's digest.
    """
    if unknown := [name for name in pool if name not in POOLS]:
        raise ConfigError(f"pooling over time by {unknown[0]!r} is unknown; expected some of {', '.join(POOLS)}")
    settings = {"hop_seconds": hop_seconds, "center": center, "pool": list(pool), **(about or {})}
    waiting = [task for task in tasks if overwrite or not _is_done(task, settings)]
    outcome = EmbedOutcome(skipped=len(tasks) - len(waiting))
    if not waiting:
        return outcome
    embedding = load()
    sounds = ((task, audio_blocks(task.source, embedding.sample_rate)) for task in waiting)
    pieces = embedding.embed(sounds, hop_seconds=hop_seconds, center=center, batch_size=batch_size)
    seconds = {task: _seconds(task.source) for task in waiting}
    with contextlib.closing(pieces), Progress("embedding", sum(seconds.values()) or None, "s of sound") as progress:
        for task, own in itertools.groupby(pieces, key=lambda piece: piece.key):
            behind = progress.done + seconds[task]
            try:
                _write(task, own, embedding, settings, progress)
                outcome.done += 1
            except ClipError as error:
                outcome.failed.append(str(error))
                _log.error("%s", error)
            progress.advance(max(behind - progress.done, 0))
    return outcome


def _is_done(task: EmbedTask, settings: dict[str, Any]) -> bool:
    held = read_vector_metadata(task.target)
    wanted = {**settings, **_origin(task)} if held and task.source.exists() else None
    return wanted is not None and all(held.get(key) == value for key, value in wanted.items())


def _origin(task: EmbedTask) -> dict[str, Any]:
    found = task.source.stat()
    return {"source": str(task.source), "source_bytes": found.st_size, "source_modified": found.st_mtime}


def _write(
    task: EmbedTask, pieces: Iterator[Piece], embedding: Embedding, settings: dict[str, Any], progress: Progress
) -> None:
    """Write the vectors of one file, or raise its error and leave nothing."""
    pool = settings["pool"]
    dimension = embedding.dimension * max(1, len(pool))
    with atomic.replacing(task.target) as temporary:
        metadata = {**settings, **(_origin(task) if task.source.exists() else {}), "embedding": embedding.about}
        with vector_writer(temporary, dimension, metadata) as writer:
            pooled, seconds = _Pooled(), 0
            for piece in pieces:
                if piece.error is not None:
                    raise piece.error
                if not len(piece.vectors):
                    continue
                pooled.add(piece.vectors) if pool else writer.append(piece.vectors, piece.timestamps)
                progress.advance(int(piece.timestamps[-1]) - seconds)
                seconds = int(piece.timestamps[-1])
            if pool:
                writer.append(pooled.vector(pool)[None], np.zeros(1))


class _Pooled:
    """Mean, maximum and standard deviation of vectors that come in pieces."""

    def __init__(self) -> None:
        self._n, self._mean, self._squares, self._max = 0, 0.0, 0.0, -np.inf

    def add(self, vectors: np.ndarray) -> None:
        for vector in vectors.astype(np.float64):
            self._n += 1
            step = vector - self._mean
            self._mean = self._mean + step / self._n
            self._squares = self._squares + step * (vector - self._mean)
        self._max = np.maximum(self._max, vectors.max(axis=0))

    def vector(self, pool: list[str]) -> np.ndarray:
        std = np.sqrt(self._squares / self._n)
        values = {"mean": self._mean, "max": self._max, "std": std}
        return np.concatenate([values[name] for name in pool]).astype(np.float32)


def _seconds(path: Path) -> int:
    """Return how long a sound is by its header; a broken one counts nothing, it is reported in its turn."""
    with contextlib.suppress(ClipError):
        return int(probe_media(path).duration or 0)
    return 0
