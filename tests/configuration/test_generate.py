"""What is generated is what stands in the project, and it says what it should."""

import json
from pathlib import Path

import jsonschema  # Snakemake brings it
import pytest
import yaml

from l3net.configuration.generate import SCHEMA, generated
from l3net.configuration.run import Configuration
from l3net.configuration.section import Section
from tests.workflow.preset_files import PRESETS, read_preset


@pytest.mark.parametrize("path", generated())
def test_a_generated_file_is_in_step(path: str, root: Path) -> None:
    assert (root / path).read_text() == generated()[path], "run `make docs`"


def test_config_yaml_holds_every_key_at_its_default(root: Path) -> None:
    given = yaml.safe_load((root / "config.yaml").read_text())
    assert Configuration.read(given, "") == Configuration()
    assert set(given) == set(Configuration.model_fields)
    for name, section in ((name, getattr(Configuration(), name)) for name in given):
        if isinstance(section, Section):
            assert list(given[name]) == list(type(section).model_fields)


def sections() -> list[type[Section]]:
    """Return the classes of all sections and entries."""
    return [Configuration, *(found for found in Section.__subclasses__() if found is not Configuration)]


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.__name__)
def test_every_key_has_a_meaning_in_a_sentence(section: type[Section]) -> None:
    for name, field in section.model_fields.items():
        assert field.description, f"{section.__name__}.{name} has no meaning"
        assert field.description[0].isupper(), name
        assert field.description.endswith("."), name


@pytest.fixture(scope="module")
def validator(root: Path) -> jsonschema.Draft202012Validator:
    schema = json.loads((root / SCHEMA).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("preset", PRESETS)
def test_editors_find_no_fault_with_a_preset(preset: str, validator: jsonschema.Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(read_preset(preset))] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"train": {"lerning_rate": 1}},
        {"train": {"batch_size": 0}},
        {"train": {"checkpoints": [1000]}},
        {"classify": {"learning_rates": [-1]}},
        {"embeddings": {"mine": {"kind": "heer"}}},
        {"datasets": {"ESC": None}},
    ],
)
def test_editors_find_mistakes(wrong: dict, validator: jsonschema.Draft202012Validator) -> None:
    assert not validator.is_valid(wrong)
