"""Describe a finished run as an RO-Crate: workflow, settings, results, times."""

import csv
import json
from pathlib import Path

import yaml

from l3net.files import atomic
from l3net.runtime import describe, stage
from l3net.sharing import describe_run_as_crate


def describe_run(
    snakefile: Path,
    results: list[Path],
    crate: Path,
    workflow_file: Path,
    configuration: Path,
    *,
    name: str,
    settings: dict,
    benchmarks: Path,
    licence: str,
    synthetic: bool = False,
) -> None:
    """Write ro-crate-metadata.json at the top of a run's results, with the files that it speaks of.

    Parameters
    ----------
    snakefile : the workflow's Snakefile.
    results : files of the run that the crate lists, all under the crate's folder.
    crate : the ro-crate-metadata.json written.
    workflow_file : copy of the Snakefile written.
    configuration : YAML written, the run's settings.
    name : of the run.
    settings : the whole configuration.
    benchmarks : folder of the run's benchmark files, which tell when its jobs ran.
    licence : of what the run made, in a sentence.
    synthetic : whether its data is.
    """
    atomic.write_text(workflow_file, snakefile.read_text(encoding="utf-8"))
    atomic.write_text(configuration, yaml.safe_dump(settings, allow_unicode=True, sort_keys=True))
    started, ended = _times(benchmarks, results)
    contents = describe_run_as_crate(
        crate.parent,
        name=name,
        snakefile=workflow_file,
        configuration=configuration,
        results=results,
        about=describe(),
        started=started,
        ended=ended,
        licence=licence,
        synthetic=synthetic,
    )
    atomic.write_text(crate, json.dumps(contents, indent=1, sort_keys=True, ensure_ascii=False))


def _times(benchmarks: Path, results: list[Path]) -> tuple[float, float]:
    """Return when the first job began and when the last result was written, as seconds since 1970."""
    ended = max(path.stat().st_mtime for path in results)
    started = [min(path.stat().st_mtime for path in results)]
    for path in benchmarks.rglob("*.tsv"):
        with open(path, encoding="utf-8", newline="") as file:
            seconds = [float(row["s"]) for row in csv.DictReader(file, delimiter="\t")]
        started += [path.stat().st_mtime - duration for duration in seconds]
    return min(started), ended


if __name__ == "__main__":
    stage.main(describe_run, globals().get("snakemake"))
