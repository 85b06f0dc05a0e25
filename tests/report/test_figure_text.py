"""Names in figures: what no font has is written as an escape, and matplotlib never misses a glyph."""

import re
import warnings
from pathlib import Path

import pytest
from matplotlib import font_manager

from l3net.report import figure_style, figure_text
from l3net.report.figure_text import drawable

NAMES = ["犬の鳴き声", "🐕 barking", "Hähne", "лай", "a$b$c", "tab\there", "क"]


@pytest.fixture
def only_dejavu(monkeypatch: pytest.MonkeyPatch):
    """As on a machine that has no further font."""
    monkeypatch.setattr(figure_text, "font_families", lambda: ["DejaVu Sans"])
    figure_text._characters.cache_clear()
    yield
    figure_text._characters.cache_clear()


def test_what_dejavu_has_stays_and_the_rest_is_escaped(only_dejavu: None) -> None:
    assert drawable("Hähne: лай, rock_salt\n≥ 5") == "Hähne: лай, rock_salt\n≥ 5"
    assert drawable("犬 bark") == r"\u72ac bark"
    assert drawable("🐕", bold=True) == r"\U0001f415"
    assert drawable("a\tb") == r"a\tb"


def test_bold_text_is_escaped_by_what_the_bold_font_has(only_dejavu: None) -> None:
    """DejaVu Sans has the mathematical letters without serifs, its bold face has not."""
    assert drawable("𝖠") == "𝖠"
    assert drawable("𝖠", bold=True) == r"\U0001d5a0"


def test_an_installed_font_with_more_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any font of this machine stands for one of the list."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    other = sorted(installed - {"DejaVu Sans"})[0]
    figure_text.font_families.cache_clear()
    monkeypatch.setattr(figure_text, "_MORE_FONTS", ("A Font That Nobody Has", other))
    assert figure_text.font_families() == ["DejaVu Sans", other]
    figure_text.font_families.cache_clear()


def draw(folder: Path) -> str:
    figure, axes = figure_style.panels(2, sharey=True)
    ax = axes[0, 0]
    ax.barh(range(len(NAMES)), range(len(NAMES)), label=NAMES[0])
    ax.set_yticks(range(len(NAMES)), NAMES)
    ax.set_title(NAMES[1])
    axes[0, 1].annotate(NAMES[0], (0.5, 0.5))
    figure_style.percent(axes[0, 1], "x")
    figure_style.legend_above(figure, NAMES[1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of matplotlib: Glyph 29356 missing from font(s) DejaVu Sans
        figure_style.save(figure, folder / "f.svg", folder / "f.png", synthetic=True, note=f"{NAMES[0]}; {NAMES[4]}")
    return (folder / "f.svg").read_text()


def test_no_glyph_is_missing_in_ticks_titles_legends_and_notes(tmp_path: Path) -> None:
    said = re.findall("<!-- (.*?) -->", draw(tmp_path), re.DOTALL)
    for name in NAMES:
        assert drawable(name) in said
    assert drawable(NAMES[1], bold=True) in said


def test_without_further_fonts_names_are_escaped_everywhere(only_dejavu: None, tmp_path: Path) -> None:
    text = draw(tmp_path)
    assert text.count(r"\u72ac\u306e\u9cf4\u304d\u58f0") == 4  # a tick, a legend, an annotation, the note
    assert "犬" not in text
    assert "<!-- a$b$c -->" in text
