"""Embedding pictures alone: image files, and the frames of videos, a vector every so many seconds.

A still image has one vector, at second 0. A video has one at each multiple of the hop: of the frame that a player shows
then, its middle cut to the network's square.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from l3net import inference
from l3net.embeddings import load_network, read_keras_metadata
from l3net.embeddings.interface import Piece
from l3net.embeddings.windows import Sounds
from l3net.errors import ClipError, ConfigError, L3Error, WeightsError
from l3net.files import files_below
from l3net.media import probe_media
from l3net.media.container import first_track, open_container, refuse_damage
from l3net.vectors.audio_files import EmbedTask

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
_SCALED_TO_CROP = 256 / 224  # shorter side of a frame before the crop, as in the paper and in openl3


@dataclass(frozen=True)
class PictureEmbedding:
    """An embedding of images behind the interface of those of sound, for `embed_audio_files`; it opens files itself.

    Parameters
    ----------
    network : float32 [batch, size, size, 3] in [-1, 1] -> float32 [batch, dimension].
    dimension : length of a vector.
    image_size : pixels of an image's side.
    about : where it comes from.
    """

    network: Callable[[np.ndarray], np.ndarray]
    dimension: int
    image_size: int
    about: dict[str, Any]
    sample_rate: int = 0  # of sound, which it does not read

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
                for vectors in self._vectors(task.source, times, batch_size):
                    yield Piece(task, vectors, times[n_done : n_done + len(vectors)])
                    n_done += len(vectors)
            except L3Error as broken:
                error = broken
            yield Piece(task, np.zeros((0, self.dimension), np.float32), np.zeros(0), is_last=True, error=error)

    def _vectors(self, path: Path, times: np.ndarray, batch_size: int) -> Iterator[np.ndarray]:
        images: list[np.ndarray] = []
        n_done = 0
        for frame in _frames_shown(path, times):
            images.append(_middle(frame, self.image_size))
            if len(images) == batch_size:
                yield self._checked(path, images, times[n_done:])
                n_done, images = n_done + len(images), []
        if images:
            yield self._checked(path, images, times[n_done:])

    def _checked(self, path: Path, images: list[np.ndarray], times: np.ndarray) -> np.ndarray:
        vectors = np.asarray(self.network(np.stack(images)))
        if not (finite := np.isfinite(vectors).all(axis=1)).all():
            at = times[int(finite.argmin())]
            raise ClipError(f"{path}: the image's vector at {at:.2f} s holds values that are not finite numbers")
        return vectors


def load_picture_embedding(path: Path, precision: str = "float32") -> PictureEmbedding:
    """Load the embedding of images in a vision.keras.

    Raises
    ------
    ConfigError
        An unknown precision.
    WeightsError
        A file that cannot be read, or an embedding of sound.
    """
    inference.check_precision(precision)
    if (kind := read_keras_metadata(path)["kind"]) != "l3-vision":
        raise WeightsError(f"{path}: is of kind {kind}; expected one of images, a vision.keras")
    network, about = load_network(path)
    prepared = inference.prepare_for_inference(network, precision)
    return PictureEmbedding(prepared, network.output_shape[-1], network.input_shape[1], dict(about))


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
    if paths and not any(path.exists() for path in paths):
        raise ClipError(f"{paths[0]}: no such file")
    for path in paths:
        below = [one for one in files_below(path, {}) if one.suffix.lower() in wanted] if path.is_dir() else [path]
        if not below:
            raise ClipError(f"{path}: no images or videos in this folder")
        for one in below:
            name = one.relative_to(path if path.is_dir() else path.parent)
            task = EmbedTask(one, output / name.with_name(name.name + suffix))
            other = tasks.setdefault(task.target, task).source
            if other.resolve() != one.resolve():
                raise ConfigError(f"{other} and {one} would both be {task.target}; give the folder above them instead")
    return list(tasks.values())


def _frames_shown(path: Path, times: np.ndarray) -> Iterator[av.VideoFrame]:
    """Yield the frame that is shown at each of ascending times; before the first frame that one, behind the last it."""
    shown, n = None, 0
    with open_container(path, failing="cannot be decoded") as container:
        if (track := first_track(container, "video")) is None:
            raise ClipError(f"{path}: has no picture that can be decoded")
        refuse_damage(track)
        start, half = (container.start_time or 0) / av.time_base, 0.5 / float(track.average_rate or 25)
        for frame in container.decode(track):
            at = 0.0 if frame.time is None else frame.time - start
            while shown is not None and n < len(times) and times[n] + half < at:
                yield shown
                n += 1
            shown = frame
            if n == len(times):
                return
    if shown is None:
        raise ClipError(f"{path}: has no picture that can be decoded")
    yield from [shown] * (len(times) - n)


def _middle(frame: av.VideoFrame, size: int) -> np.ndarray:
    """Return the middle square of an upright frame [shape=(size, size, 3)], float32 in [-1, 1]."""
    factor = size * _SCALED_TO_CROP / min(frame.width, frame.height)
    width, height = (max(round(side * factor), size) for side in (frame.width, frame.height))
    pixels = frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="AREA")
    upright = np.rot90(pixels, round(frame.rotation / 90))
    top, left = ((side - size) // 2 for side in upright.shape[:2])
    return upright[top : top + size, left : left + size].astype(np.float32) / 127.5 - 1.0
