"""What uses a GPU beside the bare step of training: a leg by its stage, embedding, the program of nine settings.

    python -m tests.perf.gpu_stages [--trial] [FOLDER]

Prints a line for each and writes gpu_stages.json into FOLDER (default results): windows a second of the full-width
network, by itself and from ten minutes of sound; fits a second of the nine settings; and two legs of three epochs, in
bfloat16 with XLA and in float32 without, each stopped by SIGTERM in the second epoch and gone on with, with their
images a second and share of waiting. Ends with 1 where there is no GPU. With --trial all of it runs in small on
whatever there is, to see that it runs; nothing is written. `tests.perf.gpu` measures the step.
"""

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import tensorflow as tf

from l3net.embeddings.embedding_keras import embed, embedding_of_model
from l3net.inference import prepare_for_inference
from l3net.media import SAMPLE_RATE
from l3net.models.l3 import build_l3, embedding_network
from l3net.training import loop
from l3net.training.checkpoint import read_checkpoint
from tests import tiny_shards, tiny_training
from tests.perf.downstream import RATES, _batched
from tests.perf.gpu import TRIAL, Scale, answer
from tests.stages.loading import stage_function

EPOCHS, BATCH = 3, 64
LEGS = [("mixed_bfloat16", True), ("float32", False)]  # XLA first: on a CPU, the other switches determinism on


def main(folder: Path, *, is_trial: bool = False) -> int:
    """Measure; return an exit code."""
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus and not is_trial:
        print("no GPU here; nothing measured")
        return 1
    card = tf.config.experimental.get_device_details(gpus[0])["device_name"] if gpus else "no GPU"
    print(card)
    scale, rows = TRIAL if is_trial else Scale(), []
    for row in (*_fits(is_trial), *_embedding(scale, is_trial), *_legs(scale, is_trial)):
        rows.append(row)
        print(json.dumps(row), flush=True)
    if is_trial:
        print("a trial in small: the figures say nothing, and are not kept")
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gpu_stages.json").write_text(json.dumps({"card": card, "rows": rows}, indent=2) + "\n")
    return 0


def _fits(is_trial: bool) -> Iterator[dict[str, Any]]:
    """Yield the fits a second of all nine settings, compilation left out."""
    for dimensions, n, epochs in [(8, 64, 1)] if is_trial else [(512, 6400, 3), (6144, 1280, 3)]:
        fit = _batched(dimensions, n, epochs)
        fit(0)
        began = time.perf_counter()
        for seed in (1, 2, 3):
            fit(seed)
        rate = 3 * len(RATES) ** 2 / (time.perf_counter() - began)
        yield {"what": "fits", "values": dimensions, "windows": n, "epochs": epochs, "fits_per_second": round(rate, 2)}


def _embedding(scale: Scale, is_trial: bool) -> Iterator[dict[str, Any]]:
    """Yield the windows a second of the network by itself, and from sound of which windows are cut."""
    shape = {"image_size": 32, "width": scale.width, "hop_length": scale.hop_length}
    model, rng = embedding_network(build_l3("mel256", **shape)), np.random.default_rng(0)
    n, seconds = (4, 2) if is_trial else (256, 600)
    windows = rng.normal(0, 0.1, (n, SAMPLE_RATE)).astype("f4")
    sound = rng.normal(0, 0.1, SAMPLE_RATE * seconds).astype("f4")
    for precision in ("float32", "bfloat16"):
        network, named = prepare_for_inference(model, precision), embedding_of_model(model, {"kind": "l3"}, precision)
        taken, _ = _second_call(lambda network=network: [network(windows) for _ in range(8)])
        yield {"what": "network", "precision": precision, "batch": n, "windows_per_second": round(8 * n / taken, 1)}
        for batch in (4,) if is_trial else (32, 256):
            call = partial(embed, sound, SAMPLE_RATE, model=named, batch_size=batch)
            taken, (vectors, _) = _second_call(call)
            rate = round(len(vectors) / taken, 1)
            yield {"what": "sound", "precision": precision, "batch": batch, "windows_per_second": rate}


def _second_call(function: Callable[[], Any]) -> tuple[float, Any]:
    """Return how long the second call takes, and what it returns."""
    function()
    began = time.perf_counter()
    found = function()
    return time.perf_counter() - began, found


def _legs(scale: Scale, is_trial: bool) -> Iterator[dict[str, Any]]:
    """Yield what the history of each leg says, after it was stopped and gone on with."""
    tiny_shards.SIZE = scale.image_size
    batches, size = (4, 4) if is_trial else (40, BATCH)
    with tempfile.TemporaryDirectory() as name:
        data = Path(name)
        for split, n in (("train", scale.clips), ("valid", 8 if is_trial else 32)):
            tiny_shards.write_split(data, split, n_clips=n, share=16, kinds=4)
        for precision, xla in LEGS:
            how = {"precision": precision, "xla": xla, "feed_workers": scale.workers, "learning_rate": 1e-4}
            how |= {"batches_per_epoch": batches, "batch_size": size, "validation_batches": 6 if not is_trial else 2}
            leg = tiny_training.arguments(data, data / precision, epoch=EPOCHS, **how)
            leg |= {"front_end": "mel256", "network": {"width": scale.width, "batch_norm_momentum": 0.9}}
            leg["front_end_settings"] = {"version": "training", "hop_length": scale.hop_length}
            yield {"what": "leg", "precision": precision, "xla": xla, **_stopped_and_gone_on(leg, at=batches + 2)}


def _stopped_and_gone_on(leg: dict[str, Any], at: int) -> dict[str, Any]:
    """Run a leg that SIGTERM stops at its call `at`, go on with it, and return figures of its history."""
    make, made = loop.several_steps, []

    def watched(step, n):
        steps = make(step, n)

        def told(batches):
            made.append(len(batches))
            if len(made) == at:
                os.kill(os.getpid(), signal.SIGTERM)
            return steps(batches)

        return told

    stopped = False
    with mock.patch.object(loop, "several_steps", watched):
        try:
            stage_function("train_leg")(**leg)
        except loop.Interrupted:
            stopped = True
    stage_function("train_leg")(**leg)
    found = read_checkpoint(leg["checkpoint"])
    return {
        "stopped": stopped,
        "loss": [round(loss, 4) for loss in found.history["loss"]],
        "images_per_second": [round(rate, 1) for rate in found.timings["images_per_second"]],
        "waiting_share": [round(share, 4) for share in found.timings["waiting_share"]],
    }


if __name__ == "__main__":
    sys.exit(answer(main, __doc__))
