"""Generate what the description of the configuration says: config.yaml, the schema for editors, the reference page.

As a command, in the project's folder: ``python -m l3net.configuration.generate`` (``make docs``).
"""

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from l3net.configuration.embedding_sections import (
    HearEmbedding,
    OpenL3Embedding,
    RandomEmbedding,
    SoundNetEmbedding,
    VggishEmbedding,
    WeightsFile,
)
from l3net.configuration.evaluation_sections import Dataset
from l3net.configuration.messages import describe_type, schema_of
from l3net.configuration.run import Configuration
from l3net.configuration.section import Section, changes_only_how

SCHEMA = "workflow/schemas/config.schema.json"
ENTRIES: dict[str, list[type[Section]]] = {
    "embeddings": [OpenL3Embedding, VggishEmbedding, SoundNetEmbedding, HearEmbedding, RandomEmbedding],
    "weights": [WeightsFile],
    "datasets": [Dataset],
}
_WIDTH = 120
_HOW = "Changes only how a job runs."
_YAML_HEAD = f"""\
# yaml-language-server: $schema={SCHEMA}
# The paper's run: every key of every stage, at the paper's value. A preset holds only what differs and is laid over
# this file: a plain `snakemake --cores all` runs presets/demo.yaml, `--configfile presets/paper.yaml` what stands here.
# This file is generated (`make docs`) from workflow/scripts/l3net/configuration; write your values into a preset.
"""
_PAGE_HEAD = """\
# The configuration

Every key of every section, with the paper's value. `config.yaml` holds the same; a preset (`presets/*.yaml`) holds
only what differs and is laid over it, key by key. A preset that leaves a key out has the paper's value. In
`audioset.subsets`, `embeddings`, `weights` and `datasets`, entries are added to those of `config.yaml`;
`name: null` takes one away, and `key: null` inside an entry that key.

A value is never turned into another type in silence: `1` is not `true`, `1.5` and `"3"` are no whole numbers. (`1e-3`,
which YAML takes for text, is a number.) The order of keys in a mapping changes nothing. What a mistake says:
[wrong configurations](wrong-configuration.md).

Editors with a YAML language server complete keys by `workflow/schemas/config.schema.json`, which the first line of
each file names.

This page is generated (`make docs`) from `workflow/scripts/l3net/configuration`. *how* marks a key that changes only
how a job runs and not what it makes: a change of it runs nothing again.
"""


def config_yaml() -> str:
    """Return the text of config.yaml: each key at its default, with its meaning and unit as a comment."""
    lines = [_YAML_HEAD]
    for name, field in Configuration.model_fields.items():
        if isinstance(field.default, Section):
            lines += [*_comment(field.description, ""), f"{name}:", *_yaml_section(field.default), ""]
        else:
            lines += [*_comment(field.description, ""), *_yaml_value(name, _default(Configuration(), name), ""), ""]
    return "\n".join(lines)


def _yaml_section(section: Section, indent: str = "  ") -> Iterator[str]:
    for name, field in type(section).model_fields.items():
        value, mark = getattr(section, name), f" {_HOW}" if changes_only_how(field) else ""
        if isinstance(value, Section):
            head = _comment(field.description + mark, indent)
            yield from [*head, f"{indent}{name}:", *_yaml_section(value, indent + "  ")]
            continue
        lines = _yaml_value(name, value, indent)
        meaning = field.description + mark
        if len(lines) == 1 and len(f"{lines[0]}  # {meaning}") <= _WIDTH:
            yield f"{lines[0]}  # {meaning}"
        else:
            yield from [*_comment(meaning, indent), *lines]


def _yaml_value(name: str, value: Any, indent: str) -> list[str]:
    """Return the lines of a key: on one line where it fits, else an entry or an element on each."""
    line = f"{indent}{name}: {_in_line(value)}"
    if len(line) <= _WIDTH and not (isinstance(value, dict) and any(isinstance(one, dict) for one in value.values())):
        return [line]
    if isinstance(value, dict):
        return [
            f"{indent}{name}:",
            *(line for key, one in value.items() for line in _yaml_value(key, one, indent + "  ")),
        ]
    if all(isinstance(one, int) for one in value):
        return textwrap.wrap(line, _WIDTH, subsequent_indent=indent + "  ")
    return [f"{indent}{name}:", *(f"{indent}  - {_in_line(one)}" for one in value)]


def _in_line(value: Any) -> str:
    """Return a value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False).removesuffix("...\n").strip()
    return re.sub(r"(?<=\de-)0(?=\d)", "", text)


def _comment(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


def _default(section: BaseModel, name: str) -> Any:
    """Return the default of a key as YAML writes it; of a named entry, only the keys that are given."""
    value = getattr(section, name)
    if isinstance(value, dict):
        return {k: v.model_dump(exclude_unset=True) if isinstance(v, Section) else v for k, v in value.items()}
    return value


def editor_schema() -> dict[str, Any]:
    """Return the JSON schema by which editors complete config.yaml and presets.

    A preset may leave every key out and take an entry away by null, so nothing is required and entries may be null.
    """
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Configuration of a run"}
    return head | {key: value for key, value in _for_presets(schema_of(Configuration)).items() if key != "title"}


def _for_presets(part: Any) -> Any:
    if isinstance(part, list):
        return [_for_presets(one) for one in part]
    if not isinstance(part, dict):
        return part
    kept = {
        "anyOf" if key == "oneOf" else key: _for_presets(value)
        for key, value in part.items()
        if key not in ("required", "discriminator") and not (key == "title" and isinstance(value, str))
    }
    if patterns := kept.get("patternProperties"):
        nullable = {pattern: {"anyOf": [entry, {"type": "null"}]} for pattern, entry in patterns.items()}
        kept |= {"patternProperties": nullable, "additionalProperties": False}
    return kept


def reference_page() -> str:
    """Return the reference page: a table for each section and each kind of entry."""
    top = {name: field for name, field in Configuration.model_fields.items() if not isinstance(field.default, Section)}
    lines = [_PAGE_HEAD, "## Top level", "", *_table(Configuration, [name for name in top if name not in ENTRIES])]
    for name, field in Configuration.model_fields.items():
        if name in ENTRIES:
            lines += ["", f"## {name}", "", field.description]
            for kind in ENTRIES[name]:
                lines += ["", kind.__doc__ or "", "", *_table(kind, list(kind.model_fields))]
            lines += ["", "The paper's:", "", *_yaml_value(name, _default(Configuration(), name), "    ")]
        elif isinstance(field.default, Section):
            section = type(field.default)
            lines += ["", f"## {name}", "", section.__doc__ or "", "", *_table(section, list(section.model_fields))]
    return "\n".join(lines) + "\n"


def _table(section: type[BaseModel], names: list[str]) -> list[str]:
    head = ["| key | values | the paper's | meaning |", "|---|---|---|---|"]
    return head + [row for name in names for row in _rows(section, name)]


def _rows(section: type[BaseModel], name: str, prefix: str = "", *, how: bool = False) -> Iterator[str]:
    field = section.model_fields[name]
    how = how or changes_only_how(field)
    if isinstance(field.default, Section):
        inner = type(field.default)
        for key in inner.model_fields:
            yield from _rows(inner, key, f"{prefix}{name}.", how=how)
        return
    schema = schema_of(section)
    values = describe_type(schema["properties"][name], schema)
    default = "" if field.is_required() or field.default is None else f"`{_in_line(field.default)}`"
    if unit := (field.json_schema_extra or {}).get("unit", ""):
        default = f"{default} {unit}" if default else f"({unit})"
    yield f"| `{prefix}{name}` | {values} | {default} | {field.description}{' *how*' * how} |"


def generated() -> dict[str, str]:
    """Return path -> text of every file that is generated."""
    return {
        "config.yaml": config_yaml(),
        SCHEMA: json.dumps(editor_schema(), indent=2) + "\n",
        "docs/configuration.md": reference_page(),
    }


def main() -> None:
    """Write the generated files into the folder that this is run in."""
    for path, text in generated().items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
        print(f"written: {path}")


if __name__ == "__main__":
    main()
