"""A working folder of its own for each Snakemake run of the tests: the workflow linked, the results apart."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

LINKED = ("Snakefile", "rules", "workflow", "profiles", "envs", "presets", "config.yaml")


class Workspace:
    """A folder where ``snakemake`` runs this workflow without touching the project's own results."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        for name in LINKED:
            (folder / name).symlink_to(root / name)
        (folder / "resources").mkdir()
        for path in (root / "resources").iterdir():
            if path.is_file() or path.name == "filters":
                (folder / "resources" / path.name).symlink_to(path)

    def configure(self, preset: str = "demo", **sections: object) -> list[str]:
        """Write what differs from a preset; return the options that name both."""
        path = self.folder / "changed.yaml"
        path.write_text(yaml.safe_dump(sections))
        return ["--configfile", f"presets/{preset}.yaml", str(path)]

    def snakemake(self, *options: object, cores: int = 2) -> subprocess.CompletedProcess:
        """Run ``snakemake`` here; standard error is in ``stdout`` too."""
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores), *map(str, options)]
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )


@pytest.fixture
def workspace(tmp_path: Path, root: Path) -> Workspace:
    """A fresh working folder."""
    return Workspace(tmp_path, root)
