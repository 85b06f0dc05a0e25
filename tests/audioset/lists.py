"""Small segment lists in AudioSet's format."""

from pathlib import Path

HEAD = "# Segments csv created Sun Mar  5 10:54:31 2017\n# num_ytids=1\n# YTID, start_seconds, ...\n"


def listed(path: Path, *rows: str, head: str = HEAD) -> Path:
    path.write_text(head + "".join(f"{row}\n" for row in rows))
    return path


def row(ytid: str, labels: str, start: float = 30.0) -> str:
    return f'{ytid}, {start:.3f}, {start + 10:.3f}, "{labels}"'
