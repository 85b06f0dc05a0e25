"""The workflow with every script replaced by ``touch``: a whole run in seconds, to ask what a change would run again.

Rules, configuration, wildcards and params are the project's own, so Snakemake records and compares what it always
does; only the work is left out. Outputs are empty files. As a command, a simulated run that must end with every target
there: ``python -m tests.workflow.stub_run --configfile presets/paper.yaml``.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

COPIED = ("Snakefile", "rules", "workflow", "presets", "envs", "config.yaml")
SHIPPED = ("ontology.json", "filters", "paper_results.csv")
TOUCH = "for path in {output:q}; do case $path in *.*|*/Snakefile) {work} $path ;; *) mkdir -p $path ;; esac; done"


class StubRun:
    """A copy of the workflow in `folder`, its scripts replaced by `work`, with Snakemake to run it.

    Parameters
    ----------
    folder : an empty folder.
    root : the project's folder.
    work : the shell command that makes one output, its path left out; None keeps the scripts.
    """

    def __init__(self, folder: Path, root: Path, *, work: str | None = "touch") -> None:
        self.folder = folder
        for name in COPIED:
            copy = shutil.copytree if (root / name).is_dir() else shutil.copy
            copy(root / name, folder / name)
        (folder / "profiles").symlink_to("workflow/profiles")
        (folder / "resources").mkdir()
        for name in SHIPPED:
            (folder / "resources" / name).symlink_to(root / "resources" / name)
        for path in (folder / "rules").glob("*.smk") if work is not None else ():
            path.write_text(_without_scripts(path.read_text(), work))

    def snakemake(self, *options: object, timeout: float = 600, under: tuple[str, ...] = ()) -> str:
        """Run ``snakemake`` here, under another command if one is given; return what was printed, or fail with it."""
        command = [*under, sys.executable, "-m", "snakemake", *map(str, options)]
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert ended.returncode == 0, ended.stdout[-5000:]
        return ended.stdout

    def configure(self, changes: dict[str, object], preset: str = "demo") -> list[str]:
        """Return the options that lay `changes`, nested as in config.yaml, over a preset."""
        path = self.folder / "changed.yaml"
        path.write_text(yaml.safe_dump(changes))
        return ["--configfile", f"presets/{preset}.yaml", str(path)] if changes else []

    def run(self, **changes: object) -> None:
        """Run the workflow to its end with `changes` of the demo's configuration."""
        self.snakemake("--cores", 8, "--quiet", "all", *self.configure(changes))

    def plan(self, *options: object, **changes: object) -> dict[str, list[str]]:
        """Return the jobs a dry run would start: first outputs, without their folders' common start, by rule."""
        printed = self.snakemake("--dry-run", "--cores", 1, *options, *self.configure(changes))
        jobs: dict[str, list[str]] = {}
        for rule, output in re.findall(
            r"^(?:local)?rule (\w+):\n(?: .*\n)*?    output: ([^,\n]+)", printed, re.MULTILINE
        ):
            jobs.setdefault(rule, []).append(output.removeprefix("results/demo/"))
        return {rule: sorted(outputs) for rule, outputs in jobs.items()}


def _without_scripts(rules: str, work: str) -> str:
    """Return the text of a rules file with every ``script:`` replaced by a ``shell:`` that makes the outputs."""
    command = TOUCH.replace("{work}", work)
    return re.sub(r'(?m)^    script:\n +".*"$', f'    shell:\n        "{command}"', rules)


def main() -> None:
    """Run the workflow in a temporary folder with the options of the command line, then plan it again."""
    with tempfile.TemporaryDirectory() as folder:
        made, started = StubRun(Path(folder), Path(__file__).parents[2]), time.monotonic()
        made.snakemake("--cores", 8, "--quiet", "all", *sys.argv[1:], timeout=3600)
        print(f"ended with every target there after {time.monotonic() - started:.0f} s")
        left = made.snakemake("--dry-run", "--cores", 1, *sys.argv[1:])
        print("a second run:", "nothing to do" if "Nothing to be done" in left else left[-500:])


if __name__ == "__main__":
    main()
