"""A small store of time-coded clips with its list and manifest, and shards made of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from l3net.audioset.clip import clip_path
from l3net.audioset.clip_tables import CLIP_KEY, MANIFEST_COLUMNS
from tests import time_code
from tests.stages.loading import stage_function

SETTINGS = {
    "seed": 7,
    "subset": "music",
    "part": 0,
    "parts": 1,
    "samples_per_clip": 60,
    "frames_per_clip": 40,
    "short_side": 72,
    "jpeg_quality": 90,
    "image_size": 72,
    "pairing": "overlapping",
}


@dataclass
class SmallStore:
    """Clips ``timecode-00`` and on, or of `videos`; picture and sound say the number of their clip."""

    folder: Path
    n_clips: int = 6
    seconds: float = 4.0
    picture: Callable[[int, int], np.ndarray] = time_code.time_code
    videos: list[str] | None = None

    @property
    def clips(self) -> Path:
        """The list of clips."""
        return self.folder / "clips.csv"

    @property
    def manifest(self) -> Path:
        """The manifest."""
        return self.folder / "manifest.csv"

    def write(self) -> "SmallStore":
        """Write the clips, their list and their manifest."""
        rows = [self.key(n) for n in range(self.n_clips)]
        for n in range(self.n_clips):
            time_code.write_clip(self.path(n), n, self.seconds, picture=self.picture)
        table = pd.DataFrame(rows, columns=CLIP_KEY)
        table.assign(labels="/m/04rlf,/m/05r5c").to_csv(self.clips, index=False)
        manifest = pd.DataFrame(columns=MANIFEST_COLUMNS, data=[(*row, "ok") + ("",) * 10 for row in rows])
        manifest.assign(attempts=1).to_csv(self.manifest, index=False)
        return self

    def key(self, n: int) -> tuple[str, float, float]:
        """Return the id of the video that clip `n` is of, and where it begins and ends there."""
        return (self.videos[n] if self.videos else f"timecode-{n:02d}"), 30.0 * n, 30.0 * n + self.seconds

    def path(self, n: int) -> Path:
        """Return the file of clip `n`."""
        return clip_path(self.folder / "store", *self.key(n))

    def make_shard(self, name: str = "part-0000.h5", **changes: object) -> Path:
        """Make the shard with `SETTINGS` and `changes`."""
        shard = self.folder / name
        stage_function("make_shard")(
            self.clips, self.manifest, shard, store=self.folder / "store", **{**SETTINGS, **changes}
        )
        return shard

    def make_index(self, *shards: Path, name: str = "split.json") -> Path:
        """Index the shards."""
        index = self.folder / name
        stage_function("index_shards")(list(shards), index)
        return index
