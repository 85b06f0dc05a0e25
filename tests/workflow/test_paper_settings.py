"""The paper's run has the paper's settings, one by one, and its network, its sizes and its published figures.

Sources: Cramer et al., ICASSP 2019, by section; what the text leaves open, from the published code (marl/l3embedding)
and from the released weights (marl/openl3).
"""

import csv
from pathlib import Path

import pytest

from l3net.configuration import model_grid
from l3net.configuration.embedding_sections import VggishEmbedding
from tests.workflow.preset_files import laid_over_config, read_preset

TENTHS = [1e-5, 1e-4, 1e-3]
# Key, value, where it is from.
SETTINGS = [
    ("audioset.subsets.music", "resources/filters/music.csv", "section 2: 296 K videos"),
    ("audioset.subsets.environmental", "resources/filters/environmental_published.csv", "section 2: 195 K videos"),
    ("samples.short_side", 256, "published code"),
    ("samples.image_size", 224, "section 2"),
    ("samples.pairing", "overlapping", "section 2: the frame overlaps the second of sound"),
    ("samples.hard_negatives", 0.0, "section 2: sound of another video"),
    ("samples.frames_per_clip", 300, "published code: every frame of 10 s at 30 frames a second"),
    ("models.front_ends", ["linear", "mel128", "mel256"], "section 3.1"),
    ("models.subsets", ["music", "environmental"], "section 3.2"),
    ("models.seeds", [0], "one model of each"),
    ("front_end.version", "training", "published code"),
    ("front_end.hop_length", 242, "section 3.1"),
    ("network.width", 1.0, "section 2"),
    ("network.batch_norm_momentum", 0.99, "published code: Keras' own"),
    ("train.learning_rate", 1e-5, "section 2: Adam"),
    ("train.schedule", "constant", "published code"),
    ("train.warmup_steps", 0, "published code"),
    ("train.weight_decay", 1e-5, "published code"),
    ("train.batch_size", 64, "section 2"),
    ("train.batches_per_epoch", 4096, "section 2"),
    ("train.validation_batches", 1024, "section 2"),
    ("train.checkpoints", list(range(10, 301, 10)), "section 2: 300 epochs; a checkpoint every tenth"),
    ("train.augment", True, "published code"),
    ("train.spec_augment", False, "not in the paper"),
    ("train.objective", "correspondence", "section 2"),
    ("train.precision", "float32", "published code"),
    ("train.synchronised_batch_norm", False, "published code: each of four GPUs by itself"),
    ("embed.pooling", 6144, "section 2"),
    ("embed.hop_seconds", 0.1, "section 3.3"),
    ("embed.center", False, "published code"),
    ("embeddings.vggish.relu", True, "the VGGish of its time had a ReLU before the PCA"),
    ("embeddings.soundnet.layer", "conv7", "not documented: ours"),
    ("embeddings.random.pooling", 6144, "a control of ours, like ours"),
    ("classify.classifier", "mlp", "section 3.3"),
    ("classify.protocol", "paper", "section 3.3"),
    ("classify.hidden", [512, 128], "section 3.3"),
    ("classify.learning_rates", TENTHS, "section 3.3"),
    ("classify.weight_decays", TENTHS, "section 3.3"),
    ("classify.max_epochs", 50, "section 3.3"),
    ("classify.patience_epochs", 20, "section 3.3"),
    ("classify.batch_size", 64, "published code"),
    ("classify.validation_share", 0.1, "section 3.3"),
    ("classify.seeds", [0], "one evaluation"),
    ("classify.curve", ["music-mel256"], "figure 4"),
    ("datasets.us8k.layout", "us8k", "section 3.3"),
    ("datasets.esc50.layout", "esc50", "section 3.3"),
    ("datasets.dcase2013.layout", "dcase2013", "section 3.3"),
    ("report.synthetic", False, "real data"),
    ("report.reference", "music-mel256", "section 4.3"),
    ("report.significance", "averaged", "section 4: averaged over all other design variations"),
    ("report.confidence", 0.95, "p < 0.05"),
]
# Table, data set or subset trained on, embedding or subset tested on: percent as the paper prints it.
PUBLISHED = {
    ("downstream", "us8k", "l3-music-mel256"): "78.23",
    ("downstream", "esc50", "l3-music-mel256"): "79.82",
    ("downstream", "dcase2013", "l3-music-mel256"): "97",
    ("downstream", "us8k", "l3-environmental-mel256"): "79.34",
    ("downstream", "us8k", "vggish"): "73.43",
    ("downstream", "esc50", "vggish"): "73.54",
    ("downstream", "dcase2013", "vggish"): "93",
    ("downstream", "us8k", "soundnet"): "68.80",
    ("downstream", "esc50", "soundnet"): "47.66",
    ("downstream", "dcase2013", "soundnet"): "76",
    ("avc", "music", "music"): "77.04",
    ("avc", "music", "environmental"): "64.82",
    ("avc", "environmental", "music"): "62.93",
    ("avc", "environmental", "environmental"): "78.08",
}


@pytest.fixture(scope="module")
def config() -> dict:
    return laid_over_config(read_preset("paper.yaml"))


@pytest.mark.parametrize(("key", "value", "source"), SETTINGS, ids=[key for key, *_ in SETTINGS])
def test_a_setting_is_the_papers(config: dict, key: str, value: object, source: str) -> None:
    found = config
    for name in key.split("."):
        found = found[name]
    assert found == value, f"{key} is {found!r}; the paper has {value!r} ({source})"
    assert type(found) is type(value)


def test_the_three_data_sets_and_the_three_other_embeddings_are_all(config: dict) -> None:
    assert set(config["datasets"]) == {"us8k", "esc50", "dcase2013"}
    assert set(config["embeddings"]) == {"vggish", "soundnet", "random"}
    assert VggishEmbedding(**config["embeddings"]["vggish"]).quantize  # published code
    grid = config["models"]
    assert len(model_grid(grid["subsets"], grid["front_ends"], grid["seeds"])) == 6


def test_the_counts_of_samples_are_the_papers(config: dict) -> None:
    train, per_clip = config["train"], config["samples"]["samples_per_clip"]
    epoch = train["batches_per_epoch"] * train["batch_size"]
    assert epoch * max(train["checkpoints"]) == 78_643_200
    steps = [later - earlier for earlier, later in zip([0, *train["checkpoints"]], train["checkpoints"], strict=False)]
    assert {epoch * step for step in steps} == {2_621_440}  # "every 2.6 M"
    assert {1, 10, 20, 50, 100, 150, 200, 250, 300} - {1} <= set(train["checkpoints"])  # figure 4
    assert 59e6 < 296_000 * 0.8 * per_clip < 61e6
    tested = config["evaluate"]["batches"] * train["batch_size"]
    assert 0.99 < tested / (195_000 * 0.1 * per_clip) <= 1  # what the smaller subset's test tenth holds
    assert 400 <= config["audioset"]["parts"] <= 800


def test_the_network_has_the_published_sizes(config: dict) -> None:
    from l3net.models.l3 import build_l3, embedding_network

    size, hop_length = config["samples"]["image_size"], config["front_end"]["hop_length"]
    model = build_l3("mel256", image_size=size, width=config["network"]["width"], hop_length=hop_length)
    assert model.count_params() == 9_516_434
    embedding = embedding_network(model, pooling=config["embed"]["pooling"])
    assert (embedding.count_params(), embedding.output_shape) == (4_689_860, (None, 6144))


def test_the_published_accuracies_are_those_of_the_paper(root: Path) -> None:
    with open(root / "resources" / "paper_results.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["table"] != "elsewhere"]
    found = {
        (
            row["table"],
            row["dataset"] or row["train_subset"],
            row["embedding"] or row["test_subset"],
        ): row["accuracy_percent"]
        for row in rows
    }
    assert found == PUBLISHED
    assert all(row["source"].startswith("Cramer et al. 2019") for row in rows)
    assert {row["front_end"] for row in rows if row["embedding"].startswith("l3-") or row["table"] == "avc"} == {
        "mel256"
    }
