"""Make a small synthetic data set whose recordings have several labels each, with a table of them."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from l3net.demo import MIXTURES, Recording, generator, make_recording, mix
from l3net.files import atomic
from l3net.runtime import stage, track_progress

SECONDS, RATE = 4.0, 44_100
N_FOLDS = 5


def make_demo_mixtures(mixtures: Path, *, seed: int, recordings: int = 150, threads: int = 1) -> None:
    """Write a folder of synthetic recordings and their labels. Nothing in it is real.

    Parameters
    ----------
    mixtures : folder to write, for data sets of layout folder: audio/, and metadata.csv with the columns filename, fold
        (1 to 5) and labels, separated by semicolons. A recording has each class by a chance of its own, and one at
        least; what is heard far away beside them has no label, as in recordings of streets.
    seed : of everything that is drawn; the same seed gives the same recordings.
    recordings : how many.
    threads : recordings made at a time.
    """
    import pandas as pd

    rng, rows, made = generator(seed, "mixtures"), [], []
    classes, chances = np.array(list(MIXTURES)), np.array(list(MIXTURES.values()))
    with atomic.replacing_folder(mixtures) as folder:
        for number in range(recordings):
            has = rng.random(len(classes)) < chances
            has[rng.choice(len(classes), p=chances / chances.sum())] |= not has.any()
            name = f"{number + 1:04d}.wav"
            rows.append({"filename": f"audio/{name}", "fold": number % N_FOLDS + 1, "labels": ";".join(classes[has])})
            made.append(Recording(folder / "audio" / name, mix(classes[has]), SECONDS, RATE, 1, f"mixtures/{name}"))
        with ProcessPoolExecutor(threads) as pool:
            each = pool.map(partial(make_recording, seed=seed), made, chunksize=8)
            for _ in track_progress(each, "making recordings", len(made), "recordings"):
                pass
        atomic.write_csv(pd.DataFrame(rows), folder / "metadata.csv")


if __name__ == "__main__":
    stage.main(make_demo_mixtures, globals().get("snakemake"))
