"""Draw the rooms of the library and the imports between them: docs/images/rooms.svg.

    .venv/bin/python docs/draw_rooms.py

The order of the rooms is the contract that import-linter holds (pyproject.toml). An arrow stands for the modules of one
room that import from another; the wider it is, the more they are. What nearly every room uses is said in words instead.
"""

import textwrap
import tomllib
from collections import Counter
from pathlib import Path
from xml.sax.saxutils import escape

import grimp

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "workflow" / "scripts" / "l3net"
TARGET = ROOT / "docs" / "images" / "rooms.svg"
EVERYWHERE = {"errors", "files", "network", "runtime", "configuration"}  # drawn as rooms, without arrows
# Where a room stands in its row, in boxes from the left: arrows that pass a row then have a gap to pass through.
PLACES = {
    "cli": 1.1,
    "hear": 2.2,
    "sharing": 3.3,
    "training": 0,
    "downstream": 1.1,
    "report": 2.2,
    "demo": 3.3,
    "embeddings": 1.65,
}
PLACES |= {"feed": 0.25, "models": 1.35, "inference": 2.45, "samples": 0.25, "acquisition": 2.1, "audioset": 2.1}
PLACES |= {"devices": 1.35, "machine": 1.1, "runs": 2.2, "exchange": 0.5}
PLACES |= {"media": 1.1, "containers": 1.1, "vectors": 2.45, "downloads": 2.6}
PLACES |= {"configuration": 0.5, "runtime": 1.6, "network": 0, "files": 1.1, "errors": 2.2}
WIDTH, BOX, LINE, GAP, MARGIN = 1180, 250, 15, 48, 20  # pixels
_HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse"
 orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#555"/></marker></defs>
<rect width="{width}" height="{height}" fill="white"/>"""
_OUTLINE = 'fill="white" stroke="#0072B2" stroke-width="1.5"'
_SMALL = 'fill="#444" font-size="11" xml:space="preserve"'
_LINE = 'fill="none" stroke="#555" stroke-opacity="0.45" marker-end="url(#tip)"'


def layers() -> list[list[str]]:
    """Return the rooms, highest layer first, as the contract has them."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def arrows() -> Counter[tuple[str, str]]:
    """Return how many modules of one room import from another, by (importer, imported)."""
    graph = grimp.build_graph("l3net")
    found: Counter[tuple[str, str]] = Counter()
    for importer in graph.modules:
        rooms = {name.split(".")[1] for name in graph.find_modules_directly_imported_by(importer) if "." in name}
        own = importer.split(".")[1] if "." in importer else ""
        found.update((own, room) for room in rooms - {own} if own)
    return found


def modules(room: str) -> list[str]:
    """Return the names of a room's modules."""
    return sorted(path.stem for path in (LIBRARY / room).glob("*.py") if path.stem != "__init__")


def draw() -> str:
    """Return the picture as SVG."""
    rows = [row for row in layers() if not EVERYWHERE & set(row)] + [
        ["configuration", "runtime"],
        ["network", "files", "errors"],
    ]
    placed, boxes, top = {}, [], MARGIN
    for row in rows:
        texts = {room: textwrap.wrap("  ".join(modules(room)), 38) for room in row}
        height = 30 + LINE * max(len(text) for text in texts.values())
        for room in row:
            x = MARGIN + PLACES[room] * BOX
            placed[room] = (x, top, height)
            boxes.append(_box(room, texts[room], x, top, height))
        top += height + GAP
    lines = [_arrow(placed, pair, n) for pair, n in sorted(arrows().items()) if not EVERYWHERE & set(pair)]
    note = (
        "A room imports only from rooms below it. The five at the bottom are used by all others;"
        " their arrows are left out."
    )
    return (
        "\n".join([_HEAD.format(width=WIDTH, height=top), *lines, *boxes, _text(MARGIN, top - 16, note), "</svg>"])
        + "\n"
    )


def _text(x: float, y: float, text: str, style: str = 'font-size="12"') -> str:
    return f'<text x="{x:g}" y="{y:g}" {style}>{escape(text)}</text>'


def _box(room: str, text: list[str], x: float, y: float, height: float) -> str:
    outline = f'<rect x="{x:g}" y="{y:g}" width="{BOX}" height="{height:g}" rx="6" {_OUTLINE}/>'
    title = _text(x + 10, y + 19, room, 'font-weight="bold" font-size="14"')
    lines = [_text(x + 10, y + 21 + n * LINE, line, _SMALL) for n, line in enumerate(text, start=1)]
    return "\n".join([outline, title, *lines])


def _arrow(placed: dict, pair: tuple[str, str], n: int) -> str:
    (x0, y0, height), (x1, y1, _) = placed[pair[0]], placed[pair[1]]
    lean = max(min((x1 - x0) / 8, BOX / 3), -BOX / 3)  # arrows to the right leave on the right, and come in on the left
    start, end = (x0 + BOX / 2 + lean, y0 + height), (x1 + BOX / 2 - lean, y1 - 2)
    middle = (start[1] + end[1]) / 2
    path = f"M{start[0]:g} {start[1]:g} C{start[0]:g} {middle:g} {end[0]:g} {middle:g} {end[0]:g} {end[1]:g}"
    told = f"<title>{pair[0]} imports from {pair[1]} in {n} modules</title>"
    return f'<path d="{path}" stroke-width="{min(0.8 + 0.5 * n, 4):g}" {_LINE}>{told}</path>'


if __name__ == "__main__":
    TARGET.write_text(draw(), encoding="utf-8")
