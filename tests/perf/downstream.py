"""Nine settings of five folds and three seeds as one program against as many Keras fits; memory of a large fold.

The program is compiled once, in the first of its fifteen fits, and each fit trains nine settings together; Keras fits
one setting after another. A round is one of the fifteen on both sides, in turns, each side in a process of its own that
goes on; what the first fit takes above the others is spread over the fifteen. Rounds beyond `_ROUNDS` are not run: the
fifteen differ in their data alone.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.perf.memory import peak_megabytes
from tests.perf.ratios import Ratio

RATES, DECAYS = [1e-5, 1e-4, 1e-3], [1e-5, 1e-4, 1e-3]
HIDDEN, N_CLASSES, BATCH = [512, 128], 10, 64
# Windows and epochs: enough that compilation is what it is in a real fold, little enough to be measured in minutes.
CASES = {512: (6400, 3, 6.0), 6144: (1280, 3, 4.0)}
FITS = 15  # five folds, three seeds
_ROUNDS = 4
US8K_CLIPS, US8K_WINDOWS, US8K_DIMENSIONS = 8732, 31, 6144


def measure() -> list[Ratio]:
    """Return the speed-ups (Keras' seconds by ours, compilation included) and the memory of a large fold."""
    found = [_against_keras(dimensions, *case) for dimensions, case in CASES.items()]
    megabytes, seconds = _large_fold()
    memory = {"seconds": seconds, "steps_trained": 2}
    name = "downstream: memory of an UrbanSound8K fold (GB)"
    return [*found, Ratio(name=name, rounds=[megabytes / 1000], goal=6.0, better="lower", figures=memory)]


def _against_keras(dimensions: int, n: int, epochs: int, goal: float) -> Ratio:
    """Return Keras' seconds by the program's, of one fold and seed a round."""
    command = [sys.executable, "-m", "tests.perf.downstream"]
    walls: dict[str, list[float]] = {"batched": [], "keras": []}
    cpus: dict[str, list[float]] = {"batched": [], "keras": []}
    losses: dict[str, list[float]] = {"batched": [], "keras": []}
    with ExitStack() as running:
        processes = {
            side: running.enter_context(
                subprocess.Popen(
                    [*command, side, *map(str, (dimensions, n, epochs))],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for side in walls
        }
        for turn in range(1 + _ROUNDS):
            for side, process in processes.items():
                process.stdin.write(f"{turn}\n")
                process.stdin.flush()
                wall, cpu, loss = map(float, process.stdout.readline().split())
                walls[side].append(wall)
                cpus[side].append(cpu)
                losses[side].append(loss)
        for process in processes.values():
            process.stdin.close()
    first, *batched = walls["batched"]
    compiling = max(first - statistics.median(batched), 0.0)
    return Ratio(
        name=f"downstream: nine settings, five folds, three seeds batched, {dimensions}-d",
        rounds=[keras / (ours + compiling / FITS) for keras, ours in zip(walls["keras"][1:], batched, strict=True)],
        goal=goal,
        figures={
            "compiling_seconds": compiling,
            "batched_seconds_a_fit": statistics.median(batched),
            "keras_seconds_a_fit": statistics.median(walls["keras"][1:]),
            "batched_cpu_seconds_a_fit": statistics.median(cpus["batched"][1:]),
            "keras_cpu_seconds_a_fit": statistics.median(cpus["keras"][1:]),
            "batched_lowest_validation_loss": statistics.median(losses["batched"]),
            "keras_lowest_validation_loss": statistics.median(losses["keras"]),
            "fits": FITS,
            "fits_measured": _ROUNDS,
            "windows": n,
            "epochs": epochs,
        },
    )


class _Clocks:
    """The wall's and the processor's."""

    def __init__(self) -> None:
        self.started = time.perf_counter(), time.process_time()

    def seconds(self) -> tuple[float, float]:
        return time.perf_counter() - self.started[0], time.process_time() - self.started[1]


def _data(dimensions: int, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return windows of classes that lie apart, so that validation losses say whether both sides learn alike."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, N_CLASSES, n).astype(np.int32)
    centres = np.random.default_rng(0).standard_normal((N_CLASSES, dimensions), dtype=np.float32) * 0.1
    return centres[y] + rng.standard_normal((n, dimensions), dtype=np.float32), y


def _batched(dimensions: int, n: int, epochs: int) -> Callable[[int], float]:
    """Return a function that fits the nine settings of one fold and seed, and returns the lowest validation loss."""
    from l3net.downstream.mlp_grid import MlpGrid, tf
    from l3net.downstream.standardise import LabelledWindows

    np.asarray(tf.constant(1.0))
    grid = [(rate, decay) for rate in RATES for decay in DECAYS]
    rates, decays = map(list, zip(*grid, strict=True))
    sizes, how = [dimensions, *HIDDEN, N_CLASSES], {"batch_size": BATCH, "penalised_validation": True}
    program = MlpGrid(sizes, rates, decays, **how)

    def fit(seed: int) -> float:
        train = LabelledWindows(*_data(dimensions, n, 2 * seed), n)
        valid = LabelledWindows(*_data(dimensions, 512, 2 * seed + 1), 512)
        return float(program.fit(train, valid, max_epochs=epochs, patience_epochs=epochs, seed=seed).loss.min())

    return fit


def _keras(dimensions: int, n: int, epochs: int) -> Callable[[int], float]:
    """Return a function that fits the same with Keras, one setting after another."""
    import keras

    keras.ops.convert_to_tensor(1.0)

    def fit(seed: int) -> float:
        x, y = _data(dimensions, n, 2 * seed)
        valid = _data(dimensions, 512, 2 * seed + 1)
        lowest = []
        for rate in RATES:
            for decay in DECAYS:
                layers = [keras.Input((dimensions,))]
                for units, activation in ((HIDDEN[0], "relu"), (HIDDEN[1], "relu"), (N_CLASSES, "softmax")):
                    regularizer = keras.regularizers.L2(decay)
                    layers.append(keras.layers.Dense(units, activation, kernel_regularizer=regularizer))
                model = keras.Sequential(layers)
                model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
                stop = keras.callbacks.EarlyStopping(patience=epochs, restore_best_weights=True)
                trained = model.fit(x, y, BATCH, epochs, verbose=0, validation_data=valid, callbacks=[stop])
                lowest.append(min(trained.history["val_loss"]))
        return min(lowest)

    return fit


def _serve(fit: Callable[[int], float]) -> None:
    """Fit once for each seed on standard input; print wall seconds, processor seconds and the loss."""
    for line in sys.stdin:
        clocks = _Clocks()
        loss = fit(int(line))
        print(*clocks.seconds(), loss, flush=True)


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
        file["timestamps"] = np.tile(0.1 * np.arange(US8K_WINDOWS), US8K_CLIPS)
        clip = np.arange(US8K_CLIPS)
        text = {"filename": clip, "label": clip % 10, "fold": clip // 10 % 10 + 1, "group": clip // 2}
        for name, values in text.items():
            file.create_dataset(f"clips/{name}", data=[str(value) for value in values], dtype=h5py.string_dtype())
        n_bytes = embedding.nbytes
    # A file that is smaller than what it states is refused; the rest is a hole, which takes no room on the disk.
    os.truncate(folder / "us8k.h5", n_bytes + (folder / "us8k.h5").stat().st_size)
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
        _serve({"batched": _batched, "keras": _keras}[sys.argv[1]](*map(int, sys.argv[2:])))
