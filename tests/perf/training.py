"""Training: the feed against a batch in memory, our step against Keras', front ends against librosa and kapre.

Each pair is timed in turns, with the same threads; figures are medians. kapre does not import beside Keras 3; its layer
runs in a process of its own, in the environment of tests/golden/make_front_ends_kapre.py, whose Python
L3NET_KAPRE_PYTHON names, and is asked for one batch at a time.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import librosa
import numpy as np
import tensorflow as tf

from l3net.devices.strategies import open_strategy
from l3net.feed.augment import prepare_batch
from l3net.feed.pipeline import open_feed
from l3net.models.l3 import build_l3
from l3net.models.spectrogram import build_front_end
from l3net.training.batch_norm import FusedBatchNormalization
from l3net.training.optimizer import LearningRate, make_optimizer
from l3net.training.step import Step, training_step
from tests import tiny_shards
from tests.golden.front_end_sounds import sounds
from tests.perf.ratios import Ratio, divided, in_turns

BATCH, ROUNDS = 32, 24
# Makes the spectrograms of one batch for every line it is given.
KAPRE = """
import sys
import numpy as np, tensorflow as tf
from kapre.composed import get_melspectrogram_layer
layer = get_melspectrogram_layer(input_shape=(48000, 1), n_fft=2048, hop_length=242, n_mels=256, sample_rate=48000,
    pad_end=True, return_decibel=True, input_data_format="channels_last", output_data_format="channels_last")
run, sound = tf.function(layer), tf.constant(np.load(sys.argv[1])[..., None])
for _ in sys.stdin:
    run(sound).numpy()
    print("done", flush=True)
"""


def measure() -> list[Ratio]:
    """Return the ratios of the training, each with the seconds behind it."""
    with tempfile.TemporaryDirectory() as folder:
        return [*_steps(Path(folder)), *_front_ends()]


def _steps(folder: Path) -> list[Ratio]:
    index = tiny_shards.write_split(folder, "train", n_clips=64, share=32)
    strategy = open_strategy("single")
    settings = {"image_size": tiny_shards.SIZE, "width": 1 / 8, "hop_length": 1936}
    model = build_l3("mel256", **settings, batch_norm=FusedBatchNormalization)
    optimizer = make_optimizer(model, LearningRate(1e-4), "float32")
    update = training_step(model, optimizer, strategy, prepare_batch, batch_size=BATCH, augment=True, xla=False)
    stream = iter(open_feed(index, batch_size=BATCH, epoch=0, seed=0, workers=1, batches=3 * ROUNDS))
    kept = next(stream)
    fed = {"feed": lambda: update(next(stream)), "memory": lambda: update(kept)}
    fed_row = _lower("training: step with the feed / with a batch in memory", fed, 1.10)

    theirs = build_l3("mel256", **settings)
    theirs.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy", metrics=["accuracy"])
    image, audio, label = prepare_batch(kept, True)
    ready = {"image": image, "audio": audio, "label": label}
    plain = _plain_step(settings, strategy)
    sides = {
        "ours": lambda: plain(ready),
        "keras": lambda: theirs.train_on_batch({"image": image, "audio": audio}, label),
    }
    return [fed_row, _lower("training: our step / train_on_batch", sides, 1.05)]


def _plain_step(settings: dict, strategy) -> Step:
    """Return our step on batches that are prepared already, as train_on_batch takes them."""
    model = build_l3("mel256", **settings, batch_norm=FusedBatchNormalization)
    optimizer = make_optimizer(model, LearningRate(1e-4), "float32")
    return training_step(
        model,
        optimizer,
        strategy,
        lambda batch, augment: (batch["image"], batch["audio"], batch["label"]),
        batch_size=BATCH,
        augment=False,
        xla=False,
    )


def _front_ends() -> list[Ratio]:
    windows = np.tile(sounds(), (11, 1))[:BATCH]
    mel = librosa.filters.mel(sr=48000, n_fft=2048, n_mels=256, htk=True, norm="slaney")

    def by_librosa():
        padded = np.pad(windows, ((0, 0), (982, 982)))
        power = np.abs(librosa.stft(padded, n_fft=2048, hop_length=242, center=False)) ** 2
        return [librosa.amplitude_to_db(np.sqrt(mel @ one), ref=np.max, amin=1e-10) for one in power]

    sides = {"ours": _by_us("training", windows), "librosa": by_librosa}
    found = [_lower("training: front end mel256 / librosa", sides, 1.0)]
    if python := os.environ.get("L3NET_KAPRE_PYTHON"):
        # The version openl3 is the same work as kapre's layer: padding at the end, magnitudes, Slaney's scale.
        with _by_kapre(python, windows) as by_kapre:
            sides = {"ours": _by_us("openl3", windows), "kapre": by_kapre}
            found.append(_lower("training: front end mel256 / kapre", sides, 1.0))
    else:
        print("kapre is not timed: L3NET_KAPRE_PYTHON names no Python with it", file=sys.stderr)
    return found


def _by_us(version: str, windows: np.ndarray) -> Callable:
    layer, on_device = tf.function(build_front_end("mel256", version=version)), tf.constant(windows)
    return lambda: layer(on_device, training=True).numpy()


@contextmanager
def _by_kapre(python: str, windows: np.ndarray) -> Iterator[Callable]:
    """Yield a function that has kapre's layer make the spectrograms of `windows` once."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "windows.npy", windows)
        command = [python, "-W", "ignore", "-c", KAPRE, str(Path(folder) / "windows.npy")]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:

            def once():
                process.stdin.write("\n")
                process.stdin.flush()
                if process.stdout.readline() != "done\n":
                    raise RuntimeError(f"kapre's layer does not run under {python}")

            yield once
            process.stdin.close()


def _lower(name: str, sides: dict[str, Callable], goal: float) -> Ratio:
    """Time two sides in turns; the first should take the share `goal` of the second's seconds, or less."""
    seconds = in_turns(sides, ROUNDS, warm_up=2)
    first, second = seconds.values()
    figures = {f"{side}_seconds": round(statistics.median(values), 5) for side, values in seconds.items()}
    return Ratio(name=name, rounds=divided(first, second), goal=goal, better="lower", figures=figures)
