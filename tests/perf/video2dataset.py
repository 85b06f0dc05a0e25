"""Fetching beside video2dataset: the same clips of the same server on loopback, in clips a core second.

video2dataset needs older versions of what is installed here (numpy 1, PyTorch 2.1), so it runs under a Python of its
own, whose path L3NET_VIDEO2DATASET_PYTHON holds; without it nothing is compared. It gets the same addresses and the
same cuts, with its precision "exact", which sets key frames at the cuts as cutting at the frame demands; it neither
scales the picture nor changes the sound then, nor checks what it wrote: less work than ours, which is the stage
fetch_clips with all its checks and records.

CPU seconds of all processes of a side, whose start is left out by the difference of a long and a short run.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet

from l3net.media.ffmpeg import ffmpeg_binary
from l3net.media.probe import probe_media
from tests.loopback import Server
from tests.perf.ratios import Ratio, divided
from tests.stages.loading import SCRIPTS

_SHORT, _LONG, _ROUNDS = 2, 6, 3
_FETCH = """
import json, sys
from video2dataset import video2dataset
video2dataset(**json.loads(sys.argv[1]))
"""


def compared(folder: Path, server: Server, start_seconds: float, seconds: float) -> list[Ratio]:
    """Return clips a core second of ours over those of video2dataset; nothing where it is not installed.

    Parameters
    ----------
    folder : an empty folder to work in.
    server : answers ``/{name}.mp4`` for the names that stand in its table.
    start_seconds, seconds : where each clip begins, and how long it is.
    """
    python = os.environ.get("L3NET_VIDEO2DATASET_PYTHON")
    if not python:
        print("video2dataset is not measured: L3NET_VIDEO2DATASET_PYTHON names no Python with it", file=sys.stderr)
        return []
    names = [path.strip("/").removesuffix(".mp4") for path in server.answers][:_LONG]
    span = start_seconds, start_seconds + seconds
    programs = folder / "programs"
    programs.mkdir()
    (programs / "ffmpeg").symlink_to(ffmpeg_binary())  # both sides encode with the same program
    sides = {
        "ours": lambda chosen, target: _by_us(server, chosen, span, target),
        "video2dataset": lambda chosen, target: _by_them(python, programs, server, chosen, span, target),
    }
    rates: dict[str, list[float]] = {side: [] for side in sides}
    lengths: dict[str, set[float]] = {side: set() for side in sides}
    for turn in range(_ROUNDS):
        for side, fetch in sides.items():
            cpu = []
            for n in (_SHORT, _LONG):
                target = folder / f"{side}-{turn}-{n}"
                cpu.append(_core_seconds(fetch, names[:n], target))
                lengths[side] |= _lengths(target, n)
            rates[side].append((_LONG - _SHORT) / (cpu[1] - cpu[0]))
    if any(abs(length - seconds) > 0.1 for length in lengths["ours"]):
        raise RuntimeError(f"our clips have {lengths['ours']} s, not {seconds}")
    figures: dict[str, float | str] = {
        f"{side}_clips_per_core_second": round(sorted(found)[len(found) // 2], 3) for side, found in rates.items()
    }
    figures["kept"] = "ours 256 lines, H.264 veryfast, FLAC mono, checked; theirs as the source, x264's medium, AAC"
    # Its segments begin and end at key frames, which not every ffmpeg sets where it asks for them.
    figures |= {
        f"{side}_clip_seconds": " ".join(f"{one:.2f}" for one in sorted(found)) for side, found in lengths.items()
    }
    name = "acquisition: fetching, clips a core second / video2dataset"
    return [Ratio(name=name, rounds=divided(rates["ours"], rates["video2dataset"]), goal=2.0, figures=figures)]


def _core_seconds(fetch: Callable, names: list[str], target: Path) -> float:
    """Return the CPU seconds of a side's processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    fetch(names, target)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _lengths(target: Path, n: int) -> set[float]:
    """Return the lengths of the clips that came, in seconds; fail unless all did."""
    found = [probe_media(path).duration for kind in ("mkv", "mp4") for path in target.rglob(f"*.{kind}")]
    if len(found) != n:
        raise RuntimeError(f"{target}: {len(found)} clips came of {n}: no fair comparison")
    return set(found)


def _by_us(server: Server, names: list[str], span: tuple[float, float], target: Path) -> None:
    target.mkdir()
    rows = [f"{name},{span[0]},{span[1]},/m/04rlf" for name in names]
    (target / "clips.csv").write_text("\n".join(["ytid,start_seconds,end_seconds,labels", *rows]) + "\n")
    options = {"--clips": target / "clips.csv", "--manifest": target / "manifest.csv", "--store": target / "store"}
    options |= {"--part": 0, "--parts": 1, "--source": "http", "--url-template": server.url + "/{ytid}.mp4"}
    words = [str(word) for option in options.items() for word in option]
    command = [sys.executable, SCRIPTS / "fetch_clips.py", *words, "--workers", "2", "--allow-private-addresses"]
    subprocess.run(command, check=True, capture_output=True)


def _by_them(
    python: str,
    programs: Path,
    server: Server,
    names: list[str],
    span: tuple[float, float],
    target: Path,
) -> None:
    target.mkdir()
    cuts = [[[_clock_time(second) for second in span]]] * len(names)
    table = {"url": [f"{server.url}/{name}.mp4" for name in names], "clips": cuts}
    pyarrow.parquet.write_table(pyarrow.table(table), target / "clips.parquet")
    asked = {
        "url_list": str(target / "clips.parquet"),
        "output_folder": str(target / "out"),
        "output_format": "files",
        "input_format": "parquet",
        "url_col": "url",
        "clip_col": "clips",
        "encode_formats": {"video": "mp4"},
        "tmp_dir": str(target),
        "config": {
            "subsampling": {"ClippingSubsampler": {"args": {"precision": "exact"}}},
            "reading": {"yt_args": {"yt_metadata_args": None}, "timeout": 60, "sampler": None},
            "storage": {"number_sample_per_shard": 1000, "oom_shard_count": 5, "captions_are_subtitles": False},
            "distribution": {
                "processes_count": 1,
                "thread_count": 2,
                "subjob_size": 1000,
                "distributor": "multiprocessing",
            },
        },
    }
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": ""}
    command = [python, "-W", "ignore", "-c", _FETCH, json.dumps(asked)]
    subprocess.run(command, check=True, capture_output=True, env=environment)


def _clock_time(seconds: float) -> str:
    return f"{int(seconds // 3600):02d}:{int(seconds // 60) % 60:02d}:{seconds % 60:06.3f}"
