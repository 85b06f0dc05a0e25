"""Reading a shard: the HDF5 file of the samples of one part of one subset (layout: `shard_format`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from l3net.errors import ShardError
from l3net.media import SAMPLE_RATE
from l3net.samples.shard_format import CLIP, SAMPLE, SHARD_FORMAT, SHARD_VERSION

_NOT_A_SHARD = "is not a shard: expected an HDF5 file written by make_shard; make it again (-R make_shard)"


@dataclass(frozen=True)
class ClipData:
    """What the samples of one clip are made of: their recipes, their images as JPEG bytes, the clip's sound."""

    samples: np.ndarray
    jpeg: np.ndarray
    ends: list[int]
    pcm: np.ndarray

    def image(self, sample: int) -> np.ndarray:
        """Return the JPEG bytes of the image of a sample, counted within the clip [uint8]."""
        return self.jpeg[self.ends[sample] : self.ends[sample + 1]]


class Shard:
    """An open shard. Only the table of clips is kept in memory.

    Raises
    ------
    ShardError
        A file that is missing, foreign, cut short or of another format version.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        with self._refusing():
            # No cache of chunks: readers take every byte once, and a feed has a hundred shards open.
            self.file = h5py.File(path, "r", rdcc_nbytes=0)
        try:
            with self._refusing():
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
        self.clips = self.file["clips"][:]
        self.labels = [labels.decode() for labels in self.file["labels"][:].tolist()]
        self.part = int(attributes["part"])
        self.samples = self.file["samples"]
        self.pcm, self._jpeg = self.file["sound/pcm"], self.file["images/jpeg"]
        self._offset = self.file["images/offset"]
        if (fields := self.samples.dtype) != SAMPLE or self.clips.dtype != CLIP:
            raise ShardError(f"{self.path} has other tables than format version {version}: found {fields.names}")
        self._place, self._second = self.pcm.id.get_space(), h5py.h5s.create_simple((SAMPLE_RATE,))
        self.n_samples, self.n_clips = len(self.samples), len(self.clips)
        if self.n_samples % max(self.n_clips, 1):
            raise ShardError(f"{self.path}: {self.n_samples} samples of {self.n_clips} clips; expected equal shares")

    def check(self) -> None:
        """Refuse a shard whose tables do not fit each other: no recipe may point beside what is stored.

        Raises
        ------
        ShardError
            Such a shard.
        """
        with self._refusing():
            rows, ends = self.samples[:], self._offset[:]
            lengths = self.clips["sound_length"]
            fits = {
                "images": len(ends) == len(rows) + 1,
                "JPEG bytes": ends[-1] == len(self._jpeg) and not (np.diff(ends) <= 0).any(),
                "sound": lengths.sum() == len(self.pcm),
                "clips of recipes": np.array_equal(rows["clip"], np.arange(len(rows)) // max(self.samples_per_clip, 1)),
                "windows of recipes": _within(rows["sound"], self.n_clips - 1)
                and _within(rows["start"], lengths[rows["sound"]] - SAMPLE_RATE),
            }
        if wrong := [name for name, right in fits.items() if not right]:
            raise ShardError(f"{self.path} is damaged: {', '.join(wrong)} do not fit; make it again (-R make_shard)")

    def largest_image(self) -> int:
        """Return the bytes of the largest image."""
        with self._refusing():
            return int(np.diff(self._offset[:]).max(initial=0))

    @property
    def samples_per_clip(self) -> int:
        """Samples of every clip."""
        return self.n_samples // max(self.n_clips, 1)

    def left_out(self) -> list[tuple[str, float, float, str]]:
        """Return the clips that are not in this shard, each with the reason."""
        return [(row[0].decode(), row[1], row[2], row[3].decode()) for row in self.file["left_out"][:].tolist()]

    def clip_data(self, clip: int) -> ClipData:
        """Return everything of one clip, read in sequence."""
        with self._refusing():
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
        """Return the JPEG bytes of the image of a sample, counted over the whole shard [uint8]."""
        with self._refusing():
            start, end = self._offset[sample : sample + 2]
            return self._jpeg[start:end]

    def window(self, clip: int, start: int, into: np.ndarray) -> None:
        """Read one second of the sound of `clip` from sample `start` on into `into` [shape=(48000,), int16]."""
        with self._refusing():
            first = int(self.clips["sound_start"][clip]) + int(start)
            # h5py's own calls: the convenient one takes as long as the second of sound itself
            self._place.select_hyperslab((first,), (SAMPLE_RATE,))
            self.pcm.id.read(self._second, self._place, into)

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def __enter__(self) -> "Shard":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Turn what h5py raises on a damaged file into one line."""
        try:
            yield
        except FileNotFoundError:
            raise ShardError(f"{self.path} does not exist; make it (make_shard)") from None
        except (OSError, LookupError, ValueError, TypeError, RuntimeError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ShardError(f"{self.path} {_NOT_A_SHARD} ({reason})") from None


def _within(values: np.ndarray, last: np.ndarray | int) -> bool:
    return bool(((values >= 0) & (values <= last)).all())
