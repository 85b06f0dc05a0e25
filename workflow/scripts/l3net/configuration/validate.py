"""Checks of what users write: the configuration and its sections. One line says what is wrong and what was expected."""

import difflib
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from l3net.errors import ConfigError


def read_schema(path: Path) -> dict[str, Any]:
    """Return the JSON schema at `path`, written in YAML."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def check_configuration(given: dict[str, Any], schema: dict[str, Any]) -> None:
    """Check a configuration against a schema.

    Raises
    ------
    ConfigError
        With the key's full name, what was found, what was expected, and the nearest known key for a misspelt one.
    """
    validator = jsonschema.validators.validator_for(schema)(schema)
    error = jsonschema.exceptions.best_match(validator.iter_errors(given))
    if error is not None:
        raise ConfigError(f"config: {_explain(error)}")


def _explain(error: jsonschema.ValidationError) -> str:
    where = ".".join(str(key) for key in error.absolute_path) or "top level"
    description = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        unknown = [key for key in error.instance if key not in known]
        return f"unknown key {', '.join(map(repr, unknown))} at {where}{_suggest(unknown[0], known)}"
    text = f"{where}: {error.message}"
    return f"{text} ({description})" if description else text


def _suggest(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known keys: {', '.join(sorted(known))}"
