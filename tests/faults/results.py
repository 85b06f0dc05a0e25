"""What the full form of the tests of faults saw, kept beside them, and the tables of docs/reliability.md made of it.

    python -m tests.faults.results        writes the tables into docs/reliability.md

A table stands there between ``<!-- faults: NAME -->`` and ``<!-- faults: end -->``.
"""

import json
import re
from pathlib import Path

KEPT = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
CONDITIONS = {"full": "full disk", "half": "disk that fills up", "read-only": "read-only", "file-limit": "file limit"}


class Notes:
    """Rows by table and by name, as tests note them."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, dict]] = {}

    def note(self, table: str, name: str, **row: object) -> None:
        """Note a row; a later one of the same name replaces its values."""
        self._rows.setdefault(table, {}).setdefault(name, {}).update(row)

    def keep(self) -> None:
        """Lay the rows over those of earlier runs."""
        kept = read_kept()
        for table, rows in self._rows.items():
            for name, row in rows.items():
                kept.setdefault(table, {}).setdefault(name, {}).update(row)
        KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def read_kept() -> dict[str, dict[str, dict]]:
    """Return what is kept; nothing before the first full run."""
    return json.loads(KEPT.read_text()) if KEPT.exists() else {}


def tables() -> dict[str, str]:
    """Return every table of the page, by name, as Markdown."""
    kept = read_kept()
    return {"stages": _stages(kept), "fuzz": _fuzz(kept), "cases": _cases(kept)}


def with_tables(page: str) -> str:
    """Return the page's text with today's tables in it."""
    for name, table in tables().items():
        pattern = rf"(<!-- faults: {name} -->\n).*?(<!-- faults: end -->)"
        page, n = re.subn(pattern, lambda found: f"{found[1]}\n{table}\n{found[2]}", page, flags=re.DOTALL)  # noqa: B023
        if n != 1:
            raise ValueError(f"docs/reliability.md has {n} places for the table {name}; expected 1")
    return page


def _stages(kept: dict) -> str:
    lines = ["| stage | SIGKILL | SIGTERM | " + " | ".join(CONDITIONS.values()) + " |", "|---|---|---|" + "---|" * 4]
    for name, row in kept.get("stages", {}).items():
        killed = row.get("killed", {})
        cells = [_times(killed.get(number, 0), row.get("kill_wrong", 0)) for number in ("SIGKILL", "SIGTERM")]
        lines.append(f"| {name} | " + " | ".join([*cells, *(row.get(how, "") for how in CONDITIONS)]) + " |")
    return "\n".join(lines)


def _times(n: int, wrong: int) -> str:
    return f"{n}" if not wrong else f"{n} ({wrong} wrong)"


def _fuzz(kept: dict) -> str:
    columns = ["n", "same content", "another content", "refused", "other"]
    lines = ["| kind | " + " | ".join(columns) + " | before: same, another, refused, other (of n) |"]
    lines.append("|---|" + "---|" * (len(columns) + 1))
    for name, row in kept.get("fuzz", {}).items():
        if "n" not in row:  # only what came before is known
            continue
        before = row.get("before")
        said = "" if before is None else "{same}, {another}, {refused}, {other} ({n})".format(**before)
        told = f"{row['another']}" + ("" if row["tells"] or not row["another"] else " ¹")
        lines.append(f"| {name} | {row['n']} | {row['same']} | {told} | {row['refused']} | {row['other']} | {said} |")
    return "\n".join(lines)


def _cases(kept: dict) -> str:
    lines = ["| case | what must hold | what came | test |", "|---|---|---|---|"]
    for name, row in kept.get("cases", {}).items():
        lines.append(f"| {name} | {row['must']} | {row['came']} | `{row['test']}` |")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
