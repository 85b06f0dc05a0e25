"""After a finished run, each usual wish runs the right jobs and no other: dry runs on a run of stubs."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml

from l3net.configuration import Configuration
from l3net.configuration.section import Section
from tests.workflow.stub_run import StubRun

MODELS = [
    f"{subset}-{front_end}" for subset in ("environmental", "music") for front_end in ("linear", "mel128", "mel256")
]
DATASETS = ("dcase2013", "esc50", "us8k")
BEFORE_TRAINING = {"make_demo_videos", "fetch_segments", "select_clips", "fetch_clips", "make_shard", "index_shards"}
SUMMARIES = {"collect_scores", "compare_embeddings", "make_tables", "plot_input_representation", "plot_training_subset"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, root: Path) -> StubRun:
    """A finished run of the demo, its work replaced by ``touch``."""
    made = StubRun(tmp_path_factory.mktemp("finished"), root)
    made.run()
    return made


@pytest.fixture(scope="module")
def results(finished: StubRun) -> Path:
    return finished.folder / "results" / "demo"


@contextmanager
def without(path: Path) -> Iterator[None]:
    """Take a file away for a while; it comes back with the time it had."""
    aside = path.with_name(f".{path.name}.aside")
    path.rename(aside)
    try:
        yield
    finally:
        aside.rename(path)


def legs(*epochs: int, models: list[str] = MODELS) -> list[str]:
    return sorted(f"models/{model}/checkpoints/epoch-{epoch:03d}.h5" for model in models for epoch in epochs)


def scores(*embeddings: str, datasets: tuple[str, ...] = DATASETS) -> list[str]:
    return sorted(f"scores/{dataset}/{embedding}.csv" for dataset in datasets for embedding in embeddings)


def test_a_finished_run_has_nothing_to_do(finished: StubRun) -> None:
    assert finished.plan() == {}


def test_keys_in_another_order_make_nothing_anew(finished: StubRun) -> None:
    def reversed_keys(value: object) -> object:
        return {key: reversed_keys(value[key]) for key in reversed(value)} if isinstance(value, dict) else value

    configuration = finished.folder / "config.yaml"
    given = configuration.read_text()
    turned = reversed_keys(yaml.safe_load(given))
    demo = reversed_keys(yaml.safe_load((finished.folder / "presets" / "demo.yaml").read_text()))
    (finished.folder / "turned.yaml").write_text(yaml.safe_dump(demo, sort_keys=False))
    configuration.write_text(yaml.safe_dump(turned, sort_keys=False))
    try:
        assert finished.plan("--configfile", "turned.yaml") == {}
    finally:
        configuration.write_text(given)


def test_settings_of_how_a_job_runs_make_nothing_anew(finished: StubRun) -> None:
    """Every key with that mark in the description of the configuration, changed at once."""
    changes = {
        "audioset": {
            "workers": 7,
            "attempts": 9,
            "sleep_interval": 3.0,
            "rate_limit": 10**6,
            "give_up_after": 9,
            "back_off_seconds": 9.0,
            "timeout_seconds": 9.0,
            "cookies": "cookies.txt",
            "proxy": "http://proxy:1",
            "js_runtime": "node",
            "expect": {"clips_per_hour": 9},
        },
        "samples": {"memory_megabytes": 5000},
        "train": {
            "feed_workers": 7,
            "save_every_seconds": 9.0,
            "strategy": "mirrored",
            "xla": True,
            "steps_per_call": 8,
            "stop_on_nan": False,
            "deterministic": False,  # with xla it would be refused
            "tf32": False,
        },
        "embed": {"batch_size": 7},
        "classify": {"xla": False},
    }
    sections = {name: type(field.default) for name, field in Configuration.model_fields.items()}
    marked = {name: set(cls.keys_of_how()) for name, cls in sections.items() if issubclass(cls, Section)}
    assert {name: set(keys) for name, keys in changes.items()} == {name: keys for name, keys in marked.items() if keys}
    assert finished.plan(**changes) == {}


def test_the_machine_of_a_run_makes_nothing_anew(finished: StubRun) -> None:
    assert finished.plan("--set-threads", "train_leg=8", "--set-resources", "train_leg:mem_mb=9000") == {}


def test_a_lost_last_checkpoint_runs_its_last_leg_and_what_follows(finished: StubRun, results: Path) -> None:
    with without(results / "models" / "music-linear" / "checkpoints" / "epoch-012.h5"):
        jobs = finished.plan()
    assert jobs["train_leg"] == legs(12, models=["music-linear"])
    assert jobs["select_checkpoint"] == ["models/music-linear/best.h5"]
    assert jobs["evaluate_avc"] == ["models/music-linear/avc.csv"]
    assert jobs["extract_embedding"] == ["models/music-linear/embedding.keras"]
    assert jobs["classify_dataset"] == scores("l3-music-linear")
    assert not BEFORE_TRAINING & set(jobs)
    assert not {"fetch_dataset", "inspect_shards", "plot_attrition"} & set(jobs)
    assert set(jobs) >= SUMMARIES


def test_a_lost_checkpoint_that_nothing_waits_for_runs_nothing(finished: StubRun, results: Path) -> None:
    with without(results / "models" / "music-linear" / "checkpoints" / "epoch-004.h5"):
        assert finished.plan() == {}


COUNTED = """
import collections, inspect, sys
asked, found = collections.Counter(), inspect._signature_from_function
def counted(kind, function, *others, **more):
    if function.__code__.co_filename.endswith(".smk"):
        asked[function] += 1
    return found(kind, function, *others, **more)
inspect._signature_from_function = counted
from snakemake.cli import main
sys.argv = sys.argv[3:]
try:
    main()
finally:
    print("functions:", len(asked), "asked:", max(asked.values()))
"""


def test_the_signature_of_a_function_is_worked_out_once_and_not_for_each_job(finished: StubRun) -> None:
    printed = finished.snakemake("--dry-run", "--quiet", "all", "--cores", 1, under=(sys.executable, "-c", COUNTED))
    functions, asked = map(int, re.search(r"functions: (\d+) asked: (\d+)", printed).groups())
    assert functions > 20
    assert asked == 1


def test_weights_to_start_from_and_parts_to_keep_train_anew(finished: StubRun) -> None:
    weights = finished.folder / "weights.h5"
    with h5py.File(weights, "w") as file:  # as openl3's for images, at the demo's width
        file["first/kernel"], file["last/kernel"] = np.zeros((3, 3, 3, 8)), np.zeros((3, 3, 64, 64))
    for train in ({"initial": [weights.name]}, {"freeze": ["audio"]}):
        jobs = finished.plan(train=train)
        assert jobs["train_leg"] == legs(4, 12)
        assert not BEFORE_TRAINING & set(jobs)


def test_another_learning_rate_trains_anew_and_leaves_shards_alone(finished: StubRun) -> None:
    jobs = finished.plan(train={"learning_rate": 5e-4})
    assert jobs["train_leg"] == legs(4, 12)
    assert jobs["classify_dataset"] == scores(
        *(f"l3-{model}" for model in MODELS), "l3-music-mel256-epoch-004", "l3-music-mel256-epoch-012"
    )
    assert not BEFORE_TRAINING & set(jobs)
    assert "fetch_dataset" not in jobs


def test_a_data_set_more_is_fetched_embedded_and_classified(finished: StubRun) -> None:
    jobs = finished.plan(datasets={"mine": {"layout": "folder", "source": "resources/demo/ESC-50"}})
    every = [f"l3-{model}" for model in MODELS] + [
        "random",
        "random-linear",
        "random-mel128",
        "l3-music-mel256-epoch-004",
        "l3-music-mel256-epoch-012",
    ]
    assert jobs["fetch_dataset"] == ["datasets/mine.csv"]
    assert jobs["embed_dataset"] == sorted(f"embeddings/mine/{embedding}.h5" for embedding in every)
    assert jobs["classify_dataset"] == scores(*every, datasets=("mine",))
    assert not (BEFORE_TRAINING | {"train_leg", "select_checkpoint", "evaluate_avc", "extract_embedding"}) & set(jobs)


def test_an_embedding_more_is_computed_and_classified(finished: StubRun) -> None:
    jobs = finished.plan(embeddings={"random512": {"kind": "random", "front_end": "mel256", "pooling": 512}})
    assert jobs["classify_dataset"] == scores("random512")
    assert not {"train_leg", "evaluate_avc", "extract_embedding", "fetch_dataset"} & set(jobs)


def test_a_later_checkpoint_runs_only_the_new_legs(finished: StubRun) -> None:
    jobs = finished.plan(train={"checkpoints": [4, 12, 16]})
    assert jobs["train_leg"] == legs(16)
    assert jobs["select_checkpoint"] == [f"models/{model}/best.h5" for model in MODELS]
    assert not BEFORE_TRAINING & set(jobs)
    assert "scores/us8k/l3-music-mel256-epoch-004.csv" not in jobs["classify_dataset"]
    assert "scores/us8k/l3-music-mel256-epoch-016.csv" in jobs["classify_dataset"]


def test_a_checkpoint_between_runs_its_leg_and_the_one_that_now_starts_from_it(finished: StubRun) -> None:
    jobs = finished.plan(train={"checkpoints": [4, 6, 12]})
    assert jobs["train_leg"] == legs(6, 12)
    assert not BEFORE_TRAINING & set(jobs)


def test_a_checkpoint_between_can_be_had_without_the_later_ones(finished: StubRun) -> None:
    target = "results/demo/models/music-mel256/embedding-epoch-006.keras"
    jobs = finished.plan(target, train={"checkpoints": [4, 6, 12]})
    assert jobs == {
        "train_leg": legs(6, models=["music-mel256"]),
        "extract_embedding": ["models/music-mel256/embedding-epoch-006.keras"],
    }


def test_another_seed_stands_beside_the_old_one(finished: StubRun) -> None:
    jobs = finished.plan(models={"seeds": [0, 1]})
    new = [f"{model}-seed1" for model in MODELS]
    assert jobs["train_leg"] == legs(4, 12, models=new)
    assert jobs["evaluate_avc"] == [f"models/{model}/avc.csv" for model in new]
    assert jobs["classify_dataset"] == scores(*(f"l3-{model}" for model in new))
    assert not BEFORE_TRAINING & set(jobs)


def test_a_part_fetched_again_makes_its_shards_and_trains_anew(finished: StubRun) -> None:
    jobs = finished.plan("--forcerun", "results/demo/manifests/part-0003.csv")
    assert jobs["fetch_clips"] == ["manifests/part-0003.csv"]
    assert jobs["make_shard"] == ["shards/environmental/part-0003.h5", "shards/music/part-0003.h5"]
    assert jobs["index_shards"] == ["shards/environmental/train.json", "shards/music/train.json"]
    assert jobs["train_leg"] == legs(4, 12)
    assert not {"make_demo_videos", "fetch_segments", "select_clips", "fetch_dataset"} & set(jobs)


def test_a_stage_by_force_runs_it_and_what_follows(finished: StubRun) -> None:
    jobs = finished.plan("--forcerun", "classify_dataset")
    assert len(jobs["classify_dataset"]) == len(DATASETS) * 11
    assert not {"train_leg", "evaluate_avc", "embed_dataset"} & set(jobs)
    # The page of run times tells those of the figures too.
    assert set(finished.plan("--forcerun", "plot_confusion")) == {"plot_confusion", "collect_runtimes", "describe_run"}


def test_one_model_by_force_leaves_the_others_alone(finished: StubRun) -> None:
    jobs = finished.plan("--forcerun", "results/demo/models/music-linear/checkpoints/epoch-004.h5")
    assert jobs["train_leg"] == legs(4, 12, models=["music-linear"])
    assert jobs["classify_dataset"] == scores("l3-music-linear")


def test_a_stage_alone_stops_where_it_is_told(finished: StubRun) -> None:
    assert set(finished.plan("--until", "index_shards", "--forcerun", "make_shard")) == {"make_shard", "index_shards"}


def test_a_front_end_more_trains_its_two_models(tmp_path: Path, root: Path) -> None:
    two = {"models": {"front_ends": ["linear", "mel256"]}, "datasets": dict.fromkeys(("us8k", "dcase2013"))}
    made = StubRun(tmp_path, root)
    made.run(**two)
    assert made.plan(**two) == {}
    jobs = made.plan(**{**two, "models": {"front_ends": ["linear", "mel256", "mel128"]}})
    new = ["environmental-mel128", "music-mel128"]
    assert jobs["train_leg"] == legs(4, 12, models=new)
    assert jobs["evaluate_avc"] == [f"models/{model}/avc.csv" for model in new]
    assert jobs["classify_dataset"] == scores(*(f"l3-{model}" for model in new), datasets=("esc50",))
    assert not BEFORE_TRAINING & set(jobs)


def test_shards_made_again_alike_train_nothing(tmp_path: Path, root: Path) -> None:
    """Snakemake compares small files by content: an index that comes out the same ends the chain."""
    small = {
        "models": {"front_ends": ["linear"]},
        "datasets": dict.fromkeys(("us8k", "dcase2013")),
        "classify": {"curve": []},
        "report": {"reference": "music-linear"},
    }
    made = StubRun(tmp_path, root)
    made.run(**small)
    options = made.configure(small)
    made.snakemake("--cores", 8, "--forcerun", "make_shard", "--until", "index_shards", *options)
    assert not {"train_leg", "evaluate_avc"} & set(made.plan(**small))
