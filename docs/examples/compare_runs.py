"""How well the models of several runs tell whether image and sound belong together, all on the same samples.

    python docs/examples/compare_runs.py results/scenes results/scenes-clip results/scenes-last

Each run's models differ in their seed alone; their last checkpoints answer, over the seeds together, to validation and
test samples of the first run. Printed are the accuracy of each run with its interval over clips, that of each seed, the
difference to the first run (on the same samples, with its interval over clips), and the training samples that each seed
took until its validation accuracy reached `--reach`. No epoch is chosen by these clips, and none was trained on.
"""

import argparse
from pathlib import Path

import numpy as np

from l3net import training
from l3net.configuration import ModelName
from l3net.errors import L3Error
from l3net.report import clustered_difference, clustered_share, read_table


def main() -> None:
    """Ask the models and print a line for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", help="folders of finished runs; the first is compared with")
    parser.add_argument("--samples", type=Path, help="run whose samples are asked about (default: the first)")
    parser.add_argument("--reach", type=float, default=0.75, help="validation accuracy, a fraction")
    parser.add_argument("--confidence", type=float, default=0.95, help="of the intervals, a fraction")
    options = parser.parse_args()
    try:
        taken = [_taken(run, options.reach) for run in options.runs]
        answers = [_ask(run, options.samples or options.runs[0]) for run in options.runs]
    except L3Error as error:  # one line, as everywhere
        raise SystemExit(str(error)) from None
    for run, (right, clips), n_taken in zip(options.runs, answers, taken, strict=True):
        n_seeds, of_seeds = len(right), ", ".join(f"{100 * one.mean():.1f}" for one in right)
        found = clustered_share(right.ravel(), np.tile(clips, (n_seeds, 1)), confidence=options.confidence)
        print(
            f"{run.name}: {100 * found.accuracy:.1f} % ({100 * found.ci_low:.1f} to {100 * found.ci_high:.1f}) of "
            f"{len(clips)} samples of {found.n_units} clips; {n_seeds} seeds: {of_seeds}"
        )
        if run != options.runs[0]:
            first = answers[0][0].mean(axis=0)
            found = clustered_difference(right.mean(axis=0), first, clips, confidence=options.confidence)
            ends = f"{100 * found.ci_low:+.1f} to {100 * found.ci_high:+.1f}"
            print(f"  less {options.runs[0].name}: {100 * found.difference:+.1f} points ({ends})")
        print(f"  training samples until {100 * options.reach:g} %: {', '.join(n_taken)}")


def _models(run: Path) -> list[Path]:
    found = sorted(path.parent for path in run.glob("models/*/history.csv"))
    if not found:
        raise SystemExit(f"{run}: has no finished model; expected models/*/history.csv")
    return found


def _ask(run: Path, samples: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return which answers are right [shape=(seeds, n)], and the clips seen and heard [shape=(n, 2)]."""
    right, clips = [], np.empty((0, 2), int)
    for model in _models(run):
        network, _ = training.load_l3(max(model.glob("checkpoints/epoch-*.h5")), best=False)
        subset, own, clips = ModelName.parse(model.name).subset, [], np.empty((0, 2), int)
        for split in ("valid", "test"):
            index = samples / "shards" / subset / f"{split}.json"
            found = training.ask_correspondence(network, index, seed=0, batch_size=16, batches=10**6)
            own.append(found.right)
            clips = np.concatenate([clips, found.clips + clips.max(initial=-1) + 1])
        right.append(np.concatenate(own))
    return np.stack(right), clips


def _taken(run: Path, accuracy: float) -> list[str]:
    """Return for each seed how many samples it had seen when it first was so good on its validation samples."""
    taken = []
    for model in _models(run):
        history = read_table(model / "history.csv", ["samples_seen", "val_accuracy"], "select_checkpoint")
        seen = history["samples_seen"].astype(int)
        reached = seen[history["val_accuracy"] >= accuracy]
        taken.append(f"{reached.min()}" if len(reached) else f"more than {seen.max()}")
    return taken


if __name__ == "__main__":
    main()
