"""The checks of a configuration against its schema."""

import copy
from pathlib import Path

import pytest
import yaml

from l3net.configuration.validate import check_configuration, read_schema
from l3net.errors import ConfigError


@pytest.fixture(scope="module")
def schema(root: Path) -> dict:
    return read_schema(root / "workflow" / "schemas" / "config.schema.yaml")


@pytest.fixture
def config(root: Path) -> dict:
    return copy.deepcopy(yaml.safe_load((root / "config.yaml").read_text()))


def test_the_default_configuration_is_valid(config: dict, schema: dict) -> None:
    check_configuration(config, schema)


def test_a_misspelt_key_is_named_with_its_neighbour(config: dict, schema: dict) -> None:
    config["train"]["lerning_rate"] = 1e-3
    with pytest.raises(ConfigError, match="unknown key 'lerning_rate' at train; did you mean 'learning_rate'"):
        check_configuration(config, schema)


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("audioset", "source", "ftp", "audioset.source: 'ftp' is not one of"),
        ("train", "batch_size", "many", "train.batch_size: 'many' is not of type 'integer'"),
        ("audioset", "parts", -1, "audioset.parts: -1 is less than the minimum"),
    ],
)
def test_a_wrong_value_is_named(
    config: dict, schema: dict, section: str, key: str, value: object, message: str
) -> None:
    config[section][key] = value
    with pytest.raises(ConfigError, match=message):
        check_configuration(config, schema)


def test_every_key_of_the_configuration_is_described(schema: dict) -> None:
    def missing(properties: dict, path: str) -> list[str]:
        found = []
        for key, value in properties.items():
            inner = missing(value.get("properties", {}), f"{path}{key}.")
            found += inner or ([] if value.get("description") or value.get("properties") else [path + key])
        return found

    assert missing(schema["properties"], "") == []
