"""Writing a shard clip by clip: every clip's sound once, and the image and the recipe of each sample."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from l3net.files import OutputFile, append_rows, growing_dataset
from l3net.media import SAMPLE_RATE
from l3net.samples.shard_format import CLIP, SAMPLE, SHARD_FORMAT, SHARD_VERSION, LeftOutClip

_JPEG_CHUNK_BYTES = 1 << 18


class ShardWriter:
    """Writes a shard clip by clip; memory holds one clip at a time.

    Parameters
    ----------
    path : the file to write, normally a temporary name.
    attributes : the settings of the shard and its provenance, written as attributes of the file.
    """

    def __init__(self, path: Path, attributes: Mapping[str, Any]) -> None:
        self.file = OutputFile(path, libver="v110")
        self.file.attrs.update({"format": SHARD_FORMAT, "format_version": SHARD_VERSION, **attributes})
        self._jpeg = growing_dataset(self.file, "images/jpeg", (), np.uint8, _JPEG_CHUNK_BYTES)
        self._pcm = growing_dataset(self.file, "sound/pcm", (), np.dtype("<i2"), SAMPLE_RATE)
        self.clear()

    def add_clip(self, images: list[bytes], pcm: np.ndarray, labels: str, **columns: Any) -> int:
        """Append a clip and return its number.

        Parameters
        ----------
        images : the images of its samples as JPEG.
        pcm : its sound [shape=(n_samples,), int16].
        labels : its labels, mids joined by commas.
        **columns : values of the other columns of the table of clips (`shard_format.CLIP`).
        """
        row = np.zeros((), CLIP)
        for name, value in columns.items():
            row[name] = value
        row["sound_start"], row["sound_length"] = len(self._pcm), len(pcm)
        append_rows(self._jpeg, np.frombuffer(b"".join(images), np.uint8))
        append_rows(self._pcm, pcm)
        self._ends.extend(self._ends[-1] + np.cumsum([len(image) for image in images]))
        self._clips.append(row)
        self._labels.append(labels.encode())
        return len(self._clips) - 1

    def clear(self) -> None:
        """Remove all clips that were added."""
        for dataset in (self._jpeg, self._pcm):
            dataset.resize((0,))
        self._ends = [0]
        self._clips, self._labels = [], []

    @property
    def clips(self) -> np.ndarray:
        """The table of the clips that were added [shape=(n_clips,), CLIP]."""
        return np.array(self._clips, CLIP)

    def limit_gains(self, samples: np.ndarray) -> None:
        """Lower the gains of the samples [shape=(n_samples,), SAMPLE] whose sound would exceed 16 bits, in place."""
        for number, clip in enumerate(self._clips):
            start = int(clip["sound_start"])
            pcm = self._pcm[start : start + int(clip["sound_length"])]
            for i in np.flatnonzero(samples["sound"] == number):
                window = pcm[samples["start"][i] : samples["start"][i] + SAMPLE_RATE]
                peak = max(int(window.max()), -int(window.min()))
                if peak * float(samples["gain"][i]) > 32767:
                    samples["gain"][i] = np.float32(32767 / peak) * np.float32(1 - 2**-22)

    def finish(self, samples: np.ndarray, left_out: list[LeftOutClip]) -> None:
        """Write the tables of samples [shape=(n_samples,), SAMPLE] and of clips, and close the file."""
        self.file.attrs["n_samples"] = len(samples)
        self.file.attrs["n_clips"] = len(self._clips)
        self.file["images/offset"] = np.array(self._ends, "<i8")
        self.file["clips"] = self.clips
        self.file["labels"] = np.array(self._labels or [], f"S{max([1, *map(len, self._labels)])}")
        self.file.create_dataset("samples", data=samples.astype(SAMPLE))
        self.file["left_out"] = _left_out_table(left_out)
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def _left_out_table(left_out: list[LeftOutClip]) -> np.ndarray:
    rows = [(clip.ytid.encode(), clip.start_seconds, clip.end_seconds, clip.reason.encode()) for clip in left_out]
    types = ["S11", "<f8", "<f8", f"S{max([1, *(len(row[-1]) for row in rows)])}"]
    return np.array(rows, list(zip(LeftOutClip._fields, types, strict=True)))
