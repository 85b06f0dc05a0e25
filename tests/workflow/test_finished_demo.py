"""What `make run` promises, read off its finished results; skipped where the demo has not been run."""

import re
import subprocess
import sys
from pathlib import Path

import h5py
import pandas as pd
import pytest

from tests.workflow.preset_files import laid_over_config, read_preset

pytestmark = pytest.mark.finished_demo
TABLES = {
    "attrition.csv": ["subset", "split", "status", "n"],
    "tables/avc.csv": ["train_subset", "test_subset", "front_end", "epoch", "n", "accuracy", "ci_low", "ci_high"],
    "tables/downstream.csv": ["dataset", "embedding", "front_end", "subset", "epoch", "fold", "n_clips", "accuracy"],
    "tables/summary.csv": ["dataset", "embedding"],
    "tables/significance.csv": [],
}
FIGURES = (
    "input_representation",
    "training_subset",
    "training_samples",
    "embedding_type",
    "training_curves",
    "confusion",
    "attrition",
)


@pytest.fixture(scope="module")
def results(root: Path) -> Path:
    folder = root / "results" / "demo"
    if not (folder / "report.html").exists():
        pytest.skip("results/demo/report.html is not there: run the demo first (make run)")
    return folder


@pytest.fixture(scope="module")
def config() -> dict:
    return laid_over_config(read_preset("demo.yaml"))


def plan(root: Path, *options: str) -> dict[str, int]:
    """Return how many jobs of each rule a dry run would start."""
    command = [sys.executable, "-m", "snakemake", "-n", "--cores", "1", "--nolock", *options]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    rows = re.findall(r"^(\w+) +(\d+)$", ended.stdout + ended.stderr, flags=re.MULTILINE)
    return {rule: int(n) for rule, n in rows if rule not in {"total", "all"}}


@pytest.mark.parametrize(("name", "columns"), TABLES.items())
def test_tables_have_their_columns_and_rows(results: Path, name: str, columns: list[str]) -> None:
    table = pd.read_csv(results / name)
    assert list(table.columns[: len(columns)]) == columns
    assert len(table) > 0


def test_figures_and_models_are_there(results: Path, config: dict) -> None:
    for figure in FIGURES:
        assert (results / "figures" / f"{figure}.svg").stat().st_size > 1000
        assert (results / "figures" / f"{figure}.png").read_bytes()[:4] == b"\x89PNG"
    for subset in config["models"]["subsets"]:
        for front_end in config["models"]["front_ends"]:
            assert (results / "models" / f"{subset}-{front_end}" / "embedding.keras").stat().st_size > 1000


def test_the_report_holds_tables_and_figures_and_asks_no_network(results: Path) -> None:
    text = (results / "report.html").read_text()
    assert "summary" in text
    assert "input_representation" in text
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=[\"']https?://", text)


def test_correspondence_was_learned_on_clips_never_seen(results: Path) -> None:
    avc = pd.read_csv(results / "tables" / "avc.csv")
    own = avc[avc.train_subset == avc.test_subset]
    assert len(own) == 6
    assert own.accuracy.mean() >= 0.70
    assert own.ci_low.mean() > 0.60


def test_trained_embeddings_beat_the_random_one_and_it_beats_chance(results: Path, config: dict) -> None:
    scores = pd.read_csv(results / "tables" / "downstream.csv")
    scores = scores[scores.checkpoint.isna() | (scores.checkpoint == "best")]
    mean = scores.groupby(["dataset", "embedding"]).accuracy.mean().unstack()
    trained = mean[sorted(set(scores.embedding[scores.kind == "l3"]))].to_numpy().mean()
    n_classes = []
    for dataset in config["datasets"]:
        with h5py.File(results / "embeddings" / dataset / "random.h5") as file:
            n_classes.append(len(set(file["clips/label"].asstr()[:])))
    chance = sum(1 / n for n in n_classes) / len(n_classes)
    assert trained > mean["random"].mean() > chance


def test_training_beats_the_untrained_network_on_each_data_set_by_an_interval_above_zero(
    results: Path, config: dict
) -> None:
    """What the demo is there to show; the interval draws clips, or the recordings they were cut from, anew."""
    against = pd.read_csv(results / "tables" / "against_untrained.csv")
    mean = against[against.embedding.isna()].set_index("dataset")
    assert set(mean.index) == {*config["datasets"], "all"}
    assert (mean.n_embeddings == 6).all()
    assert (mean.against == "untrained").all()
    assert (mean.ci_low > 0).all(), mean[["accuracy", "untrained", "ci_low", "ci_high"]]
    assert (mean.untrained > mean.chance).all()
    n = len(config["datasets"])
    answer = (results / "tables" / "answer.html").read_text()
    assert f"the interval is above 0 in {n} of {n} data sets (synthetic data)." in answer.partition("</p>")[0]


def test_a_second_run_does_nothing(root: Path, results: Path) -> None:
    assert plan(root) == {}


def test_losing_a_last_checkpoint_runs_its_last_leg_and_what_follows(root: Path, results: Path, config: dict) -> None:
    last = max(config["train"]["checkpoints"])
    checkpoint = results / "models" / "music-linear" / "checkpoints" / f"epoch-{last:03d}.h5"
    aside = checkpoint.with_suffix(".aside")
    checkpoint.rename(aside)
    try:
        jobs = plan(root)
    finally:
        aside.rename(checkpoint)
    assert {rule: jobs[rule] for rule in ("train_leg", "select_checkpoint", "evaluate_avc")} == dict.fromkeys(
        ("train_leg", "select_checkpoint", "evaluate_avc"), 1
    )
    assert not {"fetch_clips", "make_shard", "index_shards"} & set(jobs)


def test_another_learning_rate_trains_anew_and_leaves_shards_alone(root: Path, results: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.yaml"
    changed.write_text("train: {learning_rate: 0.0005}\n")
    jobs = plan(root, "--configfile", "presets/demo.yaml", str(changed))
    assert jobs["train_leg"] == 12
    assert jobs["extract_embedding"] == 8
    untouched = {"make_demo_videos", "select_clips", "fetch_clips", "make_shard", "index_shards", "fetch_dataset"}
    assert not untouched & set(jobs)
