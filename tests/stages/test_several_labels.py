"""Clips with several labels from a folder to the tables: what was planted is found, by scikit-learn's scores."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from l3net.downstream import read_dataset_index
from l3net.errors import DatasetError
from tests.stages.loading import stage_function
from tests.tiny_datasets import FACTS, write_sound

CLASSES = ["bell", "dog", "siren"]


def several(n: int = 72) -> np.ndarray:
    """Return which of `n` clips has which class; clip 0 has none."""
    relevant = np.random.default_rng(1).random((n, 3)) < 0.4
    relevant[0] = False
    return relevant


@pytest.mark.parametrize("written", ["labels", "columns"])
def test_a_folder_with_several_labels(written: str, tmp_path: Path) -> None:
    relevant, rows = several(12), []
    for n, has in enumerate(relevant):
        write_sound(tmp_path / "set" / f"{n}.wav", n)
        names = {"labels": ";".join(np.array(CLASSES)[has])}
        answers = dict(zip(CLASSES, has.astype(int), strict=True))
        rows.append({"filename": f"{n}.wav", "fold": n % 3 + 1, **(names if written == "labels" else answers)})
    pd.DataFrame(rows).to_csv(tmp_path / "set" / "metadata.csv", index=False)
    settings = {"layout": "folder", "source": str(tmp_path / "set")}
    stage_function("fetch_dataset")("own", settings, tmp_path / "own.csv")
    index = read_dataset_index(tmp_path / "own.csv").set_index("filename")
    for n, has in enumerate(relevant):
        assert index.loc[f"{n}.wav", "label"] == "".join([";", *(f"{name};" for name in np.array(CLASSES)[has])])
        assert index.loc[f"{n}.wav", "fold"] == str(n % 3 + 1)


def write_embeddings(path: Path) -> np.ndarray:
    """Write vectors of which each class moves its own direction; return the clips' classes."""
    relevant, rng = several(), np.random.default_rng(2)
    clips = relevant @ (4 * np.eye(3, 8)) + rng.standard_normal((len(relevant), 8))
    labels = ["".join([";", *(f"{name};" for name in np.array(CLASSES)[has])]) for has in relevant]
    with h5py.File(path, "w") as file:
        file["embedding"] = np.repeat(clips, 2, axis=0).astype(np.float32)
        file["offsets"], file["timestamps"] = np.arange(len(clips) + 1) * 2, np.tile([0.0, 0.5], len(clips))
        columns = {"filename": [f"{n:02d}.wav" for n in range(len(clips))], "label": labels}
        columns |= {"fold": [str(n % 3) for n in range(len(clips))], "group": [f"g{n}" for n in range(len(clips))]}
        for name, values in columns.items():
            file.create_dataset(f"clips/{name}", data=values, dtype=h5py.string_dtype())
        file.attrs.update({**FACTS, "model_seed": 0, "hop_seconds": 0.5})
    return relevant


@pytest.mark.parametrize("protocol", ["paper", "published_code"])
def test_classes_are_told_apart_and_the_tables_say_so(protocol: str, tmp_path: Path) -> None:
    relevant = write_embeddings(tmp_path / "e.h5")
    made = {name: tmp_path / f"{name}.csv" for name in ("predictions", "settings")}
    options = {"hidden": [16], "learning_rates": [1e-2], "weight_decays": [1e-5], "max_epochs": 15, "xla": False}
    stage_function("classify_dataset")(
        tmp_path / "e.h5", *made.values(), tmp_path / "state", "own", "e", protocol=protocol, batch_size=16, **options
    )
    found = pd.read_csv(made["predictions"], dtype={"label": str, "predicted": str}).sort_values("filename")
    likelihoods = found[[f"p:{name}" for name in CLASSES]].to_numpy()
    assert len(found) == len(relevant)
    assert likelihoods.sum(1).max() > 1.2  # no softmax: classes do not share one
    likely = np.array(CLASSES)[likelihoods[3] >= 0.5]
    assert found["predicted"].iloc[3] == "".join([";", *(f"{name};" for name in likely)])
    tables = {
        name: tmp_path / f"{name}.csv"
        for name in ("downstream", "overall", "by_class", "against", "provenance", "page")
    }
    stage_function("collect_scores")([made["predictions"]], *tables.values(), embeddings={}, bootstrap_draws=20)
    overall = pd.read_csv(tables["overall"]).iloc[0]
    precision = average_precision_score(relevant, likelihoods, average="macro")
    assert overall["mean_average_precision"] == pytest.approx(precision, abs=1e-9)
    assert overall["roc_auc"] == pytest.approx(roc_auc_score(relevant, likelihoods, average="macro"), abs=1e-9)
    assert precision > 0.9
    assert pd.read_csv(tables["by_class"])["label"].tolist() == CLASSES
    assert pd.read_csv(tables["downstream"])["mean_average_precision"].notna().all()


def test_other_classifiers_refuse(tmp_path: Path) -> None:
    write_embeddings(tmp_path / "e.h5")
    with pytest.raises(DatasetError, match=r"several labels; classify\.classifier is svm, which cannot tell"):
        stage_function("classify_dataset")(
            tmp_path / "e.h5", tmp_path / "p", tmp_path / "s", tmp_path / "state", "own", "e", classifier="svm"
        )
