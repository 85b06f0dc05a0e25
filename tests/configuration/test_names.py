"""Names of models and embeddings: what is made is parsed back, and nothing else is taken for a name."""

import pytest

from l3net.configuration.names import EmbeddingName, ModelName, model_grid
from l3net.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("music-mel256", ModelName("music", "mel256")),
        ("music-linear-seed0", ModelName("music", "linear", 0)),
        ("my_subset_2-mel128-seed17", ModelName("my_subset_2", "mel128", 17)),
    ],
)
def test_a_models_name_is_made_and_parsed(name: str, model: ModelName) -> None:
    assert model.name == name
    assert ModelName.parse(name) == model


@pytest.mark.parametrize("name", ["music", "music-mel512", "Music-mel256", "music-mel256-seed", "a-b-linear"])
def test_what_is_no_models_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"is no name of a model; expected \{subset\}-\{front_end\}"):
        ModelName.parse(name)


@pytest.mark.parametrize(
    ("name", "model", "epoch"),
    [
        ("l3-music-mel256", "music-mel256", None),
        ("l3-music-mel256-epoch-004", "music-mel256", 4),
        ("l3-a_1-linear-seed3-epoch-120", "a_1-linear-seed3", 120),
    ],
)
def test_an_embeddings_name_is_made_and_parsed(name: str, model: str, epoch: int | None) -> None:
    parsed = EmbeddingName.parse(name)
    assert parsed == EmbeddingName(ModelName.parse(model), epoch)
    assert parsed.name == name


@pytest.mark.parametrize("name", ["random", "l3-random", "l3-music-mel256-epoch-4", "music-mel256"])
def test_what_is_no_embedding_of_our_models_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="is no "):
        EmbeddingName.parse(name)


def test_the_grid_leaves_the_first_seed_out_of_names() -> None:
    names = [model.name for model in model_grid(["music"], ["linear", "mel256"], [3, 4])]
    assert names == ["music-linear", "music-linear-seed4", "music-mel256", "music-mel256-seed4"]
