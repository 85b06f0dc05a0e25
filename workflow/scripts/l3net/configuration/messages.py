"""One line for every mistake in a configuration: the key's full name, what is wrong, and what would be right."""

import difflib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError


def explain(error: "ValidationError", model: "type[BaseModel]", prefix: str = "") -> str:
    """Return the line for a configuration that does not fit its description.

    Parameters
    ----------
    error : what pydantic found; an unknown key is told before a wrong value.
    model : the class that was to be read.
    prefix : the name of the section that it stands for; empty for the whole configuration.
    """
    found = min(error.errors(include_url=False), key=lambda one: one["type"] != "extra_forbidden")
    schema = model.model_json_schema()
    where, described, above = _follow(found["loc"], schema)
    path = ".".join([prefix] * bool(prefix) + where)
    if found["type"] == "extra_forbidden":
        return f"config: unknown key {path}{_nearest_key(where[-1], above, schema, path)}"
    if found["type"] == "missing":
        return f"config: {path} is missing; expected {describe_type(described, schema)}{_meaning(described)}"
    if found["type"] == "union_tag_not_found":
        return f"config: {path}.kind is missing; expected one of {', '.join(described['discriminator']['mapping'])}"
    value = found["input"]
    if found["type"] == "union_tag_invalid":
        kinds = list(described["discriminator"]["mapping"])
        value = value["kind"]
        return f"config: {path}.kind is {value!r}; expected one of {', '.join(kinds)}{nearest(value, kinds)}"
    if found["type"] == "value_error":
        return f"config: {path} is {_shown(value)}; expected {found['ctx']['error']}"
    if where and "[key]" in found["loc"]:
        return f"config: {path} is no name to use here; expected one that matches {found['ctx']['pattern']}"
    choices = _resolve(described, schema).get("enum", [])
    return (
        f"config: {path} is {_shown(value)}; expected {describe_type(described, schema)}"
        f"{nearest(value, choices)}{_meaning(described)}"
    )


def nearest(name: Any, known: list[str]) -> str:
    """Return the words that propose the known name nearest to a wrong one, or nothing where none is near."""
    near = difflib.get_close_matches(str(name), [str(one) for one in known], n=1)
    return f"; did you mean {near[0]}?" if near else ""


def describe_type(described: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return in words which values a part of a JSON schema allows: "number above 0", "one of a, b", "text or null"."""
    described = _resolve(described, schema)
    if "anyOf" in described:
        return " or ".join(describe_type(choice, schema) for choice in described["anyOf"])
    if "const" in described:
        return str(described["const"])
    if "enum" in described:
        return f"one of {', '.join(map(str, described['enum']))}"
    kind = described.get("type", "object")
    if kind == "array":
        least = "at least one " if described.get("minItems", 0) else ""
        return f"a list of {least}{describe_type(described['items'], schema)}"
    if kind in ("integer", "number"):
        words = {"integer": "whole number", "number": "number"}[kind]
        return " ".join([words, _range(described)]).strip()
    return {"boolean": "true or false", "string": "text", "null": "null", "object": "keys with values"}[kind]


def _range(described: dict[str, Any]) -> str:
    low, above = described.get("minimum"), described.get("exclusiveMinimum")
    high, below = described.get("maximum"), described.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f"from {low} to {high}"
    words = [f"of {low} or more"] * (low is not None) + [f"above {above}"] * (above is not None)
    words += [f"up to {high}"] * (high is not None) + [f"below {below}"] * (below is not None)
    return " and ".join(words)


def _follow(loc: tuple, schema: dict[str, Any]) -> tuple[list[str], dict[str, Any], dict[str, Any]]:
    """Walk down a JSON schema; return the key's full name, its description, and that of the mapping it stands in."""
    where: list[str] = []
    at, above = schema, schema
    for step in loc:
        at = _resolve(at, schema)
        mapping = at.get("discriminator", {}).get("mapping", {})
        if step in mapping:  # pydantic names the kind it took, which is no key
            at = {"$ref": mapping[step]}
            continue
        if step == "[key]":
            continue
        options = [at, *(_resolve(choice, schema) for choice in at.get("anyOf", []))]
        at = next((option for option in options if _has(option, step)), {})
        if isinstance(step, int):
            at = at.get("items", {})
            where[-1] += f"[{step}]"
            continue
        above = at
        at = at.get("properties", {}).get(step) or at.get("additionalProperties") or {}
        at = at if isinstance(at, dict) else {}
        where.append(str(step))
    return where, at, above


def _has(option: dict[str, Any], step: str | int) -> bool:
    if isinstance(step, int):
        return option.get("type") == "array"
    return option.get("type") == "object"


def _resolve(described: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return what a reference refers to, with what stands beside it laid over it."""
    if "$ref" not in described:
        return described
    target = schema["$defs"][described["$ref"].rpartition("/")[2]]
    return {**target, **{key: value for key, value in described.items() if key != "$ref"}}


def _nearest_key(key: str, above: dict[str, Any], schema: dict[str, Any], path: str) -> str:
    """Return the words on where an unknown key belongs: its neighbour here, its namesakes elsewhere, or all keys."""
    known = list(above.get("properties", {}))
    if near := difflib.get_close_matches(key, known, n=1):
        return f"; did you mean {'.'.join([*path.split('.')[:-1], near[0]])}?"
    sections = {name: _resolve(section, schema) for name, section in schema.get("properties", {}).items()}
    if key in sections:
        return f"; {key} stands at the top level"
    if elsewhere := [f"{name}.{key}" for name, section in sections.items() if key in section.get("properties", {})]:
        return f"; did you mean {' or '.join(elsewhere)}?"
    return f"; known keys: {', '.join(sorted(known))}"


def _meaning(described: dict[str, Any]) -> str:
    meaning = described.get("description", "")
    return f" ({meaning.rstrip('.')})" if meaning else ""


def _shown(value: Any) -> str:
    """Return a value as it would stand in the configuration, shortened."""
    words = {None: "null", True: "true", False: "false"}
    text = words[value] if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
