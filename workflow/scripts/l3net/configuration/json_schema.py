"""The JSON schema of the configuration, and what its parts say in words."""

from functools import cache
from typing import TYPE_CHECKING, Any

from l3net.configuration.names import IN_WORDS

if TYPE_CHECKING:
    from pydantic import BaseModel

# Pydantic writes a limit under its own name where a value is read by a function first.
_LIMITS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


@cache
def schema_of(model: "type[BaseModel]") -> dict[str, Any]:
    """Return the JSON schema of a class of the configuration."""
    return _with_known_limits(model.model_json_schema())


def _with_known_limits(part: Any) -> Any:
    if isinstance(part, list):
        return [_with_known_limits(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {_LIMITS.get(key, key): _with_known_limits(value) for key, value in part.items()}


def resolve(described: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return what a reference refers to, with what stands beside it laid over it."""
    if "$ref" not in described:
        return described
    target = schema["$defs"][described["$ref"].rpartition("/")[2]]
    return {**target, **{key: value for key, value in described.items() if key != "$ref"}}


def describe_type(described: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return in words which values a part of a JSON schema allows: "number above 0", "one of a, b", "text or null"."""
    described = resolve(described, schema)
    if "anyOf" in described:
        return " or ".join(describe_type(choice, schema) for choice in described["anyOf"])
    if "const" in described:
        return str(described["const"])
    if "enum" in described:
        return f"one of {', '.join(map(str, described['enum']))}"
    kind = described.get("type", "object")
    if kind == "array":
        some = "a list of one or more, each " if described.get("minItems", 0) else "a list, each "
        return some + describe_type(described["items"], schema)
    if kind in ("integer", "number"):
        words = {"integer": "a whole number", "number": "a number"}[kind]
        return " ".join([words, *_limits(described)])
    if "pattern" in described:
        return IN_WORDS.get(described["pattern"], f"text that matches {described['pattern']}")
    return {"boolean": "true or false", "string": "text", "null": "null", "object": "a mapping of keys to values"}[kind]


def _limits(described: dict[str, Any]) -> list[str]:
    low, above = described.get("minimum"), described.get("exclusiveMinimum")
    high, below = described.get("maximum"), described.get("exclusiveMaximum")
    if low is not None and high is not None:
        return [f"from {low} to {high}"]
    words = [f"of {low} or more"] * (low is not None) + [f"above {above}"] * (above is not None)
    words += [f"up to {high}"] * (high is not None) + [f"below {below}"] * (below is not None)
    return [" and ".join(words)] if words else []
