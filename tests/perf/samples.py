"""Samples: making shards against the raw cost of decoding them.

CPU seconds, not wall time: of this process and its readers. Start-up is left out by the difference of a long and a
short run. Clips of 640x360 and 10 s: real ones where the folder of recordings is beside the project, else a drawn one.
"""

import functools
import io
import resource
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pandas as pd
from PIL import Image

from l3net.audioset.clip import clip_path
from l3net.audioset.clip_tables import CLIP_KEY, MANIFEST_COLUMNS
from l3net.media.encoding import Encoding, cut_clip
from l3net.media.ffmpeg import ffmpeg_binary
from l3net.samples.crops import FrameScaler
from l3net.samples.shard_reader import Shard
from tests.conftest import SHARED_DATA
from tests.perf.ratios import Ratio
from tests.stages.loading import stage_function

PUBLISHED_SAMPLES_PER_SECOND = 2.6  # its sampler on such clips and this kind of machine, measured once
PUBLISHED_BYTES = 180e3
SECONDS, N_CLIPS, SHARE, SIZE = 10.0, 4, 253, 224
_RUNS = 3
_FILM = SHARED_DATA / "video" / "open" / "big_buck_bunny_0_30.webm"


def measure() -> list[Ratio]:
    """Return the ratios of making shards."""
    with tempfile.TemporaryDirectory() as name:
        write_store(Path(name))
        return _measure_making(Path(name))


def write_store(folder: Path) -> None:
    """Write the clips, their list and their manifest."""
    source = _FILM if _FILM.exists() else _draw_film(folder)
    keys = [(f"perf-clip-{n}", 10.0 * (n % 3), 10.0 * (n % 3) + SECONDS) for n in range(N_CLIPS)]
    for key in keys:
        target = clip_path(folder / "store", *key)
        target.parent.mkdir(parents=True, exist_ok=True)
        cut_clip(source, target, start_seconds=key[1], seconds=SECONDS, encoding=Encoding(short_side=360))
    pd.DataFrame(keys, columns=CLIP_KEY).assign(labels="/m/04rlf").to_csv(folder / "clips.csv", index=False)
    rows = pd.DataFrame([(*key, "ok") + ("",) * 10 for key in keys], columns=MANIFEST_COLUMNS)
    rows.assign(attempts=1).to_csv(folder / "manifest.csv", index=False)


def _draw_film(folder: Path) -> Path:
    target = folder / "drawn.mkv"
    inputs = ["-f", "lavfi", "-i", "mandelbrot=s=640x360:r=30", "-f", "lavfi", "-i", "sine=440:r=48000"]
    subprocess.run([ffmpeg_binary(), "-loglevel", "error", *inputs, "-t", "30", target], check=True)
    return target


def _cpu() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _seconds(work: Callable[[], object]) -> float:
    start = _cpu()
    work()
    return _cpu() - start


def make_shard_of(folder: Path) -> Callable[[], None]:
    """Return a function that makes ``part.h5`` of the clips, at the paper's settings."""
    return functools.partial(
        stage_function("make_shard"),
        folder / "clips.csv",
        folder / "manifest.csv",
        folder / "part.h5",
        store=folder / "store",
        seed=1,
        subset="music",
        part=0,
        parts=1,
        samples_per_clip=SHARE,
        image_size=SIZE,
    )


def film() -> str:
    """Return which film the clips are cut from: figures of the two differ."""
    return "a real one (Big Buck Bunny)" if _FILM.exists() else "a drawn one (a Mandelbrot set)"


def _measure_making(folder: Path) -> list[Ratio]:
    """Compare make_shard with decoding each clip once, scaling the used frames and encoding the same crops."""
    make = make_shard_of(folder)
    make()
    needed = _needed_crops(folder)

    def raw() -> None:
        for path, crops in needed.items():
            _decode_once(path, crops)

    pairs = [(_seconds(make), _seconds(raw)) for _ in range(_RUNS)]
    n = N_CLIPS * SHARE
    ours, limit = (n / statistics.median(column) for column in zip(*pairs, strict=True))
    size = (folder / "part.h5").stat().st_size / n
    figures = {
        "samples_per_core_second": ours,
        "raw_limit_samples_per_core_second": limit,
        "bytes_per_sample": size,
        "frames_per_clip": sum(map(len, needed.values())) / N_CLIPS,
        "cpu_seconds_per_clip": SHARE / ours,
    }
    published = {"samples_per_core_second": ours, "published_samples_per_second": PUBLISHED_SAMPLES_PER_SECOND}
    rates = [n / made / PUBLISHED_SAMPLES_PER_SECOND for made, _ in pairs]
    sizes = {"published_kB": PUBLISHED_BYTES / 1e3}
    return [
        _row("make_shard against raw decoding", [b / a for a, b in pairs], 0.75, figures),
        _row("kB a sample", [size / 1e3], 25, sizes, better="lower"),
        _row("make_shard against the published sampler", rates, 40, published),
    ]


def _row(name: str, rounds: list[float], goal: float, figures: dict, better: str = "higher") -> Ratio:
    return Ratio(name=f"samples: {name}", rounds=rounds, goal=goal, better=better, figures={**figures, "film": film()})


def _needed_crops(folder: Path) -> dict[Path, dict[int, list[tuple[slice, slice]]]]:
    """Return of each clip which frames are used, by number, and which crops of each are stored."""
    found = {}
    with Shard(folder / "part.h5") as shard:
        for row in shard.samples[:]:
            clip = shard.clips[row["clip"]]
            path = clip_path(folder / "store", clip["ytid"].decode(), clip["start_seconds"], clip["end_seconds"])
            y, x = int(row["crop_y"]), int(row["crop_x"])
            crops = found.setdefault(path, {}).setdefault(int(row["frame"]), [])
            crops.append(np.s_[y : y + SIZE, x : x + SIZE])
    return found


def _decode_once(path: Path, crops: dict[int, list[tuple[slice, slice]]]) -> None:
    """Decode a clip; scale the used frames and encode their crops: nothing that a shard could do without."""
    with av.open(str(path)) as container:
        streams = container.streams.video[0], container.streams.audio[0]
        for stream in streams:
            stream.thread_type = "NONE"
        scaler, n = FrameScaler(streams[0], 256), 0
        for frame in container.decode(*streams):
            if isinstance(frame, av.AudioFrame):
                frame.to_ndarray()
                continue
            if n in crops:
                scaled = scaler.scale(frame)
                for crop in crops[n]:
                    Image.fromarray(scaled[crop]).save(io.BytesIO(), "JPEG", quality=90)
            n += 1
