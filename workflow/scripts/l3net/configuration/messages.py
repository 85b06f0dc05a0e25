"""One line for every mistake in a configuration: the key's full name, what is wrong, and what would be right.

What would be right is read from the configuration's JSON schema, which is here too.
"""

import difflib
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from l3net.configuration.names import IN_WORDS

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

# Pydantic writes a limit under its own name where a value is read by a function first.
_LIMITS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_SECRET = {"url_template", "proxy", "url", "mirror", "segments"}  # keys of addresses, which may hold a token


def explain(error: "ValidationError", model: "type[BaseModel]", prefix: str = "") -> str:
    """Return the line for a configuration that does not fit its description.

    Parameters
    ----------
    error : what pydantic found; an unknown key is told before a wrong value.
    model : the class that was to be read.
    prefix : the name of the section that it stands for; empty for the whole configuration.
    """
    found = min(error.errors(include_url=False), key=lambda one: one["type"] != "extra_forbidden")
    schema = schema_of(model)
    where, described, above = _follow(found["loc"], schema)
    path = ".".join([prefix] * bool(prefix) + where)
    if found["type"] == "extra_forbidden":
        return f"config: unknown key {path}{_nearest_key(where[-1], above, schema, path)}"
    if found["type"] == "missing":
        return f"config: {path} is missing; expected {describe_type(described, schema)}{_meaning(described)}"
    if found["type"] == "union_tag_not_found":
        return f"config: {path}.kind is missing; expected one of {', '.join(described['discriminator']['mapping'])}"
    value = found["input"]
    shown = "a value that is not repeated here" if _SECRET.intersection(re.split(r"[.\[]", path)) else _shown(value)
    if found["type"] == "union_tag_invalid":
        kinds = list(described["discriminator"]["mapping"])
        value = value["kind"]
        return f"config: {path}.kind is {value!r}; expected one of {', '.join(kinds)}{nearest(value, kinds)}"
    if found["type"] == "value_error":
        return f"config: {path} is {shown}; expected {found['ctx']['error']}"
    if where and "[key]" in found["loc"]:
        return f"config: {path} cannot be named so; expected {IN_WORDS[found['ctx']['pattern']]}"
    choices = resolve(described, schema).get("enum", [])
    return (
        f"config: {path} is {shown}; expected {describe_type(described, schema)}"
        f"{nearest(value, choices)}{_meaning(described)}"
    )


def nearest(name: Any, known: list[str]) -> str:
    """Return the words that propose the known name nearest to a wrong one, or nothing where none is near."""
    near = difflib.get_close_matches(str(name), [str(one) for one in known], n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _follow(loc: tuple, schema: dict[str, Any]) -> tuple[list[str], dict[str, Any], dict[str, Any]]:
    """Walk down a JSON schema; return the key's full name, its description, and that of the mapping it stands in."""
    where: list[str] = []
    at, above = schema, schema
    for step in loc:
        at = resolve(at, schema)
        options = [at, *(resolve(choice, schema) for choice in at.get("anyOf", []))]
        kinds = at.get("discriminator", {}).get("mapping", {})
        if step in kinds:  # pydantic names the kind that it took, which is no key
            at = {"$ref": kinds[step]}
        elif isinstance(step, int):
            items = next(option["items"] for option in options if "items" in option)
            at = {"description": at.get("description", ""), **items}
            where[-1] += f"[{step}]"
        elif mapping := next((option for option in options if option.get("type") == "object"), None):
            if step == "[key]":
                continue
            above = mapping
            entry = next(iter(mapping.get("patternProperties", {}).values()), {})
            at = mapping.get("properties", {}).get(step, entry)
            where.append(str(step))
    return where, at, above


def _nearest_key(key: str, above: dict[str, Any], schema: dict[str, Any], path: str) -> str:
    """Return the words on where an unknown key belongs: its neighbour here, one like it elsewhere, or all keys here."""
    known = list(above.get("properties", {}))
    if near := difflib.get_close_matches(key, known, n=1):
        return f"; did you mean {'.'.join([*path.split('.')[:-1], near[0]])}?"
    sections = {name: resolve(section, schema) for name, section in schema.get("properties", {}).items()}
    elsewhere = {name: name for name in sections if not path.startswith(f"{name}.")}
    for name, section in sections.items():
        for inner in section.get("properties", {}):
            elsewhere[inner] = f"{elsewhere[inner]} or {name}.{inner}" if inner in elsewhere else f"{name}.{inner}"
    if near := difflib.get_close_matches(key, list(elsewhere), n=1):
        return f"; did you mean {elsewhere[near[0]]}?"
    return f"; known keys: {', '.join(sorted(known))}"


def _meaning(described: dict[str, Any]) -> str:
    """Return a description's first sentence in parentheses."""
    meaning = described.get("description", "").partition(". ")[0].rstrip(".")
    return f" ({meaning})" if meaning else ""


def _shown(value: Any) -> str:
    """Return a value as it would stand in the configuration, shortened."""
    words = {None: "null", True: "true", False: "false"}
    text = words[value] if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


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
