"""Embedding pictures alone: image files, and the frames of videos, a vector every so many seconds.

A still image has one vector, at second 0. A video has one at each multiple of the hop: of the frame that a player shows
then, its middle cut to the network's square.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from l3net.embeddings.interface import Piece
from l3net.embeddings.windows import Sounds
from l3net.errors import ClipError, ConfigError, L3Error
from l3net.files import files_below, holds
from l3net.media import probe_media
from l3net.vectors.audio_files import EmbedTask
from l3net.vectors.film import ImageEmbedding, image_vectors, load_image_embedding

_log = logging.getLogger("l3net")
IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"}


@dataclass(frozen=True)
class PictureEmbedding:
    """An embedding of images behind the interface of those of sound, for `embed_audio_files`; it opens files itself.

    Parameters
    ----------
    images : the embedding of images.
    """

    images: ImageEmbedding
    sample_rate: int = 0  # of sound, which it does not read

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self.images.dimension

    @property
    def about(self) -> dict[str, Any]:
        """Where the network comes from."""
        return self.images.about

    def embed(
        self, sounds: Sounds, *, hop_seconds: float = 0.1, center: bool = False, batch_size: int = 32
    ) -> Iterator[Piece]:
        """Yield the vectors of each file in pieces; the keys of `sounds` are tasks, and their blocks are not read.

        A file that cannot be read ends with its error, and the next follows. A time is that of its frame, so `center`
        changes nothing.
        """
        for task, _ in sounds:
            error, n_done = None, 0
            try:
                times = picture_times(task.source, hop_seconds)
                for vectors in image_vectors(task.source, self.images, times, batch_size):
                    yield Piece(task, vectors, times[n_done : n_done + len(vectors)])
                    n_done += len(vectors)
            except L3Error as broken:
                error = broken
            yield Piece(task, np.zeros((0, self.dimension), np.float32), np.zeros(0), is_last=True, error=error)


def load_picture_embedding(path: Path, precision: str = "float32") -> PictureEmbedding:
    """Load the embedding of images in a vision.keras, as `load_image_embedding` does, for files."""
    return PictureEmbedding(load_image_embedding(path, precision))


def picture_times(path: Path, hop_seconds: float) -> np.ndarray:
    """Return the times at which a file's picture is embedded: 0 of a still image, the multiples of the hop of a video.

    Raises
    ------
    ClipError
        The file is missing, not media, or has no picture.
    ConfigError
        A hop that is not above zero.
    """
    if not hop_seconds > 0:
        raise ConfigError(f"hop_seconds is {hop_seconds}; expected above 0")
    info = probe_media(path)
    if not info.has_video:
        raise ClipError(f"{path}: has no picture")
    n_times = max(int(np.ceil((info.duration or 0.0) / hop_seconds - 1e-6)), 1)
    return np.arange(n_times) * hop_seconds


def find_pictures(paths: list[Path], output: Path, suffix: str) -> list[EmbedTask]:
    """Return a task for each image or video. Folders are searched, by suffixes, and keep their structure.

    Raises
    ------
    ClipError
        No path exists, or a folder has no image or video.
    ConfigError
        Two files that would have the same target.
    """
    from l3net.acquisition.sources import VIDEO_SUFFIXES

    wanted, tasks = IMAGE_SUFFIXES | VIDEO_SUFFIXES, {}
    if paths and not any(holds(Path.exists, path) for path in paths):
        raise ClipError(f"{paths[0]}: no such file")
    for path in paths:
        failed: dict[str, str] = {}
        below = (
            [one for one in files_below(path, failed) if one.suffix.lower() in wanted]
            if holds(Path.is_dir, path)
            else [path]
        )
        for place, why in failed.items():
            _log.warning("%s: %s", path / place, why)
        if not below:
            raise ClipError(f"{path}: no images or videos in this folder")
        for one in below:
            name = one.relative_to(path if holds(Path.is_dir, path) else path.parent)
            task = EmbedTask(one, output / name.with_name(name.name + suffix))
            other = tasks.setdefault(task.target, task).source
            if other.resolve() != one.resolve():
                raise ConfigError(f"{other} and {one} would both be {task.target}; give the folder above them instead")
    return list(tasks.values())
