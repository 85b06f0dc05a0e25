"""Classify a downstream data set from its embeddings: every fold in turn, every clip predicted once a seed."""

import csv
import json
import logging
import shutil
from pathlib import Path

import numpy as np

from l3net.downstream import (
    EmbeddedClips,
    FoldWindows,
    LabelledWindows,
    MlpClassifier,
    ScikitLearnClassifier,
    aligned_zeros,
    clip_likelihoods,
    fill_standardised,
    fold_windows,
    folds_to_test,
    mean_and_deviation,
    read_embedded_clips,
    window_blocks,
)
from l3net.errors import DatasetError
from l3net.runtime import Progress, atomic, provenance, stable_hash, stage

_log = logging.getLogger("l3net")
_FACTS = ("kind", "front_end", "subset", "epoch", "samples_seen")


def classify_dataset(
    embeddings: Path,
    predictions: Path,
    settings: Path,
    state: Path,
    dataset: str,
    embedding: str,
    *,
    classifier: str = "mlp",
    protocol: str = "paper",
    hidden: list[int] | None = None,
    learning_rates: list[float] | None = None,
    weight_decays: list[float] | None = None,
    max_epochs: int = 50,
    patience_epochs: int = 20,
    batch_size: int = 64,
    validation_share: float = 0.1,
    seeds: list[int] | None = None,
    xla: bool = True,
    memory_megabytes: int = 6000,
    seed: int = 0,
) -> None:
    """Write per-clip predictions with likelihoods, and the validation scores of every setting.

    Parameters
    ----------
    embeddings : HDF5 file of embed_dataset.
    predictions : CSV, one row a tested clip and seed: facts of the embedding, label, prediction, ``p:{label}``.
    settings : CSV, one row a fold, seed and hyperparameter setting.
    state : folder where each fold is kept as it ends, so that a killed job goes on from there; removed at the end.
    protocol : ``paper`` validates on whole clips grouped by source; ``published_code`` on windows of training clips.
    memory_megabytes : a fold whose windows need more than half of this is held in float16.

    Raises
    ------
    DatasetError
        Embeddings that cannot be read, a fold that leaves nothing to validate on, more memory needed than allowed.
    """
    given = {key: value for key, value in locals().items() if key not in {"predictions", "settings", "state"}}
    clips = read_embedded_clips(embeddings)
    stat = embeddings.stat()
    key = provenance.canonical_json({**given, "size": stat.st_size, "written": stat.st_mtime_ns})
    kept = state / f"{stable_hash(key):016x}"
    job = _Job(clips, given)
    outcomes = []
    seeds, tested = seeds or [0], folds_to_test(clips.fold)
    with Progress(f"{dataset}, {embedding}", len(seeds) * len(tested), "folds") as bar:
        for number in seeds:
            for fold in tested:
                outcomes.append((number, fold, *_kept_or_made(kept / f"{number}-{fold}.npz", job, number, fold)))
                bar.advance()
    facts = {name: clips.attributes.get(name, "") for name in _FACTS}
    facts = {"dataset": dataset, "embedding": embedding, **facts, "protocol": protocol}
    _write_predictions(predictions, clips, facts, outcomes)
    _write_settings(settings, {"dataset": dataset, "embedding": embedding, "classifier": classifier}, outcomes)
    shutil.rmtree(state, ignore_errors=True)


class _Job:
    """The classifier and the buffers that all folds share, made when the first fold asks for them."""

    def __init__(self, clips: EmbeddedClips, given: dict) -> None:
        self.clips, self.given, self.ready = clips, given, False
        self.y = np.searchsorted(clips.classes, clips.label).astype(np.int32)

    def split(self, number: int, fold: str) -> FoldWindows:
        return fold_windows(
            self.clips,
            fold,
            protocol=self.given["protocol"],
            validation_share=self.given["validation_share"],
            seed=self._seed(number, fold, "validation"),
        )

    def run(self, number: int, fold: str) -> tuple[np.ndarray, list[dict]]:
        """Return the tested clips' likelihoods and the settings' rows of one fold."""
        if not self.ready:
            self._prepare()
        clips, parts = self.clips, self.split(number, fold)
        mean, deviation = mean_and_deviation(clips, parts.train)
        data = []
        for windows, x in ((parts.train, self.train), (parts.valid, self.valid)):
            n = fill_standardised(clips, windows, mean, deviation, x)
            y = np.zeros(len(x), np.int32)
            y[:n] = self.y[clips.window_clip[windows]]
            data.append(LabelledWindows(x, y, n))
        rows = self.classifier.fit(*data, self._seed(number, fold, "training"), lambda epoch: None)
        tested = np.isin(clips.window_clip, parts.test_clips)
        likelihoods = [
            self.classifier.likelihoods((block - mean) / deviation) for _, block in window_blocks(clips, tested)
        ]
        lengths = np.diff(clips.offsets)[parts.test_clips]
        found = clip_likelihoods(np.concatenate(likelihoods), np.concatenate([[0], np.cumsum(lengths)]))
        counts = {"n_train_windows": data[0].n, "n_valid_windows": data[1].n}
        return found, [{**row, **counts} for row in rows]

    def _seed(self, number: int, fold: str, what: str) -> int:
        """Return a seed of the data set, never of the embedding: embeddings are compared on the same validation."""
        return stable_hash(f"{self.given['seed']}/{number}/{self.given['dataset']}/{fold}/{what}")

    def _prepare(self) -> None:
        given, clips = self.given, self.clips
        seeds = given["seeds"] or [0]
        splits = [self.split(number, fold) for number in seeds for fold in folds_to_test(clips.fold)]
        n_train, n_valid = (max(int(getattr(s, part).sum()) for s in splits) for part in ("train", "valid"))
        if given["classifier"] == "mlp":
            from l3net.downstream import padded_rows

            n_train, n_valid = padded_rows(n_train, given["batch_size"])[0], padded_rows(n_valid, 1)[1]
            grid = ("learning_rates", "weight_decays", "max_epochs", "patience_epochs", "batch_size", "xla")
            sizes = [clips.n_dimensions, *(given["hidden"] or [512, 128]), len(clips.classes)]
            self.classifier = MlpClassifier(sizes, **{name: given[name] for name in grid})
        else:
            self.classifier = ScikitLearnClassifier(given["classifier"], len(clips.classes))
        kind = _precision((n_train + n_valid) * clips.n_dimensions, given["memory_megabytes"])
        self.train, self.valid = (aligned_zeros(n, clips.n_dimensions, kind) for n in (n_train, n_valid))
        self.ready = True


def _precision(numbers: int, memory_megabytes: int) -> type:
    """Return float32 where the windows of a fold fit half the memory, else float16 (the rest is for the program)."""
    half = memory_megabytes / 2
    if numbers * 2 / 1e6 > 0.75 * memory_megabytes:
        raise DatasetError(
            f"a fold needs {numbers * 2 / 1e6:.0f} MB in float16, more than three quarters of "
            f"classify.memory_megabytes ({memory_megabytes}); raise it, or embed with a longer hop"
        )
    return np.float32 if numbers * 4 / 1e6 <= half else np.float16


def _kept_or_made(path: Path, job: _Job, number: int, fold: str) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """Return tested clips, likelihoods and rows of a fold: from the state folder, or made and kept there."""
    if path.exists():
        with np.load(path, allow_pickle=False) as found:
            _log.info("fold %s, seed %s: kept from an earlier run", fold, number)
            return found["clips"], found["likelihoods"], json.loads(str(found["rows"]))
    likelihoods, rows = job.run(number, fold)
    tested = job.split(number, fold).test_clips
    with atomic.replacing(path) as temporary:
        np.savez(temporary, clips=tested, likelihoods=likelihoods, rows=json.dumps(rows))
    right = likelihoods.argmax(axis=1) == job.y[tested]
    _log.info("fold %s, seed %s: %d of %d clips right", fold, number, right.sum(), right.size)
    return tested, likelihoods, rows


def _write_predictions(path: Path, clips: EmbeddedClips, facts: dict, outcomes: list) -> None:
    header = [*facts, "seed", "fold", "filename", "label", "predicted", "correct", *(f"p:{c}" for c in clips.classes)]
    with atomic.replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for number, fold, tested, likelihoods, _ in outcomes:
            for clip, row in zip(tested, likelihoods, strict=True):
                predicted, label = clips.classes[int(row.argmax())], clips.label[clip]
                verdict = [clips.filename[clip], label, predicted, int(predicted == label)]
                writer.writerow([*facts.values(), number, fold, *verdict, *(f"{p:.6g}" for p in row)])


def _write_settings(path: Path, facts: dict, outcomes: list) -> None:
    rows = [{**facts, "seed": n, "fold": fold, **row} for n, fold, _, _, found in outcomes for row in found]
    with atomic.replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    stage.main(classify_dataset, globals().get("snakemake"))
