"""Loads a stage function from its script, the way Snakemake finds it: by file name."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"


def stage_function(name: str) -> Callable[..., Any]:
    """Return the function `name` of ``workflow/scripts/{name}.py``."""
    spec = importlib.util.spec_from_file_location(f"stage_{name}", SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)
