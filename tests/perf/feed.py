"""The feed against other loaders of the same samples, against bare JPEG decoding, and against the published layout.

CPU seconds, not wall time: of each side's process and its readers, in turns. webdataset, grain and torch's DataLoader
are measured where they are installed, with simplejpeg for libjpeg-turbo (the extra `perf`).
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.perf.feed_sides import installed_sides, write_samples
from tests.perf.ratios import Ratio, divided
from tests.perf.samples import film, make_shard_of, write_store
from tests.stages.loading import stage_function

_ROUNDS, _WARM_UP = 5, 20
_BATCHES = {"gzip_hdf5": 16}  # of the slow side; the others take:
_MOST_BATCHES = 100
_PEERS = ("webdataset_libjpeg_turbo", "webdataset_pillow", "grain", "torch")
_BARE = ("bare_tensorflow", "bare_libjpeg_turbo")


def measure() -> list[Ratio]:
    """Return the ratios of the feed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_store(folder)
        make_shard_of(folder)()
        stage_function("index_shards")([folder / "part.h5"], folder / "index.json")
        sides = installed_sides()
        write_samples(folder / "index.json", sides)
        rates, digests = _rates(folder, sides)
    best, bare = (_fastest(rates, names) for names in (_PEERS, _BARE))
    figures = {f"{side}_samples_per_core_second": round(statistics.median(found)) for side, found in rates.items()}
    figures |= {"film": film(), "pixels": "the same of all" if len(digests) == 1 else "not the same of all"}
    if "into_batches" in rates:
        figures["feed_over_into_batches"] = round(statistics.median(divided(rates["feed"], rates["into_batches"])), 2)
        figures["into_batches_over_bare"] = round(statistics.median(divided(rates["into_batches"], rates[bare])), 2)
    cores = len(os.sched_getaffinity(0))
    rows = [
        ("feed / bare decoding, the faster", "feed", bare, 0.95, 1),
        ("feed with augmentation on the CPU / bare decoding", "feed_augmented", bare, 0.4, 1),
        ("feed of this machine / a process that reads gzip HDF5 of raw samples", "feed", "gzip_hdf5", 20, cores),
    ]
    if best is None:
        print("feed: no loader to compare with is installed (the extra perf)", file=sys.stderr)
    else:
        rows.append(("feed / the best of webdataset, grain and torch", "feed", best, 1.5, 1))
    return [
        Ratio(
            name=f"feed: {name}",
            rounds=[ratio * factor for ratio in divided(rates[ours], rates[theirs])],
            goal=goal,
            figures={**figures, "divided_by": theirs, "times_cores": factor},
        )
        for name, ours, theirs, goal, factor in rows
    ]


def _fastest(rates: dict[str, list[float]], names: tuple[str, ...]) -> str | None:
    """Return the side of the largest median among those that were measured."""
    return max((name for name in names if name in rates), key=lambda name: statistics.median(rates[name]), default=None)


def _rates(folder: Path, sides: list[str]) -> tuple[dict[str, list[float]], set[str]]:
    """Return the samples a CPU second of each side in each round, and the digests of what they decode."""
    rates: dict[str, list[float]] = {side: [] for side in sides}
    with ExitStack() as running:
        processes = {side: running.enter_context(_process(side, folder)) for side in sides}
        digests = {_answer(process) for process in processes.values()} - {""}
        for turn in range(_ROUNDS + 1):
            for side, process in processes.items():
                process.stdin.write(f"{_BATCHES.get(side, _MOST_BATCHES) if turn else _WARM_UP}\n")
                process.stdin.flush()
                rates[side].append(_answer(process))
        for process in processes.values():
            process.stdin.close()
    return {side: found[1:] for side, found in rates.items()}, digests


def _process(side: str, folder: Path) -> subprocess.Popen:
    command = [sys.executable, "-W", "ignore", "-m", "tests.perf.feed_sides", side, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _answer(process: subprocess.Popen) -> object:
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args[-2]} ended with code {process.wait()}")
    return json.loads(line)
