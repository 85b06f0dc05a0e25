"""A stage hands each argument on under its own name: no two of a type are alike here, so that a swap is seen."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tests.stages.loading import stage_function
from tests.tiny_datasets import write_embeddings


class Reached(Exception):
    """The stage has handed on what the test looks at."""


@pytest.fixture
def ontology(tmp_path: Path) -> Path:
    (tmp_path / "ontology.json").write_text(json.dumps([{"id": "/m/a", "name": "A", "child_ids": []}]))
    return tmp_path / "ontology.json"


ENCODING = {"short_side": 96, "preset": "slow", "crf": 21}
ACCESS = {
    "format": "mp4",
    "cookies": "jar.txt",
    "proxy": "http://proxy.example:3128",
    "rate_limit": 100,
    "timeout_seconds": 11.0,
    "js_runtime": "node",
    "allow_private_addresses": True,
}
PACE = {"workers": 3, "attempts": 4, "sleep_interval": 0.5, "give_up_after": 6, "back_off_seconds": 7.0}


def test_fetch_clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}

    def open_source(kind: str, **options: object) -> SimpleNamespace:
        seen.update(kind=kind, **options)
        return SimpleNamespace(digest="digest", close=lambda: seen.update(closed=True))

    class PartJob:
        """Notes what it is given."""

        def __init__(self, kept: object, origin: object, pace: object, run: str) -> None:
            seen.update(store=kept.folder, settings=kept.settings, pace=pace)

        def fetch(self, wanted: list, work: Path) -> None:
            seen.update(wanted=wanted, work=work)

        def manifest(self, wanted: list) -> pd.DataFrame:
            return pd.DataFrame({"ytid": wanted})

    def part_clips(lists: list[Path], part: int, parts: int, split: str) -> tuple[list, int]:
        seen.update(lists=lists, part=part, parts=parts, split=split)
        return ["clip"], 5

    estimates, outcomes = [], []
    monkeypatch.setattr("l3net.acquisition.open_source", open_source)
    monkeypatch.setattr("l3net.acquisition.PartJob", PartJob)
    monkeypatch.setattr("l3net.audioset.part_clips", part_clips)
    monkeypatch.setattr("l3net.acquisition.log_estimate", lambda job, wanted, **given: estimates.append(given))
    monkeypatch.setattr("l3net.acquisition.log_outcome", lambda job, table, part: outcomes.append(part))
    given = {
        "part": 1,
        "parts": 2,
        "split": "balanced",
        "source": "http",
        "store": tmp_path / "store",
        "directory": tmp_path / "videos",
    }
    given |= {"url_template": "https://example.org/{ytid}", "expect": {"megabytes_per_clip": 0.5}}
    stage_function("fetch_clips")([tmp_path / "a.csv"], tmp_path / "m.csv", **given, **ENCODING, **ACCESS, **PACE)
    assert (seen["kind"], seen["directory"], seen["url_template"]) == (
        "http",
        given["directory"],
        given["url_template"],
    )
    assert asdict(seen["encoding"]) == seen["settings"] == ENCODING
    assert {name: getattr(seen["access"], name) for name in ACCESS} == ACCESS
    assert {name: getattr(seen["pace"], name) for name in PACE} == PACE
    assert (seen["lists"], seen["part"], seen["parts"], seen["split"]) == ([tmp_path / "a.csv"], 1, 2, "balanced")
    assert (seen["store"], seen["wanted"], seen["closed"]) == (tmp_path / "store", ["clip"], True)
    assert seen["work"].is_relative_to(tmp_path / "store")
    assert estimates == [{"n_all": 5, "part": 1, "parts": 2, "expect": given["expect"]}]
    assert outcomes == [1]
    assert (tmp_path / "m.csv").read_text() == "ytid\nclip\n"


def answers(*given: object, **options: object) -> SimpleNamespace:
    """Stand for the answers of a model: four of six are right."""
    right, clips = np.array([1, 1, 1, 1, 0, 0], bool), np.arange(12).reshape(6, 2)
    return SimpleNamespace(right=right, clips=clips, by_label=lambda: {"/m/a": answers()})


def spy(asked: list) -> Callable[..., SimpleNamespace]:
    """Return what stands for `ask_correspondence` and notes what it is given."""
    return lambda *given, **how: asked.append((given, how)) or answers()


HOW = {"seed": 3, "batch_size": 5, "batches": 7}


def test_evaluate_avc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ontology: Path) -> None:
    asked = []
    monkeypatch.setattr("l3net.training.load_l3", lambda path: (path, {"epoch": 9, "samples_seen": 11}))
    monkeypatch.setattr(
        "l3net.training.ask_correspondence", lambda *given, **how: asked.append((given, how)) or answers()
    )
    tests, best = [tmp_path / "music.json", tmp_path / "speech.json"], tmp_path / "best.h5"
    scores, by_class = tmp_path / "scores.csv", tmp_path / "by_class.csv"
    named = {"subsets": ["music", "speech"], "train_subset": "speech", "front_end": "mel128", "ontology": ontology}
    stage_function("evaluate_avc")(best, tests, scores, by_class, **named, **HOW)
    assert asked == [((best, path), HOW) for path in tests]
    for path, more in ((scores, ["samples_seen"]), (by_class, ["label", "name"])):
        table = pd.read_csv(path)
        assert set(more) <= set(table)
        assert table["test_subset"].tolist() == ["music", "speech"]
        facts = ("train_subset", "front_end", "epoch", "n")
        assert {name: table[name].iloc[0] for name in facts} == {
            "train_subset": "speech",
            "front_end": "mel128",
            "epoch": 9,
            "n": 6,
        }


def test_evaluate_pairing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    index = {"mine.json": "overlapping", "theirs.json": "last_frame"}
    monkeypatch.setattr("l3net.training.load_l3", lambda path: (path.name, {}))
    monkeypatch.setattr(
        "l3net.training.ask_correspondence", lambda *given, **how: asked.append((given, how)) or answers()
    )
    stage = stage_function("evaluate_pairing")
    read = {"read_shard_index": lambda path: SimpleNamespace(pairing=lambda: index[path.name], name=path.name)}
    read["count_frame_offsets"] = lambda index: [(0, 2), (1, len(index.name))]
    for name, function in read.items():
        monkeypatch.setitem(stage.__globals__, name, function)
    models, tests = [tmp_path / "mine.h5", tmp_path / "theirs.h5"], [tmp_path / "mine.json", tmp_path / "theirs.json"]
    stage(models, tests, tmp_path / "scores.csv", tmp_path / "offsets.csv", model="m", **HOW)
    assert asked == [((model.name, test), HOW) for model in models for test in tests]
    scores, offsets = pd.read_csv(tmp_path / "scores.csv"), pd.read_csv(tmp_path / "offsets.csv")
    kinds = list(index.values())
    assert scores[["trained_on", "tested_on"]].to_numpy().tolist() == [[one, other] for one in kinds for other in kinds]
    assert offsets.to_numpy().tolist() == [
        [kind, second, n] for name, kind in index.items() for second, n in ((0, 2), (1, len(name)))
    ]


def test_classify_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, seen = stage_function("classify_dataset"), []

    def evaluate_folds(*given: object) -> list:
        seen.extend(given)
        raise Reached

    monkeypatch.setitem(stage.__globals__, "evaluate_folds", evaluate_folds)
    path = write_embeddings(tmp_path / "toy.h5")
    mlp = {"hidden": [16, 8], "learning_rates": [0.1, 0.2], "weight_decays": [0.3], "max_epochs": 4}
    mlp |= {"patience_epochs": 5, "batch_size": 6, "xla": False}
    more = {"classifier": "knn", "protocol": "published_code", "validation_share": 0.7, "seed": 8}
    more |= {"memory_megabytes": 900}
    outputs = [tmp_path / name for name in ("predictions.csv", "settings.csv", "state")]
    with pytest.raises(Reached):
        stage(path, *outputs, "us8k", "random", seeds=[9, 10], **mlp, **more)
    clips, settings, state = seen
    assert (clips.path, state) == (path, tmp_path / "state")
    assert {name: getattr(settings.mlp, name) for name in mlp} == mlp
    assert {name: getattr(settings, name) for name in more} == more
    assert (settings.dataset, settings.repeats) == ("us8k", [9, 10])


def test_make_demo_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, made, pools = stage_function("make_demo_datasets"), [], []

    def pool(threads: int) -> ThreadPoolExecutor:
        pools.append(threads)
        return ThreadPoolExecutor(threads)

    monkeypatch.setitem(stage.__globals__, "ProcessPoolExecutor", pool)
    monkeypatch.setitem(stage.__globals__, "make_recording", lambda recording, seed: made.append((recording, seed)))
    monkeypatch.setitem(stage.__globals__, "_write_key", lambda folder: None)
    folders = {"us8k": tmp_path / "us", "esc50": tmp_path / "esc", "dcase2013": tmp_path / "dcase"}
    stage(**folders, seed=7, clips_per_class=1, threads=2)
    assert (pools, {seed for _, seed in made}) == ([2], {7})
    assert (
        len((folders["us8k"] / "metadata" / "UrbanSound8K.csv").read_text().splitlines()) == 1 + 20
    )  # two slices each
    assert len((folders["esc50"] / "meta" / "esc50.csv").read_text().splitlines()) == 1 + 10
