"""The whole configuration: the paper's values, text that is a number, entries taken away, keys in any order."""

import subprocess
import sys

import pytest

from l3net.configuration.run import Configuration, as_mapping, read_configuration, sort_keys
from l3net.configuration.training_sections import Train
from l3net.errors import ConfigError


def test_what_is_left_out_is_the_papers() -> None:
    whole = read_configuration({"run": "mine"})
    assert whole["train"]["learning_rate"] == 1e-5
    assert whole["train"]["checkpoints"] == list(range(10, 301, 10))
    assert whole["embed"]["pooling"] == 6144
    expected = {**as_mapping(Configuration()), "run": "mine"}
    expected["models"] |= {"subsets": ["music", "environmental"]}
    expected["report"] |= {"reference": "music-mel256"}
    expected["classify"] |= {"curve": ["music-mel256"]}
    assert whole == expected


PAPERS = {"music": None, "environmental": None}


@pytest.mark.parametrize(
    ("given", "subsets", "reference"),
    [
        ({"audioset": {"subsets": {**PAPERS, "mine": "all"}}}, ["mine"], "mine-mel256"),
        (
            {"audioset": {"subsets": {**PAPERS, "mine": "all"}}, "models": {"front_ends": ["linear", "mel128"]}},
            ["mine"],
            "mine-mel128",
        ),
        ({"audioset": {"subsets": {"b": "b.csv", "a": "all", "music": "m.csv"}}}, ["music", "a", "b"], "music-mel256"),
        ({"models": {"subsets": ["environmental"]}}, ["environmental"], "environmental-mel256"),
    ],
)
def test_models_reference_and_curve_follow_from_the_subsets(given: dict, subsets: list[str], reference: str) -> None:
    whole = read_configuration({"run": "x", **given})
    assert whole["models"]["subsets"] == subsets
    assert whole["report"]["reference"] == reference
    assert whole["classify"]["curve"] == [reference]


def test_what_is_given_does_not_follow() -> None:
    given = {"classify": {"curve": []}, "report": {"reference": "environmental-linear"}}
    whole = read_configuration({"run": "x", **given})
    assert whole["classify"]["curve"] == []
    assert whole["report"]["reference"] == "environmental-linear"


def test_no_subset_is_told() -> None:
    with pytest.raises(ConfigError, match=r"audioset\.subsets has no subset; expected a name and .* mine: all"):
        read_configuration({"run": "x", "audioset": {"subsets": PAPERS}})


@pytest.mark.parametrize(("written", "number"), [("1e-3", 1e-3), ("5E-4", 5e-4), ("1.e+0", 1.0), (1, 1.0)])
def test_text_that_is_a_number_to_newer_yaml_is_one(written: object, number: float) -> None:
    whole = read_configuration(
        {"run": "x", "train": {"learning_rate": written}, "classify": {"learning_rates": [written]}}
    )
    assert whole["train"]["learning_rate"] == number
    assert whole["classify"]["learning_rates"] == [number]


@pytest.mark.parametrize("written", ["1e3", 1000.0, 1000])
def test_whole_numbers_may_be_written_as_floats(written: object) -> None:
    batches = read_configuration({"run": "x", "train": {"batches_per_epoch": written}})["train"]["batches_per_epoch"]
    assert batches == 1000
    assert isinstance(batches, int)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *[("xla", 1), ("xla", "yes"), ("xla", "true")],
        *[("batch_size", 1.5), ("batch_size", "3"), ("batch_size", True), ("batch_size", "1.5e0")],
        *[("learning_rate", "0.1"), ("learning_rate", "fast"), ("learning_rate", True)],
        *[("checkpoints", 4), ("precision", None), ("schedule", 0)],
    ],
)
def test_no_value_is_turned_into_another_type(key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=rf"^config: train\.{key} is .+; expected "):
        Train.read({key: value}, "train")


def test_null_takes_away_entries_and_their_keys() -> None:
    whole = read_configuration(
        {
            "run": "x",
            "audioset": {"subsets": {"music": "m.csv", "speech": None}},
            "models": {"subsets": ["music"]},
            "embeddings": {"vggish": None, "mine": {"kind": "soundnet", "weights": "w", "layer": None}},
            "weights": {"w": {"url": None, "path": "w.npy"}, "other": None},
            "datasets": {"us8k": None},
        }
    )
    assert whole["audioset"]["subsets"] == {"music": "m.csv"}
    assert whole["embeddings"] == {"mine": {"kind": "soundnet", "weights": "w"}}
    assert whole["weights"] == {"w": {"path": "w.npy"}}
    assert whole["datasets"] == {}


@pytest.mark.parametrize("section", ["weights", "datasets", "embeddings"])
def test_a_section_of_entries_left_empty_is_empty(section: str) -> None:
    given = {"run": "x", "embeddings": None, section: None}
    assert read_configuration(given)[section] == {}


def test_the_order_of_keys_is_the_configurations_own() -> None:
    given = {"run": "x", "datasets": {"b": {"source": "s", "layout": "us8k"}, "a": {"layout": "us8k", "source": "s"}}}
    turned = {"datasets": {"a": {"source": "s", "layout": "us8k"}, "b": given["datasets"]["b"]}, "run": "x"}
    one, other = read_configuration(given), read_configuration(turned)
    assert str(one) == str(other), "the same order in every mapping"
    assert list(one) == sorted(one)
    assert list(one["datasets"]) == ["a", "b"]


def test_sorting_goes_into_lists_and_leaves_their_order() -> None:
    assert str(sort_keys({"b": [{"d": 1, "c": 2}, 0], "a": 3})) == "{'a': 3, 'b': [{'c': 2, 'd': 1}, 0]}"


def test_keys_that_change_only_how_a_job_runs() -> None:
    switches = {"deterministic", "strategy", "tf32", "xla"}
    assert Train.keys_of_how() == {"feed_workers", "save_every_seconds", "steps_per_call", "stop_on_nan"} | switches


def test_the_configuration_loads_no_library_of_numbers() -> None:
    """It is read at every start of Snakemake and of each of its jobs."""
    program = (
        "import sys; from l3net.configuration import read_configuration; read_configuration({'run': 'x'});"
        "print({'numpy', 'pandas', 'tensorflow', 'av', 'matplotlib', 'scipy'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "set()"
