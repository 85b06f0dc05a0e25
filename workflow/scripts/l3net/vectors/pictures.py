"""Embedding pictures alone: image files, and the frames of videos, a vector every so many seconds.

A still image has one vector, at second 0. A video has one at each multiple of the hop: of the frame that a player shows
then, its middle cut to the network's square.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from l3net.embeddings.interface import Piece
from l3net.embeddings.windows import Sounds
from l3net.errors import ClipError, ConfigError, L3Error
from l3net.media import probe_media
from l3net.vectors.embed_tasks import EmbedTask, find_tasks
from l3net.vectors.film import ImageEmbedding, image_vectors, load_image_embedding

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
    """Return a task for each image or video of `paths`, as `find_tasks` does, with its errors.

    In a folder all files are tried that have the suffix of an image or a video.
    """
    from l3net.acquisition.sources import VIDEO_SUFFIXES

    def is_wanted(path: Path) -> bool:
        return path.suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES

    return find_tasks(paths, output, suffix, is_wanted=is_wanted, what="images or videos")
