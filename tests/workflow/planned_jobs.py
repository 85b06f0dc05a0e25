"""What every job of a planned run is given: a dry run whose rules print the arguments of their stage by name."""

import inspect
import re
from pathlib import Path

import yaml

from tests.stages.loading import stage_function
from tests.workflow.stub_run import StubRun
from tests.workflow.test_rules import blocks

CONFIGURATION = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())
_MARK, _BETWEEN = "@job ", " § "
# Functions of the rules that give a param only where it is wanted, and its name.
_ONLY_SOMETIMES = {"dealing": "split", "synthetic_mark": "synthetic"}


def plan_jobs(folder: Path, root: Path, *targets: str, **changes: object) -> dict[str, dict[str, str]]:
    """Return the arguments of every job by ``rule first-output``: paths as text, several of them joined by spaces.

    Parameters
    ----------
    folder : an empty folder; what a run finds there may be written to it before.
    root : the project's folder.
    targets : files to plan; none plans a whole run.
    **changes : what differs from the configuration of the demo.
    """
    run = StubRun(folder, root, work=None)
    rules = blocks()
    for path in (folder / "rules").glob("*.smk"):
        path.write_text(
            re.sub(
                r'(?m)^    script:\n +"\.\./workflow/scripts/(\w+)\.py"$',
                lambda found: f'    shell:\n        "{_command(found[1], rules[found[1]])}"',
                path.read_text(),
            )
        )
    options = run.configure(changes)
    printed = run.snakemake("--dry-run", "--cores", 8, "--printshellcmds", *targets, *options)
    jobs = {}
    for line in printed.splitlines():
        if _MARK in line:
            rule, *arguments = line.partition(_MARK)[2].split(_BETWEEN)
            named = dict(argument.split("=", 1) for argument in arguments)
            jobs[f"{rule} {named.pop('job')}"] = named
    return jobs


def _command(rule: str, sections: dict[str, str]) -> str:
    """Return a shell command that would print the arguments of the rule's stage by name, but those left at default."""
    words = [f"{_MARK}{rule}", "job={output[0]}"]
    params = sections.get("params", "")
    # job_params gives the keys of a section of the configuration.
    passed = [
        CONFIGURATION[(found[1] or "audioset")]
        for found in re.finditer(r'job_params\(\s*(?:config\["(\w+)"\])?', params)
    ]
    passed += [{name} for call, name in _ONLY_SOMETIMES.items() if f"**{call}()" in params]
    for name, parameter in inspect.signature(stage_function(rule)).parameters.items():
        named = [
            part for part in ("input", "output", "params") if re.search(rf"(?m)^\s+{name}=", sections.get(part, ""))
        ]
        if name == "threads":
            words.append("threads={threads}")
        elif named or parameter.default is inspect.Parameter.empty or any(name in keys for keys in passed):
            words.append(f"{name}={{{(named or ['params'])[0]}.{name}}}")
    return _BETWEEN.join(words)
