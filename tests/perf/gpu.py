"""Training speed on a GPU: full width, batch 64 and 512, float32 and mixed bfloat16, XLA on and off, one device.

    python -m tests.perf.gpu [--trial] [FOLDER]

Prints a line a setting and writes gpu.json into FOLDER (default results): samples a second on a batch in memory (a
step a call, and several) and with the feed, the share of the card's measured matrix-product peak, and the hours of the
paper's 78.6 million samples (the paper: ten days on four GPUs; the goal: 12 hours on one H100, feed included). A
setting that does not fit the card's memory is told as such. TensorFlow computes float32 products in TF32 where the card
has it, here and in training. Ends with 1 where there is no GPU.

With --trial every setting runs in small on whatever there is, to see that it runs; nothing is written.
"""

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from l3net.devices.strategies import open_strategy
from l3net.feed.augment import prepare_batch
from l3net.feed.pipeline import open_feed
from l3net.models.l3 import build_l3
from l3net.training.batch_norm import batch_norm_for
from l3net.training.optimizer import LearningRate, make_optimizer
from l3net.training.step import several_steps, training_step
from tests import tiny_shards

GFLOP_A_SAMPLE = 123.0  # forward and backward, full width, mel256, 224 pixels
PAPER_SAMPLES = 300 * 4096 * 64
PRECISIONS = {"float32": tf.float32, "mixed_bfloat16": tf.bfloat16}
WARM_UP_STEPS = 3
IN_A_CALL = 4  # steps, of train.steps_per_call


@dataclass(frozen=True)
class Scale:
    """How large everything is: batches, network, shards, readers, steps timed, matrices of the peak."""

    batch_sizes: tuple[int, int] = (64, 512)
    image_size: int = 224
    width: float = 1.0
    hop_length: int = 242
    clips: int = 256
    workers: int = 12
    steps: int = 30
    calls: int = 8
    matrix: int = 8192


TRIAL = Scale((4, 8), image_size=32, width=1 / 16, hop_length=1936, clips=8, workers=1, steps=2, calls=1, matrix=256)


def main(folder: Path, *, is_trial: bool = False) -> int:
    """Measure every setting; return an exit code."""
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus and not is_trial:
        print("no GPU here; nothing measured")
        return 1
    scale = TRIAL if is_trial else Scale()
    card = tf.config.experimental.get_device_details(gpus[0])["device_name"] if gpus else "no GPU"
    peaks = {name: _peak(dtype, scale.matrix) for name, dtype in PRECISIONS.items()}
    print(card, {name: f"{peak / 1e12:.3g} TFLOP/s" for name, peak in peaks.items()})
    tiny_shards.SIZE = scale.image_size
    rows = []
    with tempfile.TemporaryDirectory() as data:
        index = tiny_shards.write_split(Path(data), "train", n_clips=scale.clips, share=16)
        for batch_size, precision, xla in itertools.product(scale.batch_sizes, PRECISIONS, (False, True)):
            setting = {"batch_size": batch_size, "precision": precision, "xla": xla}
            rows.append(setting | _measure(index, scale, peaks[precision], **setting))
            print(json.dumps(rows[-1]), flush=True)
    if is_trial:
        print("a trial in small: the figures say nothing of the network, and are not kept")
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gpu.json").write_text(json.dumps({"card": card, "peaks": peaks, "settings": rows}, indent=2) + "\n")
    return 0


def _measure(index: Path, scale: Scale, peak: float, **setting: Any) -> dict[str, Any]:
    """Return the figures of a setting, or that it does not fit the memory."""
    try:
        rates = _rates(index, scale, **setting)
    except tf.errors.ResourceExhaustedError:
        return {"out_of_memory": True}
    finally:
        keras.utils.clear_session(free_memory=True)
    return {
        "samples_per_second": round(rates["memory"], 1),
        f"samples_per_second_{IN_A_CALL}_steps_a_call": round(rates["calls"], 1),
        "samples_per_second_with_feed": round(rates["feed"], 1),
        "share_of_peak": round(rates["memory"] * GFLOP_A_SAMPLE * 1e9 / peak, 4),
        "hours_of_the_paper": round(PAPER_SAMPLES / rates["feed"] / 3600, 2),
    }


def _rates(index: Path, scale: Scale, *, batch_size: int, precision: str, xla: bool) -> dict[str, float]:
    """Return samples a second on a batch in memory and with the feed."""
    strategy = open_strategy("single")
    shape = {"image_size": scale.image_size, "width": scale.width, "hop_length": scale.hop_length}
    model = build_l3("mel256", **shape, precision=precision, batch_norm=batch_norm_for(xla))
    optimizer = make_optimizer(model, LearningRate(1e-5), precision)
    update = training_step(model, optimizer, strategy, prepare_batch, batch_size=batch_size, augment=True, xla=xla)
    together = several_steps(update, IN_A_CALL)
    n = 1 + WARM_UP_STEPS + scale.steps

    def several(batches):
        return together(batches)[-1]

    stream = iter(open_feed(index, batch_size=batch_size, epoch=0, seed=0, workers=scale.workers, batches=n))
    kept = next(stream)
    return {
        "memory": batch_size * _steps_per_second(update, lambda: kept, scale.steps),
        "calls": batch_size * IN_A_CALL * _steps_per_second(several, lambda: [kept] * IN_A_CALL, scale.calls),
        "feed": batch_size * _steps_per_second(update, lambda: next(stream), scale.steps),
    }


def _steps_per_second(update, batch, n: int) -> float:
    """Return the rate of `n` steps, after a few to trace, compile and warm up."""
    for _ in range(WARM_UP_STEPS):
        loss, _ = update(batch())
    float(loss)
    began = time.perf_counter()
    for _ in range(n):
        loss, _ = update(batch())
    float(loss)
    return n / (time.perf_counter() - began)


def _peak(dtype: tf.DType, n: int, times: int = 20) -> float:
    """Return the operations a second of a product of square matrices of `n` rows."""
    a = tf.cast(tf.random.stateless_normal([n, n], [1, 2]), dtype)

    @tf.function
    def product(b):
        return tf.matmul(a, b) * tf.cast(1e-2, dtype)

    b = product(a)
    tf.reduce_sum(tf.cast(b, tf.float32)).numpy()
    began = time.perf_counter()
    for _ in range(times):
        b = product(b)
    tf.reduce_sum(tf.cast(b, tf.float32)).numpy()
    return times * 2.0 * n**3 / (time.perf_counter() - began)


def answer(main: Callable[..., int], about: str | None) -> int:
    """Call the `main` of a module for GPUs, which `about` describes, as the command line says."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("results"))
    parser.add_argument("--trial", action="store_true", help="run everything in small; write nothing")
    arguments = parser.parse_args()
    return main(arguments.folder, is_trial=arguments.trial)


if __name__ == "__main__":
    sys.exit(answer(main, __doc__))
