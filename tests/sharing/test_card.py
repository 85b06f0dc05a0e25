"""The model card: what it must tell, and what it must not make up."""

import json

import yaml

from l3net.sharing import CardFacts, model_card

ABOUT = {
    "kind": "l3",
    "front_end": "mel256",
    "front_end_version": "training",
    "hop_length": 242,
    "subset": "music",
    "epoch": 7,
    "samples_seen": 4321,
    "dimension": 6144,
    "model_seed": 11,
    "commit": "abc123",
    "versions": json.dumps({"l3net": "9.8.7", "keras": "3.2.1"}),
    "training": {"config": json.dumps({"learning_rate": 1e-5, "batch_size": 64, "network": {"width": 0.5}})},
    "validation_accuracy": 0.715,
}
TESTED = {"test_subset": "environmental", "accuracy": 0.6543, "ci_low": 0.601, "ci_high": 0.712}
TESTED |= {"n": 480, "n_units": 20, "unit": "clip"}
FACTS = CardFacts(
    name="music-mel256",
    clips={
        ("train", "ok"): 80,
        ("train", "short"): 3,
        ("train", "private"): 7,
        ("test", "ok"): 9,
        ("test", "removed"): 0,
    },
    correspondence=[TESTED],
    licence="Mine.",
)


def test_a_card_tells_data_attrition_front_end_accuracy_use_licence_and_loading() -> None:
    card = model_card(ABOUT, FACTS)
    header = yaml.safe_load(card.split("---")[1])
    assert header["library_name"] == "keras" and "synthetic" not in header["tags"]
    for line in (
        "# music-mel256",
        'l3net.embed(audio, sample_rate, model="embedding.keras")',
        "| front end | mel256 |",
        "| width of the layers | 0.5 |",
        "| learning rate | 1e-05 |",
        "| samples seen in training | 4321 |",
        "| train | 90 | 83 | 7 private |",
        "| test | 9 | 9 |  |",
        "Licence of the data: Mine.",
        "| environmental | 65.4 | 60.1 to 71.2 | 480 | 20 clips |",
        "## Intended use",
        "commit `abc123`, with l3net 9.8.7, keras 3.2.1.",
    ):
        assert line in card, line
    assert "ynthetic" not in card
    assert "71.5" not in card  # the validation accuracy is no test accuracy


def test_synthetic_data_is_called_so_at_the_top_and_in_the_tags() -> None:
    card = model_card(ABOUT, CardFacts(name="m", synthetic=True))
    assert "synthetic" in yaml.safe_load(card.split("---")[1])["tags"]
    assert card.index("synthetic data; its numbers say nothing") < card.index("## ")


def test_what_a_file_does_not_tell_is_not_made_up() -> None:
    card = model_card({"kind": "l3", "training": "none"}, CardFacts())
    assert "The file does not name its training data." in card and "Licence of the data: not stated." in card
    assert "Not told." in card and "None" not in card and "{}" not in card


def test_the_vision_half_is_loaded_as_such() -> None:
    assert "keras.saving.load_model" in model_card({**ABOUT, "kind": "l3-vision"}, CardFacts())
