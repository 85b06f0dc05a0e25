"""Training speed on a GPU: full width, batch 64 and 512, float32 and mixed bfloat16, XLA on and off, one device.

    python -m tests.perf.gpu [FOLDER]

Prints a line a setting and writes gpu.json into FOLDER (default results): samples a second on a batch in memory and
with the feed, the share of the card's measured matrix-product peak, and the hours of the paper's 78.6 million samples
(the paper: ten days on four GPUs; the goal: 12 hours on one H100, feed included). Ends with 1 where there is no GPU.
"""

import itertools
import json
import sys
import tempfile
import time
from pathlib import Path

import tensorflow as tf

from l3net import devices, feed, networks, steps
from tests import tiny_shards

GFLOP_A_SAMPLE = 123.0  # forward and backward, full width, mel256, 224 pixels
PAPER_SAMPLES = 300 * 4096 * 64
STEPS = 30


def main(folder: Path) -> int:
    """Measure every setting; return an exit code."""
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        print("no GPU here; nothing measured")
        return 1
    card = tf.config.experimental.get_device_details(gpus[0])["device_name"]
    peaks = {"float32": _peak(tf.float32), "mixed_bfloat16": _peak(tf.bfloat16)}
    print(card, {name: f"{peak / 1e12:.0f} TFLOP/s" for name, peak in peaks.items()})
    tiny_shards.SIZE = 224
    rows = []
    with tempfile.TemporaryDirectory() as data:
        index = tiny_shards.write_split(Path(data), "train", n_clips=256, share=16)
        for batch_size, precision, xla in itertools.product((64, 512), peaks, (False, True)):
            rows.append(_setting(index, batch_size, precision, xla, peaks[precision]))
            print(json.dumps(rows[-1]))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gpu.json").write_text(json.dumps({"card": card, "peaks": peaks, "settings": rows}, indent=2) + "\n")
    return 0


def _setting(index: Path, batch_size: int, precision: str, xla: bool, peak: float) -> dict:
    strategy = devices.open_strategy("single", deterministic=False)
    model = networks.build_l3("mel256", image_size=224, precision=precision)
    optimizer = steps.make_optimizer(model, steps.LearningRate(1e-5), precision)
    update = steps.training_step(model, optimizer, strategy, feed.prepare, batch_size=batch_size, augment=True, xla=xla)
    stream = iter(feed.open_feed(index, batch_size=batch_size, epoch=0, seed=0, workers=12, batches=STEPS + 8))
    kept = next(stream)
    rates = {
        "memory": _rate(update, lambda: kept, batch_size),
        "feed": _rate(update, lambda: next(stream), batch_size),
    }
    return {
        "batch_size": batch_size,
        "precision": precision,
        "xla": xla,
        "samples_per_second": round(rates["memory"], 1),
        "samples_per_second_with_feed": round(rates["feed"], 1),
        "share_of_peak": round(rates["memory"] * GFLOP_A_SAMPLE * 1e9 / peak, 4),
        "hours_of_the_paper": round(PAPER_SAMPLES / rates["feed"] / 3600, 2),
    }


def _rate(update, batch, batch_size: int) -> float:
    """Return samples a second over the steps, after three to warm up."""
    for _ in range(3):
        loss, _ = update(batch())
    float(loss)
    began = time.perf_counter()
    for _ in range(STEPS):
        loss, _ = update(batch())
    float(loss)
    return STEPS * batch_size / (time.perf_counter() - began)


def _peak(dtype: tf.DType, n: int = 8192, times: int = 20) -> float:
    """Return the operations a second of a product of square matrices."""
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


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "results")))
