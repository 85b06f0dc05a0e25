"""Show tables as pages that open inside the report."""

from pathlib import Path

import pandas as pd

from l3net import files, stage

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 12px/1.45 system-ui, sans-serif; margin: 1.5em; color: #222; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .3em .6em; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }}
th {{ position: sticky; top: 0; background: #fff; border-bottom: 2px solid #555; }}
td:first-child, th:first-child, td:nth-child(2), th:nth-child(2) {{ text-align: left; }}
tr:hover td {{ background: #eef5fb; }}
.synthetic {{ color: #D55E00; font-weight: bold; }}
</style><h1>{title}</h1>{mark}{table}</html>
"""
_DECIMALS = 3


def show_tables(
    avc: Path,
    summary: Path,
    significance: Path,
    runtimes: Path,
    avc_page: Path,
    summary_page: Path,
    significance_page: Path,
    runtimes_page: Path,
    *,
    synthetic: bool = False,
) -> None:
    """Write a page for each table: the same rows and columns, numbers to three decimals; the CSVs have them in full."""
    for table, page, title, of_data in (
        (avc, avc_page, "Audio-visual correspondence", True),
        (summary, summary_page, "Downstream accuracy", True),
        (significance, significance_page, "Significance of the three comparisons", True),
        (runtimes, runtimes_page, "Run time of every rule", False),
    ):
        rows = pd.read_csv(table).map(_cell)
        mark = '<p class="synthetic">SYNTHETIC DATA</p>' if synthetic and of_data else ""
        text = _PAGE.format(title=title, mark=mark, table=rows.to_html(index=False, border=0))
        files.write_text(page, text)


def _cell(value: object) -> str:
    """Return a cell as text: empty for what is not there, numbers rounded but never to nothing."""
    if pd.isna(value):
        return ""
    if isinstance(value, float):
        return f"{value:.{_DECIMALS}f}" if value == 0 or abs(value) >= 10**-_DECIMALS else f"{value:.1e}"
    return str(value)


if __name__ == "__main__":
    stage.main(show_tables, globals().get("snakemake"))
