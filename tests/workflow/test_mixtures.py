"""The demo's data set with several labels, by Snakemake: from its recordings to the tables, figures and report."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from tests import tiny_embedding
from tests.stages.loading import stage_function
from tests.workflow.conftest import Workspace

RUN = "results/mixtures"
CLASSES = ["car_horn", "chirping_birds", "church_bells", "clock_tick", "dog", "engine", "helicopter", "rain"]
EMBEDDINGS = ("l3-music-mel256", "random")
AFTER_TRAINING = ["make_demo_mixtures", "fetch_dataset", "embed_dataset", "classify_dataset", "collect_scores"]
AFTER_TRAINING += ["compare_embeddings", "make_tables", "plot_confusion", "plot_class_accuracy", "plot_embedding_map"]
AFTER_TRAINING += ["plot_embedding_type"]


@pytest.mark.slow
@pytest.mark.timeout(600)  # fifteen processes, four of which load TensorFlow
def test_from_recordings_to_the_report(workspace: Workspace) -> None:
    """The trained embedding is there, as of a run that has trained; everything after it is made."""
    model = workspace.folder / RUN / "models" / "music-mel256"
    tiny_embedding.write_checkpoint(workspace.folder / "best.h5", front_end="mel256")
    model.mkdir(parents=True)
    stage_function("extract_embedding")(workspace.folder / "best.h5", model / "embedding.keras", pooling=512)
    options = workspace.configure(
        "mixtures",
        audioset={"subsets": {"music": "resources/filters/music.csv"}},
        models={"subsets": ["music"]},
        demo={"dataset_clips_per_class": 6},
        classify={
            "curve": [],
            "hidden": [16],
            "learning_rates": [3e-3],
            "weight_decays": [1e-5],
            "max_epochs": 20,
            "xla": False,
        },
        report={"bootstrap_draws": 100},
    )
    tables = [f"{RUN}/tables/{name}" for name in ("summary.csv", "summary.html", "significance.csv")]
    figures = [
        f"{RUN}/figures/{name}.svg" for name in ("confusion", "class_accuracy", "embedding_map", "embedding_type")
    ]
    options += ["--rerun-triggers", "mtime", "--allowed-rules", *AFTER_TRAINING]
    ended = workspace.snakemake(*tables, *figures, *options)
    assert ended.returncode == 0, ended.stdout
    given = pd.read_csv(workspace.folder / "resources/demo/mixtures/metadata.csv").set_index("filename")["labels"]
    assert len(given) == 60
    summary = pd.read_csv(workspace.folder / tables[0]).set_index("embedding")
    for embedding in EMBEDDINGS:
        scores = pd.read_csv(workspace.folder / RUN / "scores/mixtures" / f"{embedding}.csv").set_index("filename")
        assert sorted(scores["fold"].value_counts()) == [12] * 5
        relevant = np.array([[name in given[file].split(";") for name in CLASSES] for file in scores.index])
        likelihoods = scores[[f"p:{name}" for name in CLASSES]].to_numpy()
        expected = average_precision_score(relevant, likelihoods)
        assert summary.loc[embedding, "mean_average_precision"] == pytest.approx(expected, abs=1e-5)
        assert summary.loc[embedding, "prevalence"] == pytest.approx(relevant.mean(), abs=1e-5)
    page = (workspace.folder / tables[1]).read_text()
    assert "SYNTHETIC DATA" in page
    assert "mixtures (average precision)" in page
    # The report's first page shows the course of the training too, which is not made here.
    (workspace.folder / RUN / "figures/training_curves.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    report = workspace.snakemake(*tables, *figures, *options, "--report", "report.html")
    assert report.returncode == 0, report.stdout
    text = (workspace.folder / "report.html").read_text()
    assert re.search(r"confusion matrices", text)
    again = workspace.snakemake(*tables, *figures, *options)
    assert "Nothing to be done" in again.stdout
