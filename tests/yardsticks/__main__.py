"""Prints the accuracy of the yardsticks on ESC-10 and the difference of every two, with 95 % intervals.

    python -m tests.yardsticks ../shared/data/esc10 --weights resources/weights

Intervals are bootstraps over the recordings that the clips were cut from. Weights that are not in the folder are
fetched. A yardstick whose modules are not installed is left out.
"""

import argparse
import itertools
import tempfile
from pathlib import Path

import numpy as np

from l3net.cli.probe import folds_of
from tests.yardsticks.networks import (
    YARDSTICKS,
    clips_of,
    correct_clips,
    fetch_weights,
    mean_interval,
    recordings_of,
)


def main() -> None:
    """Embed the clips with each yardstick and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("esc10", type=Path, help="the folder of ESC-10, with a folder for each class")
    parser.add_argument("--weights", type=Path, default=Path("resources/weights"), help="folder of fetched weights")
    options = parser.parse_args()
    paths = clips_of(options.esc10)
    recordings, folds = recordings_of(paths), folds_of(paths)
    print(f"{len(paths)} clips of {len(set(recordings))} recordings, {len(set(folds))} folds")
    correct = {}
    for name, yardstick in YARDSTICKS.items():
        if yardstick.missing:
            print(f"{name}: left out, {' and '.join(yardstick.missing)} are not installed")
            continue
        with tempfile.TemporaryDirectory() as vectors:
            weights = fetch_weights(yardstick, options.weights)
            correct[name] = correct_clips(yardstick, weights, options.esc10, Path(vectors)).astype(float)
        by_fold = " ".join(f"{100 * correct[name][folds == fold].mean():.2f}" for fold in sorted(set(folds)))
        print(f"{name}: {_percent(correct[name], recordings)}; by fold {by_fold}", flush=True)
    for better, worse in itertools.combinations(correct, 2):
        print(f"{better} - {worse}: {_percent(correct[better] - correct[worse], recordings)}")


def _percent(values: np.ndarray, recordings: np.ndarray) -> str:
    low, high = mean_interval(values, recordings)
    return f"{100 * values.mean():.2f} ({100 * low:.2f} to {100 * high:.2f})"


if __name__ == "__main__":
    main()
