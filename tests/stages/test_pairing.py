"""Models of two runs of different pairing asked about the test samples of both, and the figure of it."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from l3net.errors import ConfigError
from l3net.models.l3 import build_l3
from l3net.training.checkpoint import Checkpoint, write_checkpoint
from l3net.training.model_state import capture_variables
from tests import tiny_shards
from tests.stages.loading import stage_function

NETWORK = {"front_end": "mel128", "image_size": tiny_shards.SIZE, "width": 1 / 16, "hop_length": 1936}
PAIRINGS = ("overlapping", "last_frame")
ASKED = {"model": "music-mel128", "seed": 0, "batch_size": 16, "batches": 4}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Test shards and models of two runs; by the fusion's bias the first always says match, the other never."""
    made = {}
    for pairing, bias in (("overlapping", [-9.0, 9.0]), ("last_frame", [9.0, -9.0])):
        made[pairing] = folder = tmp_path_factory.mktemp(pairing)
        tiny_shards.write_split(folder, "test", n_clips=6, share=11, seed=len(pairing))
        with h5py.File(folder / "test.h5", "r+") as file:
            file.attrs["pairing"] = pairing
        tiny_shards.index_again(folder / "test.json")
        model = build_l3(**NETWORK)
        model.get_layer("fusion_dense_2").bias.assign(bias)
        weights = capture_variables(model.variables)
        about = {"network": NETWORK, "epoch": 1, "samples_seen": 64, "subset": "music", "seed": 1}
        about |= {
            "front_end_version": "training",
            **{key: NETWORK[key] for key in ("front_end", "hop_length", "image_size")},
        }
        write_checkpoint(folder / "best.h5", Checkpoint(about, weights))
    return made


def evaluate(runs: list[Path], folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    scores, offsets = folder / "pairing.csv", folder / "pairing_offsets.csv"
    tests, found = [run / "test.json" for run in runs], [run / "best.h5" for run in runs]
    stage_function("evaluate_pairing")(found, tests, scores, offsets, **ASKED)
    return pd.read_csv(scores), pd.read_csv(offsets)


def samples(run: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels, and of matches the seconds from the window's start to the frame."""
    with h5py.File(run / "test.h5") as file:
        rows = file["samples"][:]
    return rows["label"], (rows["time"] - rows["start"] / 48000)[rows["label"] == 1]


def test_each_model_is_asked_about_both_kinds(runs: dict[str, Path], tmp_path: Path) -> None:
    scores, offsets = evaluate([runs["overlapping"], runs["last_frame"]], tmp_path)
    assert list(zip(scores["trained_on"], scores["tested_on"], strict=True)) == [
        (trained, tested) for trained in runs for tested in runs
    ]
    for _, row in scores.iterrows():
        labels, _ = samples(runs[row["tested_on"]])
        share = labels.mean() if row["trained_on"] == "overlapping" else 1 - labels.mean()
        # Four batches of 16 of 66 samples: two are not asked about.
        assert row["n"] == 64
        assert row["accuracy"] == pytest.approx(share, abs=2 / 64)
        assert row["ci_low"] < row["accuracy"] < row["ci_high"]
        assert (row["unit"], row["n_units"]) == ("clip", 6)
    for pairing, run in runs.items():
        here = offsets[offsets["pairing"] == pairing]
        _, seconds = samples(run)
        expected = np.unique(np.floor(seconds), return_counts=True)
        np.testing.assert_array_equal([here["seconds"], here["n"]], expected)


def test_two_runs_of_one_pairing_are_told(runs: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"samples.pairing is last_frame in both runs; report.other_pairing"):
        evaluate([runs["last_frame"], runs["last_frame"]], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_figure_names_both_pairings_and_says_that_data_is_synthetic(tmp_path: Path) -> None:
    scores, offsets = tmp_path / "pairing.csv", tmp_path / "pairing_offsets.csv"
    rows = [["music-mel128", a, b, 64, 0.7, 0.6, 0.8, 6, "clip"] for a in PAIRINGS for b in PAIRINGS]
    columns = ["model", "trained_on", "tested_on", "n", "accuracy", "ci_low", "ci_high", "n_units", "unit"]
    pd.DataFrame(rows, columns=columns).to_csv(scores, index=False)
    counts = [["overlapping", 0, 40], *(["last_frame", second, 5] for second in range(8))]
    pd.DataFrame(counts, columns=["pairing", "seconds", "n"]).to_csv(offsets, index=False)
    svg, png = tmp_path / "pairing.svg", tmp_path / "pairing.png"
    stage_function("plot_pairing")([scores], [offsets], svg, png, synthetic=True)
    text = svg.read_text()
    assert ElementTree.fromstring(text).tag.endswith("svg")
    for words in ("SYNTHETIC DATA", *PAIRINGS, "frame after the start", "L3 music mel128"):
        assert f"<!-- {words} -->" in text
    assert png.read_bytes()[:4] == b"\x89PNG"
