"""YAML that somebody wrote by hand: one mapping, each key once, whatever else the file holds told in a line."""

import json
from pathlib import Path

import pytest

from l3net.errors import ConfigError
from l3net.files import check_yaml


def check(path: Path, content: str | bytes) -> None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    check_yaml(path, ConfigError, "settings in YAML")


@pytest.mark.parametrize(
    "content",
    [
        "a: 1\nb: {a: 1}\nc: [{a: 1}, {a: 2}]\n",
        "\ufeffa: 1\n",
        "a: &x {b: 1}\nc: {<<: *x, d: 2}\n",
        "a: &x [*x]\n",  # a circle
        "1: a\n'1': b\n",  # a number and a text are two keys
        "{}",
        json.dumps({"a": {"b": 1}}, indent="\t"),
    ],
)
def test_a_mapping_passes(content: str, tmp_path: Path) -> None:
    check(tmp_path / "a.yaml", content)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "has a twice, in lines 1 and 3; keep one of them"),
        ("a:\n  b: [{c: 1},\n   {c: 1, d: 2, c: 3}]\n", r"has a\.b\[1\]\.c twice, in lines 3 and 3"),
        ('{"a": {"b": 1, "b": 2}}', "has b twice; keep one"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        (b"a: \x00", r"is no YAML: .*; expected settings in YAML"),
        (b"a: 1\n" * 1_000_000, r"has more than 4 MB"),
        ("42", "is '42'; expected settings in YAML"),
        ("a: *nowhere", r", line 1, column 4: is no YAML: found undefined alias 'nowhere'"),
    ],
    ids=lambda value: repr(value[:12]),
)
def test_what_is_none_is_told_in_a_line(content: str | bytes, line: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=line) as caught:
        check(tmp_path / "a.yaml", content)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) - len(str(tmp_path)) <= 400
