"""One line for every mistake in a configuration: the key's full name, what is wrong, and what would be right."""

import difflib
import re
from typing import TYPE_CHECKING, Any

from l3net.configuration.json_schema import describe_type, resolve, schema_of
from l3net.configuration.names import IN_WORDS

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

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
