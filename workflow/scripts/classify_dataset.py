"""Classify a downstream data set from its embeddings: every fold in turn, every clip predicted once a seed."""

import shutil
from pathlib import Path
from typing import Any

from l3net.configuration import Classify
from l3net.downstream import EvaluationSettings, FoldOutcome, MlpSettings, evaluate_folds
from l3net.report import write_rows
from l3net.runtime import stage
from l3net.vectors import DatasetVectors, join_labels, read_dataset_vectors

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
    predictions : CSV, a row for each tested clip and seed: facts of the embedding, label, prediction, group (the
        recording that the clip was cut from), ``p:{label}``.
    settings : CSV, a row for each fold, seed and setting of the classifier.
    state : folder where each fold is kept as it ends, so that a killed job resumes there; removed at the end.
    classifier : mlp, linear, knn, svm or forest.
    protocol : ``paper`` validates on whole clips grouped by source; ``published_code`` on windows of training clips,
        and with the L2 penalty in the validation loss.
    hidden : units of each hidden layer; default: 512 128.
    learning_rates, weight_decays : the grid of the perceptrons; default of each: 1e-5 1e-4 1e-3.
    seeds : everything is repeated for each; default: 0.
    memory_megabytes : a fold whose windows need more than half of this is held in float16.

    Raises
    ------
    ConfigError
        A setting that section ``classify`` of the configuration cannot have.
    DatasetError
        Embeddings that cannot be read, a fold that leaves no clip to validate on, more memory needed than allowed.
    """
    given = {"classifier": classifier, "protocol": protocol, "hidden": hidden, "learning_rates": learning_rates}
    given |= {"weight_decays": weight_decays, "max_epochs": max_epochs, "patience_epochs": patience_epochs}
    given |= {"batch_size": batch_size, "validation_share": validation_share, "seeds": seeds}
    given |= {"memory_megabytes": memory_megabytes}
    # A list without values is one that was not given.
    chosen = Classify.read({name: value for name, value in given.items() if value not in (None, [])}, "classify")
    clips = read_dataset_vectors(embeddings)
    mlp = MlpSettings(
        hidden=chosen.hidden,
        learning_rates=chosen.learning_rates,
        weight_decays=chosen.weight_decays,
        max_epochs=chosen.max_epochs,
        patience_epochs=chosen.patience_epochs,
        batch_size=chosen.batch_size,
        xla=xla,
    )
    evaluation = EvaluationSettings(
        dataset=dataset,
        classifier=chosen.classifier,
        protocol=chosen.protocol,
        validation_share=chosen.validation_share,
        repeats=chosen.seeds,
        seed=seed,
        memory_megabytes=chosen.memory_megabytes,
        mlp=mlp,
    )
    outcomes = evaluate_folds(clips, evaluation, state)
    names = {"dataset": dataset, "embedding": embedding}
    facts = {**names, **{name: clips.attributes.get(name, "") for name in _FACTS}, "protocol": protocol}
    rows = [row for outcome in outcomes for row in _predictions(clips, facts, outcome)]
    write_rows(rows, predictions)
    tried = [
        {**names, "classifier": classifier, "seed": outcome.repeat, "fold": outcome.fold, **row}
        for outcome in outcomes
        for row in outcome.settings
    ]
    write_rows(tried, settings)
    shutil.rmtree(state, ignore_errors=True)


def _predictions(clips: DatasetVectors, facts: dict[str, Any], outcome: FoldOutcome) -> list[dict[str, Any]]:
    """Return a row for each tested clip of a fold."""
    rows, classes = [], clips.classes
    for clip, likelihoods in zip(outcome.clips, outcome.likelihoods, strict=True):
        predicted, label = _answer(clips, likelihoods), clips.label[clip]
        row = {**facts, "seed": outcome.repeat, "fold": outcome.fold, "filename": clips.filename[clip], "label": label}
        row |= {"predicted": predicted, "correct": int(predicted == label), "group": clips.group[clip]}
        rows.append(row | {f"p:{name}": f"{p:.6g}" for name, p in zip(classes, likelihoods, strict=True)})
    return rows


def _answer(clips: DatasetVectors, likelihoods: Any) -> str:
    """Return the likeliest label, or of clips with several the set of those that are likelier than not."""
    if not clips.has_label_sets:
        return clips.classes[int(likelihoods.argmax())]
    return join_labels(name for name, p in zip(clips.classes, likelihoods, strict=True) if p >= 0.5)


if __name__ == "__main__":
    stage.main(classify_dataset, globals().get("snakemake"))
