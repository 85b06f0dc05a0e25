"""Reading a shard, the HDF5 file with the samples of one part of one subset (layout: `shard_format`)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from l3net.errors import ShardError
from l3net.files import ForeignHdf5
from l3net.media import SAMPLE_RATE
from l3net.samples.shard_format import (
    CLIP,
    SAMPLE,
    SHARD_FORMAT,
    SHARD_VERSION,
    LeftOutClip,
    ShardTables,
    misfits,
)

_NOT_A_SHARD = "is not a shard: expected an HDF5 file written by make_shard; make it again (-R make_shard)"
_OF_DAMAGED_FILES = (OSError, LookupError, ValueError, TypeError, RuntimeError)  # what h5py raises


@dataclass(frozen=True)
class ClipData:
    """What the samples of one clip are made of.

    Attributes
    ----------
    samples : their recipes [shape=(samples_per_clip,), SAMPLE].
    jpeg : their images as JPEG files, one after another [uint8].
    ends : where each image begins in `jpeg`, and where the last one ends; samples_per_clip + 1 numbers.
    pcm : the clip's sound [shape=(n_samples,), int16].
    """

    samples: np.ndarray
    jpeg: np.ndarray
    ends: list[int]
    pcm: np.ndarray

    def image(self, sample: int) -> np.ndarray:
        """Return the JPEG bytes of the image of `sample`, counted within the clip [uint8]."""
        return self.jpeg[self.ends[sample] : self.ends[sample + 1]]


class Shard:
    """An open shard. Only the table of clips is kept in memory.

    Parameters
    ----------
    path : HDF5 file written by make_shard.

    Raises
    ------
    ShardError
        The file is missing, is no shard, is cut short, or has another format version.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        with self._one_line_errors():
            # No cache of chunks: readers read every byte once, and a feed has a hundred shards open.
            self.file = h5py.File(path, "r", rdcc_nbytes=0)
        try:
            with self._one_line_errors():
                self._open()
        except ShardError:
            self.file.close()
            raise

    def _open(self) -> None:
        attributes = self.file.attrs
        if attributes.get("format") != SHARD_FORMAT:
            raise ShardError(f"{self.path} {_NOT_A_SHARD}")
        if (version := int(attributes["format_version"])) != SHARD_VERSION:
            raise ShardError(
                f"{self.path} has shard format version {version}; this code reads version {SHARD_VERSION}: "
                "make it again (-R make_shard)"
            )
        self.attributes = dict(attributes)
        # The data must stand in the file itself: nothing that leads to another file, no shape that it has no bytes for.
        own = ForeignHdf5(self.file, self.path, self.path.stat().st_size, ShardError).dataset
        self.clips = own("clips")[:]
        self.labels = [labels.decode() for labels in own("labels")[:].tolist()]
        self.part = int(attributes["part"])
        self.samples = own("samples")
        self.pcm, self._jpeg = own("sound/pcm"), own("images/jpeg")
        self._offset = own("images/offset")
        if (fields := self.samples.dtype) != SAMPLE or self.clips.dtype != CLIP:
            raise ShardError(f"{self.path} has other tables than format version {version}: found {fields.names}")
        self._sound_starts = self.clips["sound_start"].tolist()
        self._pcm_space, self._second_space = self.pcm.id.get_space(), h5py.h5s.create_simple((SAMPLE_RATE,))
        plain = self.pcm.id.get_create_plist().get_nfilters() == 0 and self.pcm.dtype == np.int16
        plain &= self.pcm.chunks == (SAMPLE_RATE,) and self.file.driver == "sec2" and not self.file.userblock_size
        self._descriptor, self._last = self.file.id.get_vfd_handle() if plain else None, len(self.pcm) - SAMPLE_RATE
        self._places: dict[int, int] = {}  # of the chunks of the sound that were read, in the file
        self.n_samples, self.n_clips = len(self.samples), len(self.clips)
        if self.n_samples % max(self.n_clips, 1):
            raise ShardError(f"{self.path}: {self.n_samples} samples of {self.n_clips} clips; expected equal shares")

    def check(self) -> None:
        """Check that the tables fit each other, the sound and the images, and that no recipe points beside them.

        Raises
        ------
        ShardError
            They do not; the message names what does not fit.
        """
        with self._one_line_errors():
            attributes, n_jpeg, n_sound = self.attributes, len(self._jpeg), len(self.pcm)
            rows, ends, left_out = self.samples[:], self._offset[:], self.left_out()
            tables = ShardTables(self.clips, rows, ends, self.labels, left_out, n_jpeg, n_sound, attributes)
            wrong = misfits(tables) or ([] if self._images_are_jpeg(ends) else ["images"])
        if wrong:
            raise ShardError(f"{self.path} is damaged: {', '.join(wrong)} do not fit; make it again (-R make_shard)")

    def _images_are_jpeg(self, ends: np.ndarray) -> bool:
        """Return whether a JPEG file begins and ends where each image does; reads all images, a clip's at a time."""
        share = max(self.samples_per_clip, 1)
        for first in range(0, self.n_samples, share):
            edges = ends[first : first + share + 1]
            stored, inside = self._jpeg[edges[0] : edges[-1]], edges - edges[0]
            begins = np.stack([stored[inside[:-1]], stored[inside[:-1] + 1]])
            finishes = np.stack([stored[inside[1:] - 2], stored[inside[1:] - 1]])
            if (begins != [[0xFF], [0xD8]]).any() or (finishes != [[0xFF], [0xD9]]).any():
                return False
        return True

    def largest_image(self) -> int:
        """Return the size of the largest image, in bytes."""
        with self._one_line_errors():
            return int(np.diff(self._offset[:]).max(initial=0))

    @property
    def samples_per_clip(self) -> int:
        """Number of samples of every clip."""
        return self.n_samples // max(self.n_clips, 1)

    def left_out(self) -> list[LeftOutClip]:
        """Read the clips that were usable and are not in this shard, each with the reason."""
        rows = self.file["left_out"][:].tolist()
        return [LeftOutClip(ytid.decode(), start, end, reason.decode()) for ytid, start, end, reason in rows]

    def clip_data(self, clip: int) -> ClipData:
        """Read everything of one clip, in one piece each of recipes, images and sound."""
        with self._one_line_errors():
            row, share = self.clips[clip], self.samples_per_clip
            first, last = clip * share, (clip + 1) * share
            ends = self._offset[first : last + 1]
            start = int(row["sound_start"])
            return ClipData(
                samples=self.samples[first:last],
                jpeg=self._jpeg[ends[0] : ends[-1]],
                ends=(ends - ends[0]).tolist(),
                pcm=self.pcm[start : start + int(row["sound_length"])],
            )

    def image(self, sample: int) -> np.ndarray:
        """Read the JPEG bytes of the image of `sample`, counted over the whole shard [uint8]."""
        with self._one_line_errors():
            start, end = self._offset[sample : sample + 2]
            return self._jpeg[start:end]

    def window(self, clip: int, start: int, into: np.ndarray) -> None:
        """Read one second of the sound of `clip`, from sample `start` on, into `into` [shape=(48000,), int16]."""
        try:  # a context manager takes as long as a fourth of the reading
            first = self._sound_starts[clip] + int(start)
            if self._descriptor is not None and 0 <= first <= self._last:
                # HDF5 takes twice as long as reading the two chunks where they lie in the file
                chunk, skipped = divmod(first, SAMPLE_RATE)
                self._read_of_chunk(chunk, skipped, into[: SAMPLE_RATE - skipped])
                if skipped:
                    self._read_of_chunk(chunk + 1, 0, into[SAMPLE_RATE - skipped :])
            else:
                # h5py's low-level calls: `self.pcm[...]` takes as long as reading the second of sound itself
                self._pcm_space.select_hyperslab((first,), (SAMPLE_RATE,))
                self.pcm.id.read(self._second_space, self._pcm_space, into)
        except _OF_DAMAGED_FILES as error:
            raise self._in_one_line(error) from None

    def _read_of_chunk(self, chunk: int, skipped: int, into: np.ndarray) -> None:
        """Read a stretch of a second of the sound as it is stored, from its sample `skipped` on."""
        place = self._places.get(chunk)
        if place is None:
            place = self.pcm.id.get_chunk_info_by_coord((chunk * SAMPLE_RATE,)).byte_offset
            if place is None:
                raise OSError(f"second {chunk} of its sound is not stored")
            self._places[chunk] = place
        if os.preadv(self._descriptor, [into], place + skipped * into.itemsize) != into.nbytes:
            raise OSError(f"second {chunk} of its sound is cut short")

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def __enter__(self) -> "Shard":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _one_line_errors(self) -> Iterator[None]:
        """Turn what h5py raises on a damaged file into a `ShardError` of one line."""
        try:
            yield
        except _OF_DAMAGED_FILES as error:
            raise self._in_one_line(error) from None

    def _in_one_line(self, error: Exception) -> ShardError:
        if isinstance(error, FileNotFoundError):
            return ShardError(f"{self.path} does not exist; make it (make_shard)")
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        return ShardError(f"{self.path} {_NOT_A_SHARD} ({reason})")
