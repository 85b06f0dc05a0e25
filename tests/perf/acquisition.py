"""Acquisition against the ways people do it by hand: yt-dlp's command line, bare ffmpeg, video2dataset; and selection.

All fetch the same clips of the same server on loopback, with picture sizes as YouTube gives them.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from l3net.audioset.ontology import read_ontology
from l3net.media.encoding import Encoding
from l3net.media.ffmpeg import ffmpeg_binary
from tests.loopback import Server, serving
from tests.media_sources import run
from tests.perf import video2dataset
from tests.perf.ratios import Ratio, divided
from tests.stages.loading import SCRIPTS, stage_function

ROOT = Path(__file__).parents[2]
N_CLIPS = 12
N_ROWS = 2_084_320  # of the three official lists
START, SECONDS = 5.0, 10.0
# Runs a script with its arguments in this process, and tells the process's memory.
MEASURED = """
import runpy, sys
from tests.perf import video2dataset
from tests.perf.memory import peak_megabytes
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as ended:
    assert not ended.code, ended.code
print(peak_megabytes())
"""


def measure() -> list[Ratio]:
    """Return the ratios of fetching and of selecting to their goals."""
    with tempfile.TemporaryDirectory() as name, serving() as server:
        found = fetching(Path(name), server)
        (Path(name) / "beside").mkdir()
        found += video2dataset.compared(Path(name) / "beside", server, START, SECONDS)
        return found + selecting(Path(name))


def fetching(folder: Path, server: Server) -> list[Ratio]:
    """Return clips a second of a part, over a loop of yt-dlp commands and over bare ffmpeg, two at a time."""
    noise = ["-f", "lavfi", "-i", "mandelbrot=s=640x360:r=30", "-f", "lavfi", "-i", "anoisesrc=a=0.1:r=44100"]
    codecs = ["-t", "20", "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2"]
    video = run(*noise, *codecs, to=folder / "video.mp4")
    ytids = [f"speed{n:06d}" for n in range(N_CLIPS)]
    server.answers = {f"/{ytid}.mp4": video for ytid in ytids}
    ways = {"part": by_part, "command_line": by_command_line, "ffmpeg": by_ffmpeg}
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(3):
        for way, fetch in ways.items():
            if way == "command_line" and turn:
                continue  # it is far off its goal's edge, and slow
            target = folder / f"{way}-{turn}"
            target.mkdir()
            seconds[way].append(clock(lambda fetch=fetch, target=target: fetch(server, ytids, target)))
    rates = {way: N_CLIPS / statistics.median(found) for way, found in seconds.items()}
    figures = {f"{way}_clips_per_second": round(rate, 3) for way, rate in rates.items()}
    (slow,) = seconds["command_line"]
    return [
        Ratio(
            name="acquisition: part over yt-dlp command line",
            rounds=[slow / one for one in seconds["part"]],
            goal=3.0,
            figures=figures,
        ),
        Ratio(
            name="acquisition: part over bare ffmpeg",
            rounds=divided(seconds["ffmpeg"], seconds["part"]),
            goal=0.8,
            figures=figures,
        ),
    ]


def by_part(server: Server, ytids: list[str], folder: Path) -> None:
    """Fetch the clips as the workflow does: checked and recorded."""
    rows = [f"{ytid},{START},{START + SECONDS},/m/04rlf" for ytid in ytids]
    clips = folder / "clips.csv"
    clips.write_text("\n".join(["ytid,start_seconds,end_seconds,labels", *rows]) + "\n")
    stage_function("fetch_clips")(
        [clips],
        folder / "manifest.csv",
        part=0,
        parts=1,
        source="http",
        store=folder / "store",
        url_template=server.url + "/{ytid}.mp4",
        workers=2,
        allow_private_addresses=True,
    )
    n_files = len(list((folder / "store").rglob("*.mkv")))
    if n_files != len(ytids):
        raise RuntimeError(f"{n_files} of {len(ytids)} clips came: not a fair comparison")


def by_command_line(server: Server, ytids: list[str], folder: Path) -> None:
    """Fetch the clips one after the other with yt-dlp's command line, cut at the frame."""
    for ytid in ytids:
        command = [sys.executable, "-m", "yt_dlp", "--quiet", "--no-warnings", "--ignore-config"]
        command += ["--force-keyframes-at-cuts"]
        command += ["--ffmpeg-location", ffmpeg_binary(), "--download-sections", f"*{START}-{START + SECONDS}"]
        subprocess.run([*command, "-o", folder / f"{ytid}.%(ext)s", f"{server.url}/{ytid}.mp4"], check=True)


def by_ffmpeg(server: Server, ytids: list[str], folder: Path) -> None:
    """Cut and encode the clips with ffmpeg alone, two at a time: nothing is checked, nothing recorded."""
    encoding = Encoding()

    def cut(ytid: str) -> None:
        source = ["-nostdin", "-v", "error", "-threads", "1", "-ss", str(START), "-t", str(SECONDS)]
        address = f"{server.url}/{ytid}.mp4"
        arguments = [*source, "-i", address, *encoding.arguments(SECONDS), str(folder / f"{ytid}.mkv")]
        subprocess.run([ffmpeg_binary(), *arguments], check=True)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(cut, ytids))


def selecting(folder: Path) -> list[Ratio]:
    """Return seconds and memory of selecting both subsets from a list as long as the official ones."""
    path = write_list(folder / "segments.csv")
    rounds, gigabytes = [], []
    for _ in range(5):
        seconds = 0.0
        for subset in ("music", "environmental"):
            options = {
                "--segments": path,
                "--ontology": ROOT / "resources" / "ontology.json",
                "--filter": ROOT / "resources" / "filters" / f"{subset}.csv",
                "--output": folder / f"{subset}.csv",
            }
            words = [str(word) for option in options.items() for word in option]
            command = [sys.executable, "-c", MEASURED, str(SCRIPTS / "select_clips.py"), *words]
            started = time.perf_counter()
            megabytes = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
            seconds += time.perf_counter() - started
            gigabytes.append(float(megabytes.splitlines()[-1]) / 1000)
        rounds.append(seconds)
    figures = {"rows": N_ROWS}
    return [
        Ratio(name="acquisition: selection, seconds", rounds=rounds, goal=2.5, better="lower", figures=figures),
        Ratio(name="acquisition: selection, GB", rounds=gigabytes, goal=0.5, better="lower", figures=figures),
    ]


def write_list(path: Path) -> Path:
    """Write a list of `N_ROWS` rows with the labels of AudioSet, two a row on average."""
    draw = np.random.default_rng(0)
    mids = np.array(sorted(read_ontology(ROOT / "resources" / "ontology.json").names))
    n_labels = 1 + draw.poisson(1.0, N_ROWS)
    labels = iter(mids[draw.integers(0, len(mids), n_labels.sum())].tolist())
    starts = draw.integers(0, 600, N_ROWS).tolist()
    with open(path, "w", encoding="utf-8") as file:
        file.write("# a\n# b\n# YTID, start_seconds, end_seconds, positive_labels\n")
        for n, (start, k) in enumerate(zip(starts, n_labels.tolist(), strict=True)):
            joined = ",".join([next(labels) for _ in range(k)])
            file.write(f'{n * 7919 % N_ROWS:08d}a-_, {start}.000, {start + 10}.000, "{joined}"\n')
    return path


def clock(action: Callable[[], object]) -> float:
    """Return how many seconds an action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
