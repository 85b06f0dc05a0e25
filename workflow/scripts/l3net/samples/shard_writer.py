"""Writing a shard, clip by clip: every sound once, of every sample its image and its recipe."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from l3net.media import SAMPLE_RATE
from l3net.samples.shard_format import CLIP, LEFT_OUT, SAMPLE, SHARD_FORMAT, SHARD_VERSION

_JPEG_CHUNK = 1 << 18


class ShardWriter:
    """Writes a shard clip by clip; memory holds one clip at a time.

    Parameters
    ----------
    path : the file to write, normally a temporary name.
    attributes : everything that says what this shard is and where it comes from.
    """

    def __init__(self, path: Path, attributes: Mapping[str, Any]) -> None:
        self.file = h5py.File(path, "w", libver="v110")
        self.file.attrs.update({"format": SHARD_FORMAT, "format_version": SHARD_VERSION, **attributes})
        self._jpeg = _growing(self.file, "images/jpeg", np.uint8, _JPEG_CHUNK)
        self._pcm = _growing(self.file, "sound/pcm", np.dtype("<i2"), SAMPLE_RATE)
        self.clear()

    def add_clip(self, images: list[bytes], pcm: np.ndarray, labels: str, **fields: Any) -> int:
        """Append a clip; return its number.

        Parameters
        ----------
        images : of its samples, as JPEG.
        pcm : the sound, int16.
        labels : mids joined by commas.
        **fields : the other columns of the table of clips.
        """
        row = np.zeros((), CLIP)
        for name, value in fields.items():
            row[name] = value
        row["sound_start"], row["sound_length"] = len(self._pcm), len(pcm)
        _append(self._jpeg, np.frombuffer(b"".join(images), np.uint8))
        _append(self._pcm, pcm)
        self._ends.extend(self._ends[-1] + np.cumsum([len(image) for image in images]))
        self._clips.append(row)
        self._labels.append(labels.encode())
        return len(self._clips) - 1

    def clear(self) -> None:
        """Forget all clips that were added."""
        for dataset in (self._jpeg, self._pcm):
            dataset.resize((0,))
        self._ends = [0]
        self._clips, self._labels = [], []

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
        self.file["images/offset"] = np.array(self._ends, "<i8")
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
