"""The HDF5 file of the samples of one part of one subset: its layout, writing it, reading it.

Frames and sound are stored once; a sample is a recipe, a row of the table ``samples``. docs/formats.md describes every
field. Conventions: sound in samples at 48 kHz; frame times in seconds from the clip's start; clips in the order of the
list, their samples one after another, as many of every clip.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from l3net.errors import ShardError

FORMAT = "l3net-shard"
FORMAT_VERSION = 1
SAMPLE_RATE = 48000
CLIP = np.dtype(
    [
        ("ytid", "S11"),
        ("start_seconds", "<f8"),
        ("end_seconds", "<f8"),
        ("row", "<i4"),
        ("width", "<i2"),
        ("height", "<i2"),
        ("first_frame", "<i4"),
        ("n_frames", "<i4"),
        ("sound_start", "<i8"),
        ("sound_length", "<i8"),
    ]
)
SAMPLE = np.dtype(
    [
        ("n", "<i8"),
        ("clip", "<i4"),
        ("frame", "<i4"),
        ("sound", "<i4"),
        ("start", "<i4"),
        ("label", "u1"),
        ("crop_y", "<i2"),
        ("crop_x", "<i2"),
        ("flip", "u1"),
        ("saturation", "<f4"),
        ("brightness", "<f4"),
        ("saturation_first", "u1"),
        ("gain", "<f4"),
    ]
)
LEFT_OUT = ("ytid", "start_seconds", "end_seconds", "reason")
_JPEG_CHUNK = 1 << 18
_NOT_A_SHARD = "is not a shard: expected an HDF5 file written by make_shard; make it again (-R make_shard)"


class ShardWriter:
    """Writes a shard clip by clip; memory holds one clip at a time.

    Parameters
    ----------
    path : the file to write, normally a temporary name.
    attributes : everything that says what this shard is and where it comes from.
    """

    def __init__(self, path: Path, attributes: Mapping[str, Any]) -> None:
        self.file = h5py.File(path, "w", libver="v110")
        self.file.attrs.update({"format": FORMAT, "format_version": FORMAT_VERSION, **attributes})
        self._jpeg = _growing(self.file, "frames/jpeg", np.uint8, _JPEG_CHUNK)
        self._pcm = _growing(self.file, "sound/pcm", np.dtype("<i2"), SAMPLE_RATE)
        self._ends, self._times, self._clips, self._labels = [0], [], [], []

    def add_clip(self, frames: list[bytes], times: np.ndarray, pcm: np.ndarray, labels: str, **fields: Any) -> int:
        """Append a clip's frames (JPEG), their times in seconds and its sound (int16); return the clip's number."""
        row = np.zeros((), CLIP)
        for name, value in fields.items():
            row[name] = value
        row["first_frame"], row["n_frames"] = len(self._times), len(frames)
        row["sound_start"], row["sound_length"] = len(self._pcm), len(pcm)
        _append(self._jpeg, np.frombuffer(b"".join(frames), np.uint8))
        _append(self._pcm, pcm)
        self._ends.extend(self._ends[-1] + np.cumsum([len(frame) for frame in frames]))
        self._times.extend(times)
        self._clips.append(row)
        self._labels.append(labels.encode())
        return len(self._clips) - 1

    def pcm(self, clip: int) -> np.ndarray:
        """Return the sound of a clip that was added, int16."""
        start = int(self._clips[clip]["sound_start"])
        return self._pcm[start : start + int(self._clips[clip]["sound_length"])]

    def clip_key(self, clip: int) -> tuple[str, float, float]:
        """Return the video id, start and end of a clip that was added."""
        row = self._clips[clip]
        return row["ytid"].item().decode(), row["start_seconds"].item(), row["end_seconds"].item()

    def clip_field(self, name: str) -> np.ndarray:
        """Return a field of the clips that were added [shape=(n_clips,)]."""
        return np.array(self._clips, CLIP)[name]

    def finish(self, samples: np.ndarray, left_out: list[tuple[str, float, float, str]]) -> None:
        """Write the tables and close the file."""
        self.file.attrs["n_samples"] = len(samples)
        self.file.attrs["n_clips"] = len(self._clips)
        self.file["frames/offset"] = np.array(self._ends, "<i8")
        self.file["frames/time"] = np.array(self._times, "<f8")
        self.file["clips"] = np.array(self._clips, CLIP)
        self.file["labels"] = np.array(self._labels or [], f"S{max([1, *map(len, self._labels)])}")
        self.file.create_dataset("samples", data=samples.astype(SAMPLE))
        kinds = ["S11", "<f8", "<f8", f"S{max([1, *(len(row[3].encode()) for row in left_out)])}"]
        rows = [(ytid.encode(), start, end, reason.encode()) for ytid, start, end, reason in left_out]
        self.file["left_out"] = np.array(rows, list(zip(LEFT_OUT, kinds, strict=True)))
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def _growing(file: h5py.File, name: str, dtype: np.dtype, chunk: int) -> h5py.Dataset:
    return file.create_dataset(name, (0,), dtype, maxshape=(None,), chunks=(chunk,), track_times=False)


def _append(dataset: h5py.Dataset, values: np.ndarray) -> None:
    n = len(dataset)
    dataset.resize((n + len(values),))
    dataset[n:] = values


@dataclass(frozen=True)
class ClipData:
    """What the samples of one clip are made of: the recipes, the bytes of its frames, its sound."""

    samples: np.ndarray
    jpeg: np.ndarray
    ends: np.ndarray
    pcm: np.ndarray

    def frame(self, frame: int) -> memoryview:
        """Return the JPEG bytes of the clip's `frame`, counted from the clip's first."""
        base = self.ends[0]
        return self.jpeg[self.ends[frame] - base : self.ends[frame + 1] - base].data


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
            self.file = h5py.File(path, "r")
        try:
            with self._refusing():
                self._open()
        except ShardError:
            self.file.close()
            raise

    def _open(self) -> None:
        attributes = self.file.attrs
        if attributes.get("format") != FORMAT:
            raise ShardError(f"{self.path} {_NOT_A_SHARD}")
        if (version := int(attributes["format_version"])) != FORMAT_VERSION:
            raise ShardError(
                f"{self.path} has shard format version {version}; this code reads version {FORMAT_VERSION}: "
                "make it again (-R make_shard)"
            )
        self.attributes = dict(attributes)
        self.clips = self.file["clips"][:]
        self.labels = self.file["labels"][:]
        self.samples = self.file["samples"]
        self.pcm, self._jpeg = self.file["sound/pcm"], self.file["frames/jpeg"]
        self._offset = self.file["frames/offset"]
        if (fields := self.samples.dtype) != SAMPLE or self.clips.dtype != CLIP:
            raise ShardError(f"{self.path} has other tables than format version {version}: found {fields.names}")
        self.n_samples, self.n_clips = len(self.samples), len(self.clips)
        if self.n_samples % max(self.n_clips, 1):
            raise ShardError(f"{self.path}: {self.n_samples} samples of {self.n_clips} clips; expected equal shares")

    def largest_frame(self) -> int:
        """Return the bytes of the largest frame."""
        with self._refusing():
            return int(np.diff(self._offset[:]).max(initial=0))

    @property
    def samples_per_clip(self) -> int:
        """Samples of every clip."""
        return self.n_samples // max(self.n_clips, 1)

    def frame_times(self) -> np.ndarray:
        """Return when each frame is shown, in seconds from its clip's start."""
        with self._refusing():
            return self.file["frames/time"][:]

    def left_out(self) -> list[tuple[str, float, float, str]]:
        """Return the clips that are not in this shard, each with the reason."""
        return [(row[0].decode(), row[1], row[2], row[3].decode()) for row in self.file["left_out"][:].tolist()]

    def clip_data(self, clip: int) -> ClipData:
        """Return everything of one clip, read in sequence."""
        with self._refusing():
            row, share = self.clips[clip], self.samples_per_clip
            first, n = int(row["first_frame"]), int(row["n_frames"])
            ends = self._offset[first : first + n + 1]
            start = int(row["sound_start"])
            return ClipData(
                samples=self.samples[clip * share : (clip + 1) * share],
                jpeg=self._jpeg[ends[0] : ends[-1]],
                ends=ends,
                pcm=self.pcm[start : start + int(row["sound_length"])],
            )

    def frame(self, frame: int) -> bytes:
        """Return the JPEG bytes of a frame, counted over the whole shard."""
        with self._refusing():
            start, end = self._offset[frame : frame + 2]
            return self._jpeg[start:end].tobytes()

    def window(self, clip: int, start: int, into: np.ndarray) -> None:
        """Read one second of the sound of `clip` from sample `start` on into `into` [shape=(48000,), int16]."""
        with self._refusing():
            first = int(self.clips["sound_start"][clip]) + int(start)
            self.pcm.read_direct(into, np.s_[first : first + SAMPLE_RATE])

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
        except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ShardError(f"{self.path} {_NOT_A_SHARD} ({reason})") from None
