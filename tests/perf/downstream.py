"""Nine settings as one program against nine Keras fits, and the memory of a fold of UrbanSound8K's size."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.perf.memory import peak_megabytes
from tests.perf.ratios import Ratio, divided

RATES, DECAYS = [1e-5, 1e-4, 1e-3], [1e-5, 1e-4, 1e-3]
HIDDEN, N_CLASSES, BATCH = [512, 128], 10, 64
# Windows and epochs: enough that compilation is what it is in a real fold, little enough to be measured in minutes.
CASES = {512: (6400, 3, 3.0), 6144: (1280, 3, 1.0)}
REPEATS = 3
US8K_CLIPS, US8K_WINDOWS, US8K_DIMENSIONS = 8732, 31, 6144


def measure() -> list[Ratio]:
    """Return the speed-ups (Keras' seconds by ours, compilation included) and the memory of a large fold."""
    found = []
    for dimensions, (n, epochs, goal) in CASES.items():
        batched, keras, batched_cpu, keras_cpu = zip(
            *[_pair(dimensions, n, epochs) for _ in range(REPEATS)], strict=True
        )
        medians = {"batched": batched, "keras": keras, "batched_cpu": batched_cpu, "keras_cpu": keras_cpu}
        # Processor seconds do not wait for what else runs: they tell how far a busy machine's ratio may be trusted.
        figures = {f"{name}_seconds": statistics.median(seconds) for name, seconds in medians.items()}
        found.append(
            Ratio(
                name=f"downstream: nine settings batched, {dimensions}-d",
                rounds=divided(keras, batched),
                goal=goal,
                figures=figures | {"windows": n, "epochs": epochs},
            )
        )
    megabytes, seconds = _large_fold()
    memory = {"seconds": seconds, "steps_trained": 2}
    name = "downstream: memory of an UrbanSound8K fold (GB)"
    return [*found, Ratio(name=name, rounds=[megabytes / 1000], goal=6.0, better="lower", figures=memory)]


def _pair(dimensions: int, n: int, epochs: int) -> list[float]:
    """Return the wall seconds of both, then their processor seconds.

    Each runs in a process of its own that has imported TensorFlow before the clocks start.
    """
    command = [sys.executable, "-m", "tests.perf.downstream"]
    ended = [
        subprocess.run([*command, who, *map(str, (dimensions, n, epochs))], stdout=subprocess.PIPE, check=True)
        for who in ("batched", "keras")
    ]
    (batched, batched_cpu), (keras, keras_cpu) = (map(float, process.stdout.split()) for process in ended)
    return [batched, keras, batched_cpu, keras_cpu]


class _Clocks:
    """The wall's and the processor's."""

    def __init__(self) -> None:
        self.started = time.perf_counter(), time.process_time()

    def seconds(self) -> tuple[float, float]:
        return time.perf_counter() - self.started[0], time.process_time() - self.started[1]


def _data(dimensions: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, dimensions), dtype=np.float32), rng.integers(0, N_CLASSES, n).astype(np.int32)


def _batched(dimensions: int, n: int, epochs: int) -> tuple[float, float]:
    from l3net.downstream.mlp_grid import MlpGrid, tf
    from l3net.downstream.standardise import LabelledWindows

    x, y = _data(dimensions, n)
    train, valid = LabelledWindows(x, y, n), LabelledWindows(*_data(dimensions, 512), 512)
    np.asarray(tf.constant(1.0))
    clocks = _Clocks()
    grid = [(rate, decay) for rate in RATES for decay in DECAYS]
    rates, decays = map(list, zip(*grid, strict=True))
    program = MlpGrid([dimensions, *HIDDEN, N_CLASSES], rates, decays, batch_size=BATCH)
    program.fit(train, valid, max_epochs=epochs, patience_epochs=epochs, seed=0)
    return clocks.seconds()


def _keras(dimensions: int, n: int, epochs: int) -> tuple[float, float]:
    import keras

    x, y = _data(dimensions, n)
    valid = _data(dimensions, 512)
    keras.ops.convert_to_tensor(1.0)
    clocks = _Clocks()
    for rate in RATES:
        for decay in DECAYS:
            layers = [keras.Input((dimensions,))]
            for units, activation in ((HIDDEN[0], "relu"), (HIDDEN[1], "relu"), (N_CLASSES, "softmax")):
                regularizer = keras.regularizers.L2(decay)
                layers.append(keras.layers.Dense(units, activation, kernel_regularizer=regularizer))
            model = keras.Sequential(layers)
            model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
            stop = keras.callbacks.EarlyStopping(patience=epochs, restore_best_weights=True)
            model.fit(x, y, BATCH, epochs, verbose=0, validation_data=valid, callbacks=[stop])
    return clocks.seconds()


def _large_fold() -> tuple[float, float]:
    """Return the largest memory (MB) and the seconds of a fold of UrbanSound8K's size, in a process of its own."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/tmp")) as folder:
        command = [sys.executable, "-m", "tests.perf.downstream", "fold", folder]
        ended = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    megabytes, seconds = map(float, ended.stdout.split())
    return megabytes, seconds


def _fold(folder: Path) -> tuple[float, float]:
    """Load, standardise and train on one fold; its epochs are cut to two steps: memory does not grow after them."""
    import h5py

    from l3net.downstream.classifiers import MlpSettings
    from l3net.downstream.evaluation import EvaluationSettings, FoldEvaluator
    from l3net.downstream.mlp_grid import MlpGrid
    from l3net.vectors import read_dataset_vectors

    n_windows = US8K_CLIPS * US8K_WINDOWS
    rng = np.random.default_rng(0)
    with h5py.File(folder / "us8k.h5", "w") as file:
        # Most windows are never written: HDF5 gives zeros for them, and the file stays small.
        embedding = file.create_dataset(
            "embedding", (n_windows, US8K_DIMENSIONS), "f4", chunks=(US8K_WINDOWS, US8K_DIMENSIONS)
        )
        for start in range(0, n_windows, 200 * US8K_WINDOWS):
            embedding[start : start + US8K_WINDOWS] = rng.standard_normal((US8K_WINDOWS, US8K_DIMENSIONS))
        file["offsets"] = np.arange(US8K_CLIPS + 1) * US8K_WINDOWS
        clip = np.arange(US8K_CLIPS)
        text = {"filename": clip, "label": clip % 10, "fold": clip // 10 % 10 + 1, "group": clip // 2}
        for name, values in text.items():
            file.create_dataset(f"clips/{name}", data=[str(value) for value in values], dtype=h5py.string_dtype())
    started = time.perf_counter()
    fit = MlpGrid.fit

    def two_steps(self, train, valid, **settings):
        return fit(self, replace(train, n=2 * BATCH), replace(valid, n=512), **{**settings, "max_epochs": 2})

    MlpGrid.fit = two_steps
    mlp = MlpSettings(HIDDEN, RATES, DECAYS, max_epochs=2, patience_epochs=2, batch_size=BATCH, xla=True)
    settings = EvaluationSettings("us8k", "mlp", "paper", 0.1, [0], 0, 6000, mlp)
    FoldEvaluator(read_dataset_vectors(folder / "us8k.h5"), settings).evaluate(0, "1")
    return peak_megabytes(), time.perf_counter() - started


if __name__ == "__main__":
    if sys.argv[1] == "fold":
        print(*_fold(Path(sys.argv[2])))
    else:
        print(*{"batched": _batched, "keras": _keras}[sys.argv[1]](*map(int, sys.argv[2:])))
