"""Speed and memory of embedding: l3net embed against its bare network and against openl3, and ten hours of sound.

Both sides take turns and the best turn of each counts: whatever else the machine does only ever slows one of them.

The comparison with openl3 needs OPENL3_SRC, the folder of openl3 0.4.2's source, and OPENL3_PYTHON, a Python with
TensorFlow 2.15, kapre 0.3.6 and openl3's other dependencies; without them it is left out, and said so.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
import soundfile

from l3net.embeddings.embedding_keras import embedding_of_model, load_keras_embedding
from l3net.embeddings.interface import WindowEmbedding
from l3net.inference import winograd
from l3net.models.export import export_embedding
from l3net.vectors.audio_files import embed_audio_files, find_audio_files
from tests import tiny_embedding
from tests.perf.ratios import Ratio, divided

_ROOT = Path(__file__).parents[2]
_ROUNDS, _HOP, _WINDOWS = 3, 0.1, 100
_TEN_HOURS = 36000
_CALLS = ("openl3_first_call", "openl3_model_loaded", "openl3_model_kept")
_OPENL3 = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
import numpy as np, openl3
from openl3 import models
models.get_audio_embedding_model_path = lambda *_: "ours.h5"
sound = np.random.default_rng(0).normal(0, 0.1, 48000 + 4800 * (int(sys.argv[2]) - 1)).astype("float32")
def seconds(model):
    start = time.perf_counter()
    openl3.get_audio_embedding(sound, 48000, model=model, input_repr="mel256", center=False, verbose=0)
    return time.perf_counter() - start
loaded_in_it = [seconds(None) for _ in range(2)]
model = models.load_audio_embedding_model("mel256", "music", 6144)
kept = [seconds(model) for _ in range(2)]
print(json.dumps([*loaded_in_it, kept[1]]))
"""
_PEAK = """
import sys
from pathlib import Path
import numpy as np
from l3net.vectors.audio_files import embed_audio_files, find_audio_files
from l3net.embeddings.embedding_keras import load_keras_embedding
named = load_keras_embedding(Path("embedding.keras"))
named.network(np.zeros((1, 48000), np.float32))
pages = int(Path("/proc/self/statm").read_text().split()[1])
embed_audio_files(lambda: named, find_audio_files([Path(sys.argv[1])], Path("out"), ".npz"), hop_seconds=1.0)
from tests.perf.memory import peak_megabytes
print(peak_megabytes(), pages * 4096 / 2**20)
"""


def measure() -> list[Ratio]:
    """Return the ratios of this area."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = [*_memory(folder), *_against_network(folder)]
        if os.environ.get("OPENL3_SRC") and os.environ.get("OPENL3_PYTHON"):
            found += _against_openl3(folder)
        else:
            print("embeddings: no comparison with openl3: OPENL3_SRC and OPENL3_PYTHON are not set")
        return found


def _files_once(named: WindowEmbedding, folder: Path) -> float:
    """Return windows a second from a sound file to a file of vectors."""
    tasks = find_audio_files([folder / "sound.wav"], folder / "out", ".npz")
    start = time.perf_counter()
    embed_audio_files(lambda: named, tasks, hop_seconds=_HOP, overwrite=True)
    return _WINDOWS / (time.perf_counter() - start)


def _against_network(folder: Path) -> list[Ratio]:
    """Return windows a second from files to files over those of the network on batches in memory; write both models."""
    model = tiny_embedding.write_embedding(
        folder / "full.keras", front_end="mel256", width=1.0, hop_length=242, version="openl3"
    )
    export_embedding(model, {}, folder / "ours.h5")
    named = embedding_of_model(model, {})
    rng = np.random.default_rng(0)
    audio = rng.normal(0, 0.1, 48000 + round(48000 * _HOP) * (_WINDOWS - 1)).astype(np.float32)
    soundfile.write(folder / "sound.wav", audio, 48000, subtype="FLOAT")
    batch = rng.normal(0, 0.1, (_WINDOWS // 2, 48000)).astype(np.float32)
    named.network(batch[:8])
    bare, files = [], []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        for _ in range(2):
            named.network(batch)
        bare.append(_WINDOWS / (time.perf_counter() - start))
        files.append(_files_once(named, folder))
    figures = {"bare_windows_per_second": max(bare), "files_windows_per_second": max(files)}
    return [_best("l3net embed / bare network", files, bare, 0.9, figures)]


def _against_openl3(folder: Path) -> list[Ratio]:
    """Return windows a second over those of openl3's get_audio_embedding on the same weights, hop and sound.

    openl3 is called three ways: for the first time, loading its model; again, loading it again (as its documentation
    calls it); and with a model that was loaded and used before. Two other ways of ours are among the figures: in
    bfloat16, and in float32 by TensorFlow's convolutions alone.
    """
    path = folder / "full.keras"
    ours = {"embed": load_keras_embedding(path), "bfloat16": load_keras_embedding(path, "bfloat16")}
    with mock.patch.object(winograd, "available_lanes", return_value=()):
        ours["by_tensorflow"] = load_keras_embedding(path)
    for named in ours.values():
        named.network(np.zeros((8, 48000), np.float32))
    command = [os.environ["OPENL3_PYTHON"], "-c", _OPENL3, os.environ["OPENL3_SRC"], str(_WINDOWS)]
    speeds: dict[str, list[float]] = {name: [] for name in (*ours, *_CALLS)}
    for _ in range(_ROUNDS):
        for name, named in ours.items():
            speeds[name].append(_files_once(named, folder))
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        for name, seconds in zip(_CALLS, json.loads(ended.stdout.splitlines()[-1]), strict=True):
            speeds[name].append(_WINDOWS / seconds)
    figures = {f"{name}_windows_per_second": max(values) for name, values in speeds.items()}
    rows = {"model loaded in each call": "openl3_model_loaded", "model kept": "openl3_model_kept"}
    return [
        _best(f"l3net embed / openl3, {name}", speeds["embed"], speeds[call], 2.5, figures)
        for name, call in rows.items()
    ]


def _best(name: str, ours: list[float], theirs: list[float], goal: float, figures: dict[str, float]) -> Ratio:
    """Return the ratio of both sides' best rounds; its spread is that of the rounds."""
    rounds, best = divided(ours, theirs), max(ours) / max(theirs)
    return Ratio(name=f"embeddings: {name}", rounds=rounds, value=best, goal=goal, figures=figures)


def _memory(folder: Path) -> list[Ratio]:
    """Return what ten hours of sound take above ten seconds, and a minute above the model at full width, in MB."""
    tiny_embedding.write_embedding(folder / "embedding.keras")
    peaks = [_peak(folder, seconds)[0] for seconds in (10, _TEN_HOURS)]
    tiny_embedding.write_embedding(folder / "embedding.keras", front_end="mel256", width=1.0, hop_length=242)
    peak, loaded = _peak(folder, 60)
    hours = {"ten_seconds_megabytes": peaks[0], "ten_hours_megabytes": peaks[1]}
    minute = {"model_megabytes": loaded, "minute_megabytes": peak}
    more = {"10 h of sound, MB above 10 s": (peaks[1] - peaks[0], hours)}
    more["full width, MB above the model"] = (peak - loaded, minute)
    return [
        Ratio(name=f"embeddings: {name}", rounds=[megabytes], goal=300.0, better="lower", figures=figures)
        for name, (megabytes, figures) in more.items()
    ]


def _peak(folder: Path, seconds: int) -> tuple[float, float]:
    """Return peak memory after embedding `seconds` of sound, and memory before, the model loaded and used once."""
    rng = np.random.default_rng(0)
    with soundfile.SoundFile(folder / "long.wav", "w", 16000, 1, "PCM_16") as file:
        for _ in range(seconds // 10):
            file.write(rng.normal(0, 0.1, 160000))
    command = [sys.executable, "-c", _PEAK, "long.wav"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])}
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    (folder / "long.wav").unlink()
    peak, before = map(float, ended.stdout.split()[-2:])
    return peak, before
