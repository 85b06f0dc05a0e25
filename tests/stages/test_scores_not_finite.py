"""Every stage that reads scores refuses a number that is not finite, names file and row, and writes nothing."""

import csv
import shutil
from pathlib import Path

import pytest

from l3net.errors import DatasetError
from tests.stages.loading import stage_function
from tests.stages.test_report_stages import IDENTITIES, MODELS, ROOT, draw
from tests.stages.test_report_stages import run as finished_run

run = finished_run  # the fixture, made anew for this module
PAPER = ROOT / "resources" / "paper_results.csv"


def spoil(path: Path, column: str, text: str) -> None:
    """Put a text into the third row of a CSV."""
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    rows[3][rows[0].index(column)] = text
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows(rows)


FIGURES = {
    "input_representation": ("tables/downstream.csv", "accuracy"),
    "training_subset": ("tables/downstream.csv", "accuracy"),
    "training_samples": ("tables/downstream.csv", "accuracy"),
    "embedding_type": ("tables/downstream.csv", "accuracy"),
    "confusion": ("scores/us8k/l3-music-mel256.csv", "correct"),
    "class_accuracy": ("tables/class_accuracy.csv", "ci_low"),
    "training_curves": (f"models/{MODELS[0]}/history.csv", "val_accuracy"),
}


@pytest.mark.parametrize("text", ["nan", "inf"])
@pytest.mark.parametrize("name", FIGURES)
def test_no_figure_is_drawn_of_them(run: Path, tmp_path: Path, name: str, text: str) -> None:
    file, column = FIGURES[name]
    shutil.copytree(run, tmp_path / "run")
    spoil(tmp_path / "run" / file, column, text)
    with pytest.raises(DatasetError, match=rf"{Path(file).name}: row 3: column {column} holds '{text}'"):
        draw(tmp_path / "run", name, synthetic=True)
    assert not [*(tmp_path / "run" / "synthetic").rglob("*.svg")]


@pytest.mark.parametrize(
    ("stage", "file", "column"),
    [
        ("collect_scores", "scores/us8k/l3-music-mel256.csv", "correct"),
        ("collect_scores", "scores/us8k/l3-music-mel256.csv", "p:siren"),
        ("compare_embeddings", "tables/downstream.csv", "accuracy"),
        ("make_tables", "tables/overall.csv", "fold_mean"),
        ("make_tables", "tables/overall.csv", "ci_high"),
        ("make_tables", "tables/against_untrained.csv", "difference"),
        ("make_avc_table", f"models/{MODELS[0]}/avc.csv", "accuracy"),
    ],
)
def test_no_table_is_made_of_them(run: Path, tmp_path: Path, stage: str, file: str, column: str) -> None:
    shutil.copytree(run, tmp_path / "run")
    path, tables, made = tmp_path / "run" / file, tmp_path / "run" / "tables", tmp_path / "made"
    models = [tmp_path / "run" / "models" / model / "avc.csv" for model in MODELS]
    if file.endswith("avc.csv"):
        path.write_text(path.read_text() + path.read_text().splitlines()[1] + "\n")
    spoil(path, column, "inf")
    outputs = [made / name for name in ("a", "b", "c", "d", "e", "f")]
    against = tables / "against_untrained.csv"
    calls = {
        "collect_scores": ([path], *outputs),
        "compare_embeddings": (tables / "downstream.csv", *outputs[:2]),
        "make_tables": (tables / "overall.csv", against, PAPER, *outputs),
        "make_avc_table": (models, PAPER, *outputs[:3]),
    }
    settings = {
        "collect_scores": {"embeddings": IDENTITIES},
        "compare_embeddings": {"reference": "music-mel256"},
        "make_tables": {"protocol": "paper", "synthetic": True},
        "make_avc_table": {"models": MODELS, "synthetic": True},
    }
    with pytest.raises(
        DatasetError, match=rf"{path.name}: row 3: column {column} holds 'inf'; expected finite numbers"
    ):
        stage_function(stage)(*calls[stage], **settings[stage])
    assert not made.exists()
