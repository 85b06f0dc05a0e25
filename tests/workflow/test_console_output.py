"""What Snakemake prints under the default profile: a line for each job, and how to make the report as the last line."""

import itertools
import re
from pathlib import Path

from tests.workflow.stub_run import StubRun


def test_a_run_prints_a_line_for_each_job_and_a_dry_run_what_snakemake_would(tmp_path: Path, root: Path) -> None:
    made = StubRun(tmp_path, root)
    target = "results/demo/attrition.csv"
    planned = made.snakemake("--dry-run", "--cores", 1, target)
    assert "rule fetch_clips:" in planned
    assert "    reason: " in planned
    lines = made.snakemake("--cores", 8, target).splitlines()
    (counts,) = [line for line in lines if " jobs: " in line]
    n_jobs = int(counts.split()[0])
    of_jobs = [line for line in lines if f" of {n_jobs}  " in line]
    assert len(of_jobs) == n_jobs
    assert sum("  fetch_clips 00" in line for line in of_jobs) == 10
    assert len(lines) <= n_jobs + 4
    assert re.fullmatch(r"report: once the whole run is made \(\d+ of its \d+ files are not there yet\)", lines[-1])
    assert made.snakemake("--cores", 8).splitlines()[-1] == "report: make report CONFIG=presets/demo.yaml"
    again = made.snakemake("--cores", 8, "--config", "run=demo").splitlines()
    assert again[-2].startswith("Nothing to be done")
    assert again[-1] == (
        "report: snakemake --cores 1 --report results/demo/report.html --configfile presets/demo.yaml --config run=demo"
    )


def test_no_text_names_targets_behind_a_configfile(root: Path) -> None:
    """Snakemake takes what stands behind --configfile for more files of configuration."""
    pages = [*root.glob("*.md"), *root.glob("docs/*.md"), *root.glob("presets/*.yaml"), root / "Snakefile"]
    pages += [*root.glob("workflow/profiles/*/config.yaml"), root / "Makefile"]
    behind = [
        (page.name, word)
        for page in pages
        for found in re.findall(r"snakemake\b[^`\n#]*--configfile ([^`\n#]*)", page.read_text())
        for word in itertools.takewhile(lambda word: not word.startswith(("-", "(", "\\", '"$@"')), found.split())
        if not re.search(r"\.ya?ml|\$\(CONFIG\)|^X$", word)
    ]
    assert behind == []
