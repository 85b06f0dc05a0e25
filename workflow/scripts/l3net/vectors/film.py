"""Embedding the sound and the picture of a film at the same times.

A time's image is the frame that begins nearest to it, the middle of that frame cut to the network's square; a frame
that is shown for more than a second is one until the next begins. A time's sound is the window there. Before the first
frame and behind the last one these are shown. Times end with the sound.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from l3net import inference
from l3net.embeddings import WindowEmbedding, load_keras_embedding, load_network, load_onnx_network, read_metadata
from l3net.errors import ClipError, WeightsError
from l3net.files import atomic, read_kept, stable_hash
from l3net.media import audio_blocks, frames_at
from l3net.runtime import Progress
from l3net.samples import FrameScaler
from l3net.vectors.embed_tasks import EmbedOutcome, EmbedTask
from l3net.vectors.vector_file import read_timestamps, vector_writer

if TYPE_CHECKING:
    from collections.abc import Callable

_TIMES_AT_ONCE = 1024  # vectors that are held, 32 MB at 8192 values
_SCALED_TO_CROP = 256 / 224  # shorter side of a frame before the crop, as in the paper and in openl3


@dataclass(frozen=True)
class ImageEmbedding:
    """Embed images.

    Parameters
    ----------
    network : float32 [batch, size, size, 3] in [-1, 1] -> float32 [batch, dimension].
    dimension : length of a vector.
    image_size : pixels of an image's side.
    about : where it comes from.
    """

    network: "Callable[[np.ndarray], np.ndarray]"
    dimension: int
    image_size: int
    about: dict[str, Any]


def load_image_embedding(path: Path | str, precision: str = "float32") -> ImageEmbedding:
    """Load the embedding of images in a vision.keras, or in an .onnx made of one.

    Raises
    ------
    ConfigError, WeightsError
        A precision that is unknown or not an .onnx's own; a file that cannot be read, or one of sound.
    """
    inference.check_precision(precision)
    path = Path(path)
    if (kind := read_metadata(path)["kind"]) != "l3-vision":
        raise WeightsError(f"{path}: is of kind {kind}; expected one of images, a vision.keras")
    if path.suffix == ".onnx":
        ready, about = load_onnx_network(path, precision)
        return ImageEmbedding(ready, about["dimension"], about["image_size"], about)
    network, about = load_network(path)
    prepared = inference.prepare_for_inference(network, precision)
    return ImageEmbedding(prepared, network.output_shape[-1], network.input_shape[1], dict(about))


def embed_film(
    path: Path | str,
    *,
    sound_model: Path | str | WindowEmbedding,
    image_model: Path | str | ImageEmbedding,
    hop_seconds: float = 0.1,
    center: bool = False,
    batch_size: int = 32,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute the vectors of a film's sound and of its picture at the same times.

    Parameters
    ----------
    path : a video with sound.
    sound_model, image_model : an embedding.keras and a vision.keras, or what was loaded of them.
    hop_seconds : seconds from one time to the next.
    center : whether a time is the centre of its window of sound or its start; the image is that of the time.
    batch_size : windows or images that a network is given at a time.

    Returns
    -------
    sound : np.ndarray float32 [shape=(n, d)]
    images : np.ndarray float32 [shape=(n, d of images)]
    timestamps : np.ndarray float64 [shape=(n,)] in seconds

    Raises
    ------
    ClipError
        A film without sound or picture, or one that is damaged.
    ConfigError, WeightsError
        A hop or a model that cannot be used.
    """
    path = Path(path)
    heard = load_keras_embedding(sound_model) if isinstance(sound_model, str | Path) else sound_model
    seen = load_image_embedding(image_model) if isinstance(image_model, str | Path) else image_model
    sounds = [(str(path), audio_blocks(path, heard.sample_rate))]
    vectors, times = [], []
    for piece in heard.embed(sounds, hop_seconds=hop_seconds, center=center, batch_size=batch_size):
        if piece.error is not None:
            raise piece.error
        vectors.append(piece.vectors)
        times.append(piece.timestamps)
    timestamps = np.concatenate(times)
    images = np.concatenate(list(image_vectors(path, seen, timestamps, batch_size)))
    return np.concatenate(vectors), images, timestamps


def embed_pictures(
    load: "Callable[[], ImageEmbedding]",
    tasks: list[EmbedTask],
    *,
    batch_size: int = 32,
    overwrite: bool = False,
    about: dict[str, Any] | None = None,
) -> EmbedOutcome:
    """Embed the picture of films whose sound was embedded, at the times of its vectors.

    Parameters
    ----------
    load : returns the embedding; called only when a film is waiting.
    tasks : films and the files of their sound's vectors; the picture's go beside each, as ``film.mp4.image.npz``.
    batch_size : images that the network is given at a time.
    overwrite : whether to embed again what is done.
    about : what else the vectors depend on; it is compared and written with them.
    """
    outcome, settings, embedding = EmbedOutcome(), dict(about or {}), None
    with Progress("embedding pictures", len(tasks), "films") as progress:
        for task in tasks:
            if (times := read_kept(task.target, read_timestamps)) is None:
                progress.advance(1)
                continue  # its sound failed, which was told
            own = EmbedTask(task.source, task.target.with_suffix(f".image{task.target.suffix}"))
            # So that another hop of the sound makes the picture's vectors anew.
            expected = {**settings, "times": stable_hash(times.tobytes().hex())}
            if outcome.is_waiting(own, expected, overwrite=overwrite):
                embedding = embedding or load()
                with outcome.of_one_file():
                    _write_pictures(own, embedding, times, batch_size, expected)
            progress.advance(1)
    return outcome


def _write_pictures(
    task: EmbedTask, embedding: ImageEmbedding, times: np.ndarray, batch_size: int, about: dict[str, Any]
) -> None:
    origin = {**about, **task.source_metadata(), "embedding": embedding.about}
    with (
        atomic.replacing(task.target) as temporary,
        vector_writer(temporary, embedding.dimension, origin) as writer,
    ):
        n_done = 0
        for vectors in image_vectors(task.source, embedding, times, batch_size):
            writer.append(vectors, times[n_done : n_done + len(vectors)])
            n_done += len(vectors)


def image_vectors(path: Path, embedding: ImageEmbedding, times: np.ndarray, batch_size: int) -> Iterator[np.ndarray]:
    """Yield the vectors of a video's picture at ascending times, some at a time; equal frames are computed once.

    Raises
    ------
    ClipError
        A file without a picture, or one that is damaged; a vector that is not finite.
    """
    middle, n_done = _Middle(embedding.image_size), 0
    images, counts = [], []  # frames not embedded yet, and at how many times each is shown

    def vectors() -> Iterator[np.ndarray]:
        made, rows = embedding.network(np.stack(images)), np.repeat(np.arange(len(images)), counts)
        if not (finite := np.isfinite(made).all(axis=1)[rows]).all():
            at = times[n_done + int(finite.argmin())]
            raise ClipError(f"{path}: the image's vector at {at:.2f} s holds values that are not finite numbers")
        images.clear()
        counts.clear()
        for first in range(0, len(rows), _TIMES_AT_ONCE):  # a slide may be shown for an hour
            yield made[rows[first : first + _TIMES_AT_ONCE]]

    last = None
    for frame in frames_at(path, times):
        if frame is last:
            counts[-1] += 1
            continue
        if len(images) == batch_size:
            n_now = sum(counts)
            yield from vectors()
            n_done += n_now
        images.append(middle(frame))
        counts.append(1)
        last = frame
    if images:
        yield from vectors()


class _Middle:
    """Cuts the middle square of upright frames, scaled as training's are, float32 [size, size, 3] in [-1, 1]."""

    def __init__(self, size: int) -> None:
        self.size, self._scaler, self._kind = size, None, None

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        if (kind := (frame.width, frame.height, frame.format.name)) != self._kind:
            self._scaler, self._kind = FrameScaler(frame, round(self.size * _SCALED_TO_CROP)), kind
        upright = np.rot90(self._scaler.scale(frame), round(frame.rotation / 90))
        top, left = ((side - self.size) // 2 for side in upright.shape[:2])
        return upright[top : top + self.size, left : left + self.size].astype(np.float32) / 127.5 - 1.0
