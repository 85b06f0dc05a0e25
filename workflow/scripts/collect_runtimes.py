"""Collect where the time of a run went, from the benchmark file of every job."""

from pathlib import Path
from typing import TYPE_CHECKING

from l3net.errors import DatasetError
from l3net.files import read_csv
from l3net.report import figure_style, pages, write_table
from l3net.runtime import stage

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ["rule", "jobs", "seconds", "longest_seconds", "cpu_seconds", "max_memory_megabytes"]


def collect_runtimes(folder: Path, runtimes: Path, page: Path, svg: Path, png: Path) -> None:
    """Write and draw how long the jobs of each rule took, the longest first.

    Parameters
    ----------
    folder : benchmarks of the run: ``{rule}.tsv`` or ``{rule}/**.tsv``. Snakemake writes them as jobs end, so they
        cannot be inputs of the rule; a job that was not run again counts with its last run.
    runtimes : CSV written; rule, jobs, seconds of all and of the longest, processor seconds, largest memory.
    page : HTML written, the table as the report shows it.
    svg, png : the figure written.
    """
    import pandas as pd

    types = dict.fromkeys(("s", "cpu_time", "max_rss"), float)
    how = {"sep": "\t", "usecols": list(types), "dtype": types, "na_values": ["-", "NA"]}
    what = "a benchmark of Snakemake"
    rows = [
        (path.relative_to(folder).parts[0].removesuffix(".tsv"), read_csv(path, DatasetError, what, **how))
        for path in sorted(folder.rglob("*.tsv"))
    ]
    jobs = pd.DataFrame(
        [
            {
                "rule": rule,
                "seconds": job["s"].iloc[0],
                "cpu": job["cpu_time"].iloc[0],
                "memory": job["max_rss"].iloc[0],
            }
            for rule, job in rows
            if len(job)
        ],
        columns=["rule", "seconds", "cpu", "memory"],
    )
    table = jobs.groupby("rule").agg(
        jobs=("seconds", "size"),
        seconds=("seconds", "sum"),
        longest_seconds=("seconds", "max"),
        cpu_seconds=("cpu", "sum"),
        max_memory_megabytes=("memory", "max"),
    )
    table = table.sort_values("seconds", ascending=False).reset_index()
    write_table(table[_COLUMNS], runtimes, float_format="%.1f")
    pages.write_page(page, "Run time of every rule", _printed(table), synthetic=False)
    _plot(table, svg, png)


def _printed(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the table as text for its page."""
    names = ["rule", "jobs", "seconds of all jobs", "of the longest", "processor seconds", "largest memory (MB)"]
    texts = table[_COLUMNS].map(lambda value: f"{value:,.1f}" if isinstance(value, float) else str(value))
    return texts.set_axis(names, axis="columns")


def _plot(table: "pd.DataFrame", svg: Path, png: Path) -> None:
    table = table.iloc[::-1]
    figure, axes = figure_style.panels(1, height=0.9 + 0.22 * len(table), width=6.4)
    ax = axes[0, 0]
    ax.barh(table["rule"], table["seconds"], **figure_style.filled(0, share=0.66))
    for y, (seconds, jobs) in enumerate(zip(table["seconds"], table["jobs"], strict=True)):
        text = f" {seconds:,.0f} s in {jobs} job{'s' if jobs > 1 else ''}"
        ax.annotate(text, (seconds, y), va="center", fontsize=7)
    ax.margins(x=0.25)
    ax.set_xlabel("seconds of all jobs together")
    ax.grid(axis="x")
    figure_style.save(figure, svg, png, synthetic=False, note="as Snakemake measured each job")


if __name__ == "__main__":
    stage.main(collect_runtimes, globals().get("snakemake"))
