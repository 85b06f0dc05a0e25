"""Speed and memory of embedding: l3net embed against its bare network and against openl3, and ten hours of sound.

The comparison with openl3 needs OPENL3_SRC, the folder of openl3 0.4.2's source, and OPENL3_PYTHON, a Python with
TensorFlow 2.15, kapre 0.3.6 and openl3's other dependencies; without them it is left out, and said so.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from l3net import embed_files, embedding_exports, keras_embeddings, networks
from tests import tiny_embedding

_ROUNDS, _BATCH, _HOP = 3, 16, 0.1
_WINDOWS = 2 * _BATCH
_TEN_HOURS = 36000


def measure() -> dict[str, dict]:
    """Return the ratios of this area."""
    with tempfile.TemporaryDirectory() as folder:
        found = {"embeddings: 10 h of sound, MB above 10 s": _memory(Path(folder))}
        found["embeddings: l3net embed / bare network"], embed_once = _against_network(Path(folder))
        if os.environ.get("OPENL3_SRC") and os.environ.get("OPENL3_PYTHON"):
            found["embeddings: l3net embed / openl3"] = _against_openl3(Path(folder), embed_once)
        else:
            print("embeddings: no comparison with openl3: OPENL3_SRC and OPENL3_PYTHON are not set")
        return found


def _against_network(folder: Path) -> tuple[dict, Callable[[], float]]:
    """Return windows a second from files to files over those of the network on batches in memory, and how to repeat."""
    model = networks.embedding_network(tiny_embedding.network(front_end="mel256", width=1.0, hop_length=242))
    embedding_exports.export(model, {}, folder / "ours.h5")
    named = keras_embeddings.of_model(model, {})
    rng = np.random.default_rng(0)
    seconds = 1 + (_WINDOWS // 4 - 1) * _HOP
    for n in range(4):
        soundfile.write(folder / f"{n}.wav", rng.normal(0, 0.1, round(44100 * seconds)), 44100)
    tasks = embed_files.find(sorted(folder.glob("?.wav")), folder / "out", ".npz")
    batch = rng.normal(0, 0.1, (_BATCH, 48000)).astype(np.float32)
    named.network(batch[:2])

    def embed_once() -> float:
        start = time.perf_counter()
        embed_files.run(named, tasks, hop_seconds=_HOP, batch_size=_BATCH, overwrite=True)
        return _WINDOWS / (time.perf_counter() - start)

    bare, files = [], []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        for _ in range(_WINDOWS // _BATCH):
            named.network(batch)
        bare.append(_WINDOWS / (time.perf_counter() - start))
        files.append(embed_once())
    figures = {"bare_windows_per_second": statistics.median(bare), "files_windows_per_second": statistics.median(files)}
    ratio = statistics.median(f / b for f, b in zip(files, bare, strict=True))
    return {"ratio": ratio, "goal": 0.9, "better": "higher", "figures": figures}, embed_once


def _against_openl3(folder: Path, embed_once: Callable[[], float]) -> dict:
    """Return windows a second over those of openl3's get_audio_embedding on the same weights and hop, turn by turn."""
    program = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "import numpy as np; import openl3; from openl3 import models\n"
        "m = models.load_audio_embedding_model_from_path('ours.h5', 'mel256', 6144)\n"
        "x = np.random.default_rng(0).normal(0, 0.1, 48000 + 4800 * 31).astype('float32')\n"
        "run = lambda y: openl3.get_audio_embedding(y, 48000, model=m, hop_size=0.1, center=False, verbose=0)\n"
        "run(x[:52800])\n"
        "t = time.perf_counter(); e, _ = run(x); print(len(e) / (time.perf_counter() - t))\n"
    )
    command = [os.environ["OPENL3_PYTHON"], "-c", program, os.environ["OPENL3_SRC"]]
    mine, theirs = [], []
    for _ in range(_ROUNDS):
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        theirs.append(float(ended.stdout.split()[-1]))
        mine.append(embed_once())
    figures = {"windows_per_second": statistics.median(mine), "openl3_windows_per_second": statistics.median(theirs)}
    ratio = statistics.median(m / t for m, t in zip(mine, theirs, strict=True))
    return {"ratio": ratio, "goal": 2.5, "better": "higher", "figures": figures}


def _memory(folder: Path) -> dict:
    """Return the peak memory of l3net embed on ten hours above that on ten seconds, in MB."""
    tiny_embedding.write_embedding(folder / "embedding.keras")
    rng = np.random.default_rng(0)
    peaks = []
    for name, seconds in (("short", 10), ("long", _TEN_HOURS)):
        with soundfile.SoundFile(folder / f"{name}.wav", "w", 16000, 1, "PCM_16") as file:
            for _ in range(seconds // 10):
                file.write(rng.normal(0, 0.1, 160000))
        program = (
            "import resource, sys; from l3net import cli\n"
            "code = cli.main(sys.argv[1:]); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\nsys.exit(code)"
        )
        command = [sys.executable, "-c", program, "embed", f"{name}.wav", "--model", "embedding.keras"]
        command += ["--output", "out", "--hop-seconds", "1.0"]
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        peaks.append(int(ended.stdout.split()[-1]) / 1024)
        (folder / f"{name}.wav").unlink()
    figures = {"ten_seconds_megabytes": peaks[0], "ten_hours_megabytes": peaks[1]}
    return {"ratio": peaks[1] - peaks[0], "goal": 300.0, "better": "lower", "figures": figures}
