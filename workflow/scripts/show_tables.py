"""Show tables and provenance as pages that open inside the report."""

import html
import json
from pathlib import Path
from typing import TYPE_CHECKING

from l3net.files import atomic
from l3net.report import read_table
from l3net.runtime import stage

if TYPE_CHECKING:
    import pandas as pd

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 12px/1.45 system-ui, sans-serif; margin: 1.5em; color: #222; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .3em .6em; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }}
th {{ position: sticky; top: 0; background: #fff; border-bottom: 2px solid #555; }}
td:first-child, th:first-child, td:nth-child(2), th:nth-child(2) {{ text-align: left; }}
tr:hover td {{ background: #eef5fb; }}
.synthetic {{ color: #D55E00; font-weight: bold; }}
</style><h1>{title}</h1>{mark}{body}</html>
"""


def show_tables(
    avc: Path,
    summary: Path,
    significance: Path,
    runtimes: Path,
    provenance_file: Path,
    avc_page: Path,
    summary_page: Path,
    significance_page: Path,
    runtimes_page: Path,
    provenance_page: Path,
    *,
    synthetic: bool = False,
) -> None:
    """Write a page for each table and for the provenance of all of them.

    A table's page has its rows and columns, rounded; the CSVs have all digits.

    Parameters
    ----------
    avc, summary, significance, runtimes : CSVs of make_tables, compare_embeddings and collect_runtimes.
    provenance_file : JSON of collect_scores.
    avc_page, summary_page, significance_page, runtimes_page, provenance_page : HTML written.
    synthetic : the recordings are synthetic; said on the pages.
    """
    for table, page, title, of_data in (
        (avc, avc_page, "Audio-visual correspondence", True),
        (summary, summary_page, "Downstream accuracy", True),
        (significance, significance_page, "Significance of the three comparisons", True),
        (runtimes, runtimes_page, "Run time of every rule", False),
    ):
        rows = read_table(table).apply(_column)
        mark = '<p class="synthetic">SYNTHETIC DATA</p>' if synthetic and of_data else ""
        atomic.write_text(page, _PAGE.format(title=title, mark=mark, body=rows.to_html(index=False, border=0)))
    found = json.loads(provenance_file.read_text(encoding="utf-8"))
    atomic.write_text(provenance_page, _PAGE.format(title="Provenance", mark="", body=_provenance(found)))


def _provenance(found: dict) -> str:
    """Return commit, versions and settings as HTML."""
    import pandas as pd

    versions = pd.DataFrame(json.loads(found["versions"]).items(), columns=["package", "version"])
    settings = json.dumps(json.loads(found["config"]), indent=2, ensure_ascii=False)
    parts = [f"<p>Commit <code>{html.escape(found['commit'])}</code></p>", versions.to_html(index=False, border=0)]
    return "".join([*parts, f"<h2>Settings behind the tables</h2><pre>{html.escape(settings)}</pre>"])


def _column(values: "pd.Series") -> "pd.Series":
    """Return a column as text: numbers are rounded, fractions to three decimals and others to one."""
    decimals = 1 if values.dtype == float and values.abs().max() >= 10 else 3
    return values.map(lambda value: _cell(value, decimals))


def _cell(value: object, decimals: int) -> str:
    if value != value:  # NaN: no number is there
        return ""
    if not isinstance(value, float):
        return str(value)
    # A small p is not rounded to nothing.
    return f"{value:,.{decimals}f}" if decimals == 1 or value == 0 or abs(value) >= 0.001 else f"{value:.1e}"


if __name__ == "__main__":
    stage.main(show_tables, globals().get("snakemake"))
