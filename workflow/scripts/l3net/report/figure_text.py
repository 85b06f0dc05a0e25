"""Text in figures: what no installed font can draw is written as an escape (``\\u72ac``), not as an empty box.

Names of classes come from other people's data sets. DejaVu Sans, which comes with matplotlib, has most alphabets but no
Chinese, Japanese or Korean and few emoji; of the fonts in `_MORE_FONTS` those that are installed are used for the rest.
"""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FONT = "DejaVu Sans"
# Fonts with outlines; matplotlib cannot draw fonts of coloured pictures.
_MORE_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans SC", "Noto Sans JP", "Noto Sans KR"),
    *("Source Han Sans", "Source Han Sans SC", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback"),
    *("IPAexGothic", "IPAGothic", "TakaoGothic", "VL Gothic", "NanumGothic", "Unifont", "Unifont Upper"),
    *("PingFang SC", "Heiti SC", "Hiragino Sans", "Apple SD Gothic Neo", "Arial Unicode MS"),
    *("Microsoft YaHei", "SimHei", "Yu Gothic", "MS Gothic", "Malgun Gothic", "Segoe UI Emoji", "Segoe UI Symbol"),
    *("Noto Emoji", "Symbola", "Noto Sans Symbols2", "Noto Sans Symbols"),
)
_BOLD = 600  # weights from here on


@cache
def font_families() -> list[str]:
    """Return the fonts of figures, in the order in which a character is looked for."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return [_FONT, *(name for name in _MORE_FONTS if name in installed)]


def drawable(text: str, *, bold: bool = False) -> str:
    """Return `text` with an escape in the place of every character that none of `font_families` has."""
    known = _characters(bold)
    return "".join(c if c == "\n" or ord(c) in known else c.encode("unicode_escape").decode() for c in text)


def escape_undrawable(figure: "Figure") -> None:
    """Write escapes into the texts of a figure, tick labels too, for characters that no font has."""
    from matplotlib.text import Text
    from matplotlib.ticker import FuncFormatter

    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            # Names of ticks come from such a formatter, anew whenever the figure is drawn.
            if isinstance(formatter := axis.get_major_formatter(), FuncFormatter):
                formatter.func = _escaping(formatter.func)
    for text in figure.findobj(Text):
        text.set_text(drawable(text.get_text(), bold=_is_bold(text.get_weight())))


def _escaping(name_of):
    return lambda x, position=None: drawable(name_of(x, position))


def _is_bold(weight: int | str) -> bool:
    return weight >= _BOLD if isinstance(weight, int) else weight in {"bold", "heavy", "black", "semibold", "demibold"}


@cache
def _characters(bold: bool) -> frozenset[int]:
    """Return the characters that the fonts have; bold ones have fewer."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    weight = "bold" if bold else "normal"
    paths = [findfont(FontProperties(family=[name], weight=weight)) for name in font_families()]
    return frozenset().union(*(get_font(path).get_charmap() for path in paths))
