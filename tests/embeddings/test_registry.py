"""The table of kinds: it fits the functions that it names and the configuration, and wrong settings are refused."""

import importlib
import inspect
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from l3net.configuration import embedding_sections, names
from l3net.embeddings import vggish
from l3net.embeddings.embedding_keras import WINDOW
from l3net.embeddings.hear_module import VECTORS
from l3net.embeddings.registry import KINDS, check_embedding, load_embedding
from l3net.embeddings.soundnet import OUTPUTS
from l3net.errors import ConfigError, WeightsError
from l3net.inference import PRECISIONS
from l3net.models import FRONT_ENDS, POOLINGS

SECTIONS = {
    "openl3": embedding_sections.OpenL3Embedding,
    "vggish": embedding_sections.VggishEmbedding,
    "soundnet": embedding_sections.SoundNetEmbedding,
    "hear": embedding_sections.HearEmbedding,
    "random": embedding_sections.RandomEmbedding,
}


@pytest.mark.parametrize("name", KINDS)
def test_the_keys_of_a_kind_are_those_of_its_loader(name: str) -> None:
    module, function = KINDS[name].loader.split(".")
    loader = getattr(importlib.import_module(f"l3net.embeddings.{module}"), function)
    parameters = {key for key in inspect.signature(loader).parameters if key != "files"}
    assert parameters == set(KINDS[name].keys)


@pytest.mark.parametrize("name", SECTIONS)
def test_the_keys_of_a_kind_are_those_of_the_configuration(name: str) -> None:
    described = set(SECTIONS[name].model_fields) - {"kind", "weights"}
    assert described == set(KINDS[name].keys)


def test_values_are_those_of_the_configuration() -> None:
    assert tuple(FRONT_ENDS) == names.FRONT_ENDS
    assert get_args(embedding_sections.Pooling) == POOLINGS
    assert get_args(embedding_sections.InferencePrecision) == PRECISIONS
    assert get_args(embedding_sections.HearVectors) == VECTORS == KINDS["hear"].keys["vectors"]
    assert set(get_args(embedding_sections.SoundNetLayer)) == set(OUTPUTS)


def test_windows_are_those_of_the_embeddings() -> None:
    assert KINDS["vggish"].window == (vggish.WINDOW, vggish.SAMPLE_RATE)
    assert KINDS["l3"].window == KINDS["openl3"].window == KINDS["random"].window == (WINDOW, 48000)


@pytest.mark.parametrize(
    ("settings", "files", "error", "message"),
    [
        ({}, [], ConfigError, "unknown kind None; expected one of l3, openl3, vggish"),
        ({"kind": "vgish"}, [], ConfigError, "unknown kind 'vgish'"),
        ({"kind": "random", "layer": "conv7"}, [], ConfigError, "kind random has no key layer; it has front_end"),
        (
            {"kind": "random", "front_end": "mel64"},
            [],
            ConfigError,
            "front_end is 'mel64'; expected one of linear",
        ),
        ({"kind": "random", "width": "wide"}, [], ConfigError, "width is 'wide'; expected a number"),
        ({"kind": "soundnet", "layer": "conv9"}, [], ConfigError, "layer is 'conv9'; expected one of conv1"),
        ({"kind": "vggish", "relu": 1}, [], ConfigError, "relu is 1; expected true or false"),
        ({"kind": "hear"}, [], ConfigError, "kind hear needs module"),
        ({"kind": "random"}, [__file__], WeightsError, "takes no file, as its network is untrained; 1 are given"),
        ({"kind": "vggish"}, [], WeightsError, "takes one or two files, vggish_model.ckpt and"),
        ({"kind": "soundnet"}, ["none.npy"], WeightsError, r"none\.npy: no such file; expected sound8\.npy"),
    ],
)
def test_settings_that_name_no_embedding(settings: dict, files: list[str], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        check_embedding(settings, [Path(name) for name in files])


def test_settings_are_left_as_they_are_and_facts_are_complete() -> None:
    settings = {"kind": "hear", "module": "docs.examples.log_mel_statistics", "weights": []}
    pytest.importorskip("librosa", reason="librosa is not installed")
    embedding = load_embedding(settings, [])
    assert settings == {"kind": "hear", "module": "docs.examples.log_mel_statistics", "weights": []}
    assert {key: embedding.about[key] for key in ("kind", "front_end", "epoch", "model_seed")} == {
        "kind": "hear", "front_end": "", "epoch": -1, "model_seed": -1,
    }  # fmt: skip


def test_settings_are_checked_without_tensorflow() -> None:
    program = (
        "import sys; from pathlib import Path; from l3net.embeddings import check_embedding\n"
        "check_embedding({'kind': 'random', 'front_end': 'linear'}, []).check_hop(0.5)\n"
        "print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
