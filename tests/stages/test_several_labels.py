"""Clips with several labels from a folder to the tables: what was planted is found, by scikit-learn's scores."""

import re
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from l3net.downstream import read_dataset_index
from l3net.errors import DatasetError
from l3net.vectors import join_labels, read_dataset_vectors
from tests.stages.loading import stage_function
from tests.tiny_datasets import FACTS, write_sound

CLASSES = ["bell", "dog", "siren"]
ROOT = Path(__file__).parents[2]


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


def test_a_fold_whose_clips_all_have_the_same_labels_is_refused(tmp_path: Path) -> None:
    write_embeddings(tmp_path / "e.h5")
    with h5py.File(tmp_path / "e.h5", "r+") as file:
        file["clips/label"][:] = [";dog;siren;" if n % 3 else ";bell;" for n in range(72)]
    with pytest.raises(DatasetError, match=r"e\.h5: fold 0 trains on clips of 'dog, siren' only; expected two classes"):
        stage_function("classify_dataset")(
            tmp_path / "e.h5", tmp_path / "p", tmp_path / "s", tmp_path / "state", "own", "e", batch_size=16, xla=False
        )


def test_other_classifiers_refuse(tmp_path: Path) -> None:
    write_embeddings(tmp_path / "e.h5")
    with pytest.raises(DatasetError, match=r"several labels; classify\.classifier is svm, which cannot tell"):
        stage_function("classify_dataset")(
            tmp_path / "e.h5", tmp_path / "p", tmp_path / "s", tmp_path / "state", "own", "e", classifier="svm"
        )


IDENTITIES = {"l3-music-mel256": {"model": "music-mel256", "checkpoint": "best", "model_seed": 0}}


def write_predictions(path: Path, dataset: str, embedding: str, skill: float) -> np.ndarray:
    """Write predictions of 60 clips in three folds, with sets of labels in the data set sets; return likelihoods."""
    relevant, rng, rows = several(60), np.random.default_rng(len(embedding)), []
    likelihoods = np.round((skill * relevant + rng.random((60, 3))) / (1 + skill), 3)
    is_ours = embedding in IDENTITIES
    facts = {"dataset": dataset, "embedding": embedding, "kind": "l3" if is_ours else "random", "front_end": "mel256"}
    facts |= {"subset": "music" if is_ours else "", "epoch": 8 if is_ours else -1, "samples_seen": 64}
    for n, (has, p) in enumerate(zip(relevant, likelihoods, strict=True)):
        if dataset == "sets":
            label, guess = (join_labels(np.array(CLASSES)[mask]) for mask in (has, p >= 0.5))
        else:
            label, guess = CLASSES[n % 3], CLASSES[int(p.argmax())]
        row = {**facts, "protocol": "paper", "seed": 0, "fold": str(n % 3), "filename": f"{n}.wav", "label": label}
        row |= {"predicted": guess, "correct": int(label == guess), "group": f"{n}.wav"}
        rows.append(row | {f"p:{name}": value for name, value in zip(CLASSES, p, strict=True)})
    pd.DataFrame(rows).to_csv(path, index=False)
    return likelihoods


@pytest.fixture(scope="module", params=["alone", "beside one label"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    """A run's tables and figures, with a data set of single labels or without; its mean average precisions."""
    folder, precisions, files = tmp_path_factory.mktemp("report"), {}, []
    for dataset in ("sets", *(["single"] if request.param != "alone" else [])):
        for embedding, skill in (("l3-music-mel256", 0.4), ("random", 0.1)):
            files.append(folder / f"{dataset}-{embedding}.csv")
            likelihoods = write_predictions(files[-1], dataset, embedding, skill)
            precisions.setdefault(embedding, average_precision_score(several(60), likelihoods))
    names = ("downstream", "overall", "class_accuracy", "against", "provenance", "page")
    made = {name: folder / f"{name}.csv" for name in names}
    stage_function("collect_scores")(files, *made.values(), embeddings=IDENTITIES, bootstrap_draws=200)
    paper = ROOT / "resources" / "paper_results.csv"
    outputs = [folder / f"{name}" for name in ("summary.csv", "headline.csv", "md", "tex", "page.html", "answer.html")]
    stage_function("make_tables")(made["overall"], made["against"], paper, *outputs, protocol="paper")
    significance = [folder / "significance.csv", folder / "significance.html"]
    stage_function("compare_embeddings")(made["downstream"], *significance, reference="music-mel256")

    def figure(name: str, *inputs: object, **options: object) -> None:
        stage_function(f"plot_{name}")(*inputs, folder / f"{name}.svg", folder / f"{name}.png", **options)

    figure("confusion", files, identities=IDENTITIES, reference="l3-music-mel256")
    figure("class_accuracy", made["class_accuracy"], reference="music-mel256")
    figure("embedding_type", made["overall"], made["downstream"], paper, protocol="paper")
    for name in ("input_representation", "training_subset"):
        figure(name, made["downstream"], protocol="paper")
    return folder, precisions


def test_tables_are_of_average_precision(report: tuple[Path, dict[str, float]]) -> None:
    folder, precisions = report
    summary = pd.read_csv(folder / "summary.csv").set_index(["dataset", "embedding"])
    headline = pd.read_csv(folder / "headline.csv").set_index("embedding")["sets"]
    markdown = (folder / "md").read_text()
    assert "Clips of sets have several labels: there it is the mean average precision over the classes" in markdown
    for embedding, expected in precisions.items():
        row = summary.loc[("sets", embedding)]
        assert row["mean_average_precision"] == pytest.approx(expected, abs=1e-5)
        assert row["map_ci_low"] < expected < row["map_ci_high"]
        assert headline[embedding].startswith(f"{100 * row['map_fold_mean']:.1f}\u00a0±")
        assert f"| sets (average precision) | {embedding} | {100 * row['map_fold_mean']:.1f} ±" in markdown
        assert f"{100 * expected:.1f} ({100 * row['map_ci_low']:.1f} to" in markdown
    tested = pd.read_csv(folder / "significance.csv")
    of_sets = tested[(tested["dataset"] == "sets") & (tested["comparison"] == "embedding_type")].iloc[0]
    assert of_sets["first_mean"] == pytest.approx(summary.loc[("sets", "l3-music-mel256"), "map_fold_mean"], abs=1e-5)


def test_the_answer_says_what_it_is_of(report: tuple[Path, dict[str, float]]) -> None:
    folder, precisions = report
    answer, chance = (folder / "answer.html").read_text(), several(60).mean()
    has_others = (folder / "single-random.csv").exists()
    own, untrained = (f"{100 * precisions[name]:.1f}" for name in ("l3-music-mel256", "random"))
    if has_others:
        assert " % of clips of single are classified rightly with what was trained here" in answer
        assert "sets (mean average precision)" in answer
    else:
        assert f"The mean average precision of sets is {own} % with what was trained here" in answer
        assert f"{untrained} % with the untrained network and {100 * chance:.1f} % by chance" in answer


def words_of(svg: Path) -> str:
    """Return the texts of a figure, which stand in it as comments beside their outlines."""
    return " ".join(re.findall(r"<!-- (.*?) -->", svg.read_text(), flags=re.DOTALL))


def test_figures_show_the_precision_of_each_class_and_that_of_a_guess(
    report: tuple[Path, dict[str, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = report
    assert "bars: average precision of each class" in words_of(folder / "confusion.svg")
    for name in ("class_accuracy", "embedding_type", "input_representation", "training_subset"):
        assert "sets (average precision)" in words_of(folder / f"{name}.svg")
    stage, shown = stage_function("plot_confusion"), []
    monkeypatch.setitem(stage.__globals__, "_draw_precisions", lambda ax, scores: shown.append(scores))
    stage([folder / "sets-random.csv"], folder / "x.svg", folder / "x.png", identities={}, reference="random")
    assert shown[0]["embedding"].iloc[0] == "random"
    assert "percent of the class" not in words_of(folder / "x.svg")  # no matrix, so no scale of colours


def test_bars_end_at_the_average_precision_and_lines_stand_at_the_prevalence(tmp_path: Path) -> None:
    import matplotlib.pyplot as plt

    likelihoods = write_predictions(tmp_path / "p.csv", "sets", "random", 0.3)
    ax = plt.figure().add_subplot()
    stage_function("plot_confusion").__globals__["_draw_precisions"](
        ax, pd.read_csv(tmp_path / "p.csv", dtype={"label": str, "predicted": str})
    )
    relevant = several(60)
    for number, name in enumerate(CLASSES):
        place = [label.get_text() for label in ax.get_yticklabels()].index(f"{name} ({relevant[:, number].sum()})")
        expected = average_precision_score(relevant[:, number], likelihoods[:, number])
        assert ax.patches[place].get_width() == pytest.approx(expected)
        assert ax.lines[place].get_xdata()[0] == pytest.approx(relevant[:, number].mean())
        assert ax.texts[place].get_text() == f"{100 * expected:.0f}"
    plt.close(ax.figure)


def test_a_map_is_coloured_by_the_rarest_label(tmp_path: Path) -> None:
    relevant = write_embeddings(tmp_path / "e.h5")
    _, labels = stage_function("plot_embedding_map").__globals__["clip_means"](
        read_dataset_vectors(tmp_path / "e.h5"), 0
    )
    rarest = np.where(relevant, relevant.sum(axis=0), len(relevant) + 1).argmin(axis=1)
    expected = np.where(relevant.any(axis=1), np.array(CLASSES)[rarest], "none")
    assert labels.tolist() == expected.tolist()
