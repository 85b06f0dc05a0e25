"""Modules of embeddings of others: those that are not there are named before anything runs, and none is imported."""

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from l3net.configuration import modules_not_found


def test_modules_are_looked_for_beside_the_run_and_among_the_installed(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("raise RuntimeError('imported')")
    (tmp_path / "folder").mkdir()
    modules = {"a": "mine", "b": "folder.hear", "c": "l3net.hear", "d": "json", "e": "absent_hear", "f": "absent.hear"}
    embeddings = {name: {"kind": "hear", "module": module} for name, module in modules.items()}
    found = modules_not_found({**embeddings, "random": {"kind": "random"}}, tmp_path)
    assert found == {"e": "absent_hear", "f": "absent.hear"}


def test_the_module_of_the_example_is_found_where_the_workflow_is_started(root: Path) -> None:
    assert modules_not_found({"yamnet": {"kind": "hear", "module": "docs.examples.yamnet_hear"}}, root) == {}


def test_a_module_that_an_editable_installation_maps_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Finder:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
            return ModuleSpec(name, None) if name == "edited" else None

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    embeddings = {"a": {"kind": "hear", "module": "edited.hear"}, "b": {"kind": "hear", "module": "absent"}}
    assert modules_not_found(embeddings, tmp_path) == {"b": "absent"}
