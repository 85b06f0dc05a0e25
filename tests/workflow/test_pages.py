"""What the pages name is there: links, options of commands, keys, rules, targets of make, files, modules and tests."""

import argparse
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from l3net.cli.main import make_parser

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
ROOMS = ROOT / "workflow" / "scripts" / "l3net"
ENTRIES = ("embeddings", "weights", "datasets")  # sections whose keys stand below names of the user's
# The pages of what is wrong, and of what was: their keys and names need not be there.
OF_KEYS = [page for page in PAGES if page.stem not in ("wrong-configuration", "changelog", "CHANGELOG")]


def codes(page: Path) -> list[str]:
    """Return what stands between backticks on one line."""
    return re.findall(r"`([^`\n]+)`", page.read_text())


def named(page: Path, pattern: str) -> set[str]:
    """Return the codes of a page that are of one pattern."""
    return {code for code in codes(page) if re.fullmatch(pattern, code)}


def keys_by_section() -> dict[str, set[str]]:
    """Return the keys of each section of the configuration, from its generated page."""
    found: dict[str, set[str]] = {}
    section = ""
    for line in (ROOT / "docs" / "configuration.md").read_text().splitlines():
        if heading := re.match(r"## (\w+)", line):
            section = heading[1]
        elif key := re.match(r"\| `([^`]+)`", line):
            found.setdefault(section, set()).add(key[1])
    return found


def options_of(command: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the options of a command and of those below it."""
    for action in command._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from options_of(below)


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent == ROOT], ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    """The links of docs/ are those of the site (test_site.py)."""
    links = re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_have_the_options(page: Path) -> None:
    (commands,) = (action for action in make_parser()._actions if isinstance(action, argparse._SubParsersAction))
    words = "|".join(commands.choices)
    missing = [
        (name, option)
        for name, rest in re.findall(rf"\bl3net ({words})\b([^`|\n]*)", page.read_text())
        for option in re.findall(r"(?<!\S)\[?(--[a-z][\w-]*)", rest)
        if option not in options_of(commands.choices[name])
    ]
    assert missing == []


@pytest.mark.parametrize("page", OF_KEYS, ids=lambda page: page.name)
def test_keys_are_those_of_the_configuration(page: Path) -> None:
    sections = keys_by_section()
    pattern = rf"({'|'.join(set(sections) - set(ENTRIES))})\.[a-z_]+(\.\w+)*"
    unknown = []
    for code in named(page, pattern):
        section, _, key = code.partition(".")
        is_module = (ROOMS / section / f"{key.partition('.')[0]}.py").exists() or key == "html"
        if not is_module and not any(
            key == known or key.startswith(f"{known}.") or known.startswith(f"{key}.") for known in sections[section]
        ):
            unknown.append(code)
    assert unknown == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_rules_and_targets_of_make_are_there(page: Path) -> None:
    rules = "".join(path.read_text() for path in [ROOT / "Snakefile", *ROOT.glob("rules/*.smk")])
    text = page.read_text()
    asked = set(re.findall(r"(?:-R|--until) ([a-z_]+)(?![\w/])", text))
    assert {name for name in asked if f"\nrule {name}:" not in rules} == set()
    makefile = "\n" + (ROOT / "Makefile").read_text()
    targets = {code.split()[1] for code in named(page, r"make [a-z][a-z-]*( .*)?")}
    assert {target for target in targets if f"\n{target}:" not in makefile} == set()


@pytest.mark.parametrize("page", OF_KEYS, ids=lambda page: page.name)
def test_files_and_names_of_python_are_there(page: Path) -> None:
    paths = named(page, r"(workflow|tests|presets|rules|docs|envs)/[\w./-]+")
    known = [path for path in paths if path != "presets/x.yaml"]  # which stands for any preset
    assert [path for path in known if not (ROOT / path).exists() and not (ROOT / f"{path}.py").exists()] == []
    rooms = "|".join(path.name for path in ROOMS.iterdir() if path.is_dir())
    modules = named(page, rf"(l3net/)?({rooms})/\w+\.(py|cpp|h)")
    assert [name for name in modules if not (ROOMS / name.removeprefix("l3net/")).exists()] == []
    for name in named(page, r"l3net(\.\w+)+(\(.*\))?"):
        words = name.partition("(")[0].split(".")
        if words[-1] == "json":  # a file
            continue
        depth = next(n for n in range(len(words), 0, -1) if _is_module(".".join(words[:n])))
        thing = importlib.import_module(".".join(words[:depth]))
        for word in words[depth:]:
            thing = getattr(thing, word)


def _is_module(name: str) -> bool:
    path = ROOMS.parent.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tests_are_there(page: Path) -> None:
    files = list((ROOT / "tests").rglob("*.py"))
    tests = {name for path in files for name in re.findall(r"def (test_\w+)", path.read_text())}
    tests |= {path.stem for path in files}
    assert {name for name in named(page, r"test_\w+(\.py)?") if name.removesuffix(".py") not in tests} == set()
