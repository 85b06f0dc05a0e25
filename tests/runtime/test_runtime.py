"""Files, hashes, provenance, progress and the checks of a configuration."""

import copy
import hashlib
import json
import logging
from pathlib import Path

import pytest
import yaml

from l3net.configuration.validate import check_configuration, read_schema
from l3net.errors import ConfigError
from l3net.runtime import provenance
from l3net.runtime.hashing import sha256_of, stable_hash
from l3net.runtime.progress import track_progress


def test_stable_hash_is_the_head_of_blake2b() -> None:
    digest = hashlib.blake2b(b"--2hxJ7vTaE", digest_size=8).hexdigest()
    assert stable_hash("--2hxJ7vTaE") == int(digest, 16)


def test_sha256_of_reads_the_whole_file(tmp_path: Path) -> None:
    content = b"x" * (3 << 20)
    (tmp_path / "big").write_bytes(content)
    assert sha256_of(tmp_path / "big") == hashlib.sha256(content).hexdigest()


def test_provenance_is_canonical_and_without_time() -> None:
    first = provenance.describe(b=1, a={"path": Path("x"), "list": (1, 2)})
    assert first["config"] == '{"a":{"list":[1,2],"path":"x"},"b":1}'
    assert json.loads(first["versions"])["numpy"]
    assert first == provenance.describe(a={"list": [1, 2], "path": "x"}, b=1)


def test_progress_without_a_terminal_logs_a_last_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="l3net"):
        assert list(track_progress([1, 2, 3], "cutting", unit="clips")) == [1, 2, 3]
    assert [r.getMessage().split(",")[0] for r in caplog.records] == ["cutting: 3 of 3 clips"]


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
