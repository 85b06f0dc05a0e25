"""Who is given what: one job of every rule against a table, in a plan where nothing that could be swapped is alike."""

import ast
import inspect
import re
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from tests.stages.loading import stage_function
from tests.workflow.planned_jobs import plan_jobs
from tests.workflow.test_rules import blocks

TABLE = yaml.safe_load(Path(__file__).with_name("wiring.yaml").read_text())
MODELS = [f"{s}-{f}{seed}" for s in ("music", "environmental") for f in ("linear", "mel128") for seed in ("", "-seed1")]
DATASETS = ("dcase2013", "esc50", "us8k")
CHANGES = {
    "models": {"front_ends": ["linear", "mel128"], "seeds": [0, 1]},
    "train": {"checkpoints": [4, 8, 12], "objective": "contrastive", "feed_workers": 1},
    "classify": {"curve": ["environmental-mel128-seed1"]},
    "report": {"reference": "environmental-mel128-seed1", "other_pairing": "other"},
    "audioset": {
        "workers": 2,
        "split": "balanced",
        "url_template": "https://example.org/{ytid}",
        "format": "mp4",
        "cookies": "jar.txt",
        "proxy": "http://proxy.example:3128",
        "js_runtime": "node",
        "rate_limit": 200,
        "timeout_seconds": 45.0,
    },
    "samples": {"hard_negatives": 0.25, "frames_per_clip": 20},
    "embed": {"hop_seconds": 0.5},
    "weights": {name: {"url": f"https://example.org/{name}"} for name in ("vggish.ckpt", "pca.npz")},
    "embeddings": {"vggish": {"kind": "vggish", "weights": ["vggish.ckpt", "pca.npz"]}},
}


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory, root: Path) -> dict[str, dict[str, str]]:
    folder = tmp_path_factory.mktemp("plan")
    there = [f"models/{model}/best.h5" for model in MODELS]
    for name in (*there, "shards/music/test.json", "shards/environmental/test.json"):
        path = folder / "results" / "other" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    planned = plan_jobs(folder, root, **CHANGES)
    planned |= plan_jobs(tmp_path_factory.mktemp("more"), root, "resources/demo/mixtures")  # no run makes it unasked
    return {
        job.replace("results/demo/", ""): {name: text.replace("results/demo/", "") for name, text in given.items()}
        for job, given in planned.items()
    }


def as_text(expected: object) -> str:
    return " ".join(map(str, expected)) if isinstance(expected, list) else str(expected)


@pytest.mark.parametrize("job", TABLE)
def test_a_job_is_given_what_the_table_says(jobs: dict[str, dict[str, str]], job: str) -> None:
    for name, expected in TABLE[job].items():
        found = jobs[job][name]
        if isinstance(expected, dict):
            assert expected.items() <= ast.literal_eval(found).items(), name
        else:
            assert found == as_text(expected), name


def test_every_rule_is_in_the_table() -> None:
    assert {job.split()[0] for job in TABLE} == set(blocks())


def siblings(stage: str) -> list[list[str]]:
    """Return the arguments of a stage that have the same type, and so could be given to each other without an error."""
    of_type = defaultdict(list)
    for name, parameter in inspect.signature(stage_function(stage)).parameters.items():
        of_type[str(parameter.annotation)].append(name)
    return [names for names in of_type.values() if len(names) > 1]


# Resources of the job: one process, and one thread where a profile does not say more. The Snakefile and its copy, whose
# folder is cut off here.
ALIKE = {("train_leg", "tasks", "threads"), ("describe_run", "snakefile", "workflow_file")}


@pytest.mark.parametrize("rule", blocks())
def test_every_argument_with_a_sibling_is_in_the_table_and_unlike_it(
    jobs: dict[str, dict[str, str]], rule: str
) -> None:
    """What the demo sets alike, `CHANGES` sets apart: a swap in the rules cannot stay unseen."""
    of_rule = [job for job in TABLE if job.split()[0] == rule]
    for names in siblings(rule):
        passed = [name for name in names if name in jobs[of_rule[0]]]
        assert [name for name in passed if not any(name in TABLE[job] for job in of_rule)] == []
        for one, other in combinations(passed, 2):
            if (rule, one, other) not in ALIKE:
                assert any(jobs[job][one] != jobs[job][other] for job in of_rule), (one, other)


@pytest.mark.parametrize("rule", blocks())
def test_the_page_names_every_argument_that_has_a_sibling(root: Path, rule: str) -> None:
    """docs/reliability.md says of each which test would see it swapped."""
    _, _, page = (root / "docs" / "reliability.md").read_text().partition("## Wiring")
    rows = [line for line in page.splitlines() if rule in line.partition(" | ")[0].removeprefix("| ").split(", ")]
    assert rows
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert {name for names in siblings(rule) for name in names} - named == set()


def test_splits_share_no_part_and_leave_none_out(jobs: dict[str, dict[str, str]]) -> None:
    for subset in ("music", "environmental"):
        of = {split: jobs[f"index_shards shards/{subset}/{split}.json"]["shards"].split() for split in SPLIT_PARTS}
        assert of == {
            split: [f"shards/{subset}/part-{part:04d}.h5" for part in parts] for split, parts in SPLIT_PARTS.items()
        }


SPLIT_PARTS = {"train": range(8), "valid": [8], "test": [9]}


def test_every_model_is_trained_validated_and_tested_on_its_own_shards(jobs: dict[str, dict[str, str]]) -> None:
    for model in MODELS:
        subset, front_end, *seed = model.split("-")
        for epoch, before in (("004", ""), ("008", "004"), ("012", "008")):
            before = before and f"models/{model}/checkpoints/epoch-{before}.h5"
            leg = jobs[f"train_leg models/{model}/checkpoints/epoch-{epoch}.h5"]
            assert (leg["train"], leg["valid"]) == (f"shards/{subset}/train.json", f"shards/{subset}/valid.json")
            assert (leg["front_end"], leg["previous"], leg["epoch"]) == (front_end, before, str(int(epoch)))
            assert int(leg["seed"]) == 20190512 + (1 if seed else 0)
        tested = jobs[f"evaluate_avc models/{model}/avc.csv"]
        assert tested["tests"].split() == [f"shards/{one}/test.json" for one in tested["subsets"].split()]
        assert (tested["train_subset"], tested["front_end"]) == (subset, front_end)


def test_every_embedding_is_computed_with_its_own_file_and_scored_from_its_own_vectors(jobs: dict) -> None:
    curve = [f"l3-environmental-mel128-seed1-epoch-{epoch}" for epoch in ("004", "008", "012")]
    for dataset in DATASETS:
        for embedding in [*(f"l3-{model}" for model in MODELS), *curve, "random"]:
            model, _, epoch = embedding.removeprefix("l3-").partition("-epoch-")
            embedded = jobs[f"embed_dataset embeddings/{dataset}/{embedding}.h5"]
            file = f"models/{model}/embedding{f'-epoch-{epoch}' if epoch else ''}.keras"
            assert embedded["model"] == ("" if embedding == "random" else file)
            assert (embedded["clips"], embedded["embedding"]) == (f"datasets/{dataset}.csv", embedding)
            scored = jobs[f"classify_dataset scores/{dataset}/{embedding}.csv"]
            assert scored["embeddings"] == f"embeddings/{dataset}/{embedding}.h5"
            assert (scored["dataset"], scored["embedding"]) == (dataset, embedding)


def test_the_tables_are_of_all_scores_with_their_own_identities(jobs: dict[str, dict[str, str]]) -> None:
    collected, mapped = (
        jobs["collect_scores tables/downstream.csv"],
        jobs["plot_embedding_map figures/embedding_map.svg"],
    )
    scored = {job.split()[1] for job in jobs if job.startswith("classify_dataset")}
    assert set(collected["predictions"].split()) == scored
    confused = jobs["plot_confusion figures/confusion.svg"]
    assert set(confused["predictions"].split()) == {path for path in scored if "-epoch-" not in path}
    assert ast.literal_eval(confused["identities"]) == ast.literal_eval(mapped["identities"])
    curve = {f"embeddings/{dataset}/l3-environmental-mel128-seed1-epoch-" for dataset in DATASETS}
    embedded = {job.split()[1] for job in jobs if job.startswith("embed_dataset")}
    assert set(mapped["embeddings"].split()) == {path for path in embedded if not path.startswith(tuple(curve))}
    about = ast.literal_eval(collected["embeddings"])
    for model in MODELS:
        subset, front_end, *seed = model.split("-")
        own = {"model": model, "checkpoint": "best", "model_seed": 1 if seed else 0}
        assert about[f"l3-{model}"].items() >= {"subset": subset, "front_end": front_end, **own}.items()
        assert ast.literal_eval(mapped["identities"])[f"l3-{model}"] == own
    at_four = about["l3-environmental-mel128-seed1-epoch-004"]
    assert (at_four["model"], at_four["checkpoint"]) == ("environmental-mel128-seed1", "epoch-004")
