"""The whole workflow on real recordings: every stage runs, and ESC-10's table has its five folds."""

from pathlib import Path

import h5py
import pandas as pd
import pytest

from l3net.cli.real_input import ESC10, draw_id, lay_out_esc10, lay_out_videos
from tests.workflow.conftest import Workspace

TINY = {
    "run": "real",
    "audioset": {"workers": 2},
    "samples": {"samples_per_clip": 4, "frames_per_clip": 20, "short_side": 40, "image_size": 32},
    "models": {"subsets": ["music"]},
    "front_end": {"hop_length": 4800},
    "network": {"width": 0.0625},
    "train": {"checkpoints": [1], "batches_per_epoch": 3, "batch_size": 8, "validation_batches": 1},
    "evaluate": {"batches": 2},
    "embed": {"hop_seconds": 1.0},
    "embeddings": {"random": None},
    "classify": {
        "learning_rates": [1.0e-3],
        "weight_decays": [1.0e-5],
        "max_epochs": 6,
        "patience_epochs": 3,
        "xla": False,
        "curve": [],
    },
    "report": {"bootstrap_draws": 50},
}


PIANO = "/m/05r5c"
OF_NO_SUBSET = ('"/m/0chx_"', '"/m/0j6m2"', '"/m/015p6"')  # white noise, stream, bird


@pytest.fixture(scope="module")
def run(shared_data: Path, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("real"), root)
    real, recordings = workspace.folder / "resources" / "real", Path(__file__).with_name("real_recordings.csv")
    lay_out_videos(recordings, shared_data / "video", real, root / "resources" / "ontology.json")
    lay_out_esc10(shared_data / "esc10", real / "ESC-50")
    with open(real / "segments.csv", "a", encoding="utf-8") as file:  # AudioSet names videos that are gone
        file.write(f'{draw_id("gone", 0)}, 30.000, 40.000, "{PIANO}"\n')
    ended = workspace.snakemake(*workspace.configure("real", **TINY))
    assert ended.returncode == 0, ended.stdout[-6000:]
    return workspace


def results(run: Workspace) -> Path:
    return run.folder / "results" / "real"


def test_every_clip_is_accounted_for(run: Workspace) -> None:
    manifests = pd.concat(pd.read_csv(path) for path in sorted((results(run) / "manifests").glob("*.csv")))
    status = manifests.set_index("ytid").status
    assert status[[name for name in status.index if name.startswith("gone")]].tolist() == ["removed"]
    # 30 s of animation give full clips, the rest is shorter than AudioSet's ten seconds
    assert (status == "ok").sum() >= 6
    assert (status == "short").sum() >= 15
    # without a picture, without a sound, with one of zeros, or no longer than a second
    assert (status == "invalid_media").sum() == 6
    # labels that no filter lets through were never fetched
    listed = (run.folder / "resources/real/segments.csv").read_text().splitlines()[3:]
    assert len(status) == sum(not row.endswith(OF_NO_SUBSET) for row in listed) < len(listed)
    attrition = pd.read_csv(results(run) / "attrition.csv")
    usable = attrition[attrition.status.isin(["ok", "short"])].groupby(["subset", "split"]).n.sum()
    assert set(usable.index) == {(s, p) for s in ("music", "environmental") for p in ("train", "valid", "test")}
    assert (usable >= 2).all()


def test_every_stage_ran(run: Workspace) -> None:
    folder = results(run)
    assert (folder / "models/music-mel256/embedding.keras").stat().st_size > 1000
    avc = pd.read_csv(folder / "tables/avc.csv")
    assert set(avc.test_subset) == {"music", "environmental"}
    assert avc.accuracy.between(0, 1).all()
    for name in ("summary.csv", "summary.md"):
        assert (folder / "tables" / name).stat().st_size > 0
    assert (folder / "figures/samples_music.png").stat().st_size > 1000
    stages = {path.stem for path in (run.folder / "workflow/scripts").glob("*.py")}
    started = {
        path.relative_to(run.folder / "logs/real").parts[0].split(".")[0]
        for path in (run.folder / "logs/real").rglob("*.log")
    }
    unused = {
        "make_demo_videos",
        "make_demo_datasets",
        "make_demo_mixtures",
        "fetch_weights",
        "evaluate_pairing",
        "plot_pairing",
        "evaluate_retrieval",
        # comparisons of one model with none
        "compare_embeddings",
        "plot_correspondence",
        "plot_embedding_type",
        "plot_input_representation",
        "plot_training_samples",
        "plot_training_subset",
    }
    assert stages - unused <= started


def test_esc10_has_five_folds_of_real_recordings(run: Workspace) -> None:
    downstream = pd.read_csv(results(run) / "tables/downstream.csv", dtype={"fold": str})
    rows = downstream[(downstream.dataset == "esc10") & (downstream.embedding == "l3-music-mel256")]
    assert sorted(rows.fold) == ["1", "2", "3", "4", "5"]
    assert rows.n_clips.tolist() == [80] * 5
    with h5py.File(results(run) / "embeddings/esc10/l3-music-mel256.h5") as file:
        assert set(file["clips/label"].asstr()) == set(ESC10)
        assert len(file["offsets"]) == 401
    # Even three batches of training leave features that tell a rooster from rain.
    assert rows.accuracy.mean() > 2 / len(ESC10)
