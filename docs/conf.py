"""How Sphinx builds the site (`make docs`): no network, no warnings; the page of commands comes from the commands."""

import importlib
import os
import re
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

import l3net  # noqa: E402

project = "The L3 workflow"
author = "The L3 workflow's contributors"
release = l3net.__version__
copyright = author
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_site", "examples"]
# A link to a heading of a page, as GitHub makes it, works here too.
myst_heading_anchors = 3
myst_enable_extensions = ["attrs_inline"]
highlight_language = "none"
napoleon_google_docstring = False
# The letters of shapes, "(n, channels)", are taken for names of attributes.
suppress_warnings = ["ref.python"]
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
python_use_unqualified_type_names = True
copybutton_exclude = ".linenos, .gp, .go"
html_theme = "furo"
html_title = f"{project} {release}"
html_show_sourcelink = False
html_static_path = ["images"]
html_css_files = ["site.css"]

_COMMANDS = """# Commands

What `l3net` and its commands print with `--help`. The stages of the workflow are commands too
(`python workflow/scripts/STAGE.py --help`).

"""


def _write_commands(_app: object) -> None:
    """Write docs/commands.md (git-ignored): the help of every command, as the parser prints it."""
    main = importlib.import_module("l3net.cli.main")
    parser = main.make_parser()
    choices = next(action.choices for action in parser._actions if isinstance(action.choices, dict))
    os.environ["COLUMNS"] = "100"
    texts = [("l3net", parser.format_help())]
    texts += [(f"l3net {name}", command.format_help()) for name, command in choices.items()]
    page = _COMMANDS + "\n".join(f"## {name}\n\n```text\n{text.rstrip()}\n```\n" for name, text in texts)
    target = Path(__file__).with_name("commands.md")
    if not target.exists() or target.read_text() != page:
        target.write_text(page)


# How a type begins in a docstring; what stands behind the colon otherwise is a description.
_TYPE = r"(np\.|int\b|float\b|str\b|bool\b|list\b|dict\b|tuple\b|array)"


def _describe_parameters(
    _app: object, _what: str, _name: str, _object: object, _options: object, lines: list[str]
) -> None:
    """Move a parameter's description, which stands behind its name, to a line of its own, as numpydoc has it.

    Types stand in the signature, so most docstrings have a description where numpydoc expects a type.
    """
    moved, section = [], ""
    for k, line in enumerate(lines):
        if k + 1 < len(lines) and re.fullmatch("-{3,}", lines[k + 1]):
            section = line
        found = re.fullmatch(r"(\w[\w, ]*) : (.+)", line)
        if found and section in ("Parameters", "Attributes") and not re.match(_TYPE, found[2]):
            moved += [found[1], f"    {found[2][0].upper()}{found[2][1:]}"]
        else:
            moved.append(line)
    lines[:] = moved


def _link_to_files(_app: object, docname: str, source: list[str]) -> None:
    """Show a link to a file outside the site (a preset, a source) as its path, since the site does not hold it."""
    source[0] = re.sub(r"\[([^\]]+)\]\(\.\./(?!docs/)([^)#]+)\)", r"\1 (`\2`)", source[0])


def _break_code_between_words(_app: object, _page: str, _template: str, context: dict, _doctree: object) -> None:
    """Let code in tables break behind a slash, an underscore and the like; what a reader copies stays as it is."""
    cells = re.compile(r"<td\b.*?</td>", re.DOTALL)
    words = re.compile(r'(?<=<span class="pre">)[^<]+')
    context["body"] = cells.sub(
        lambda cell: words.sub(lambda word: re.sub(r"([/_.:,=]+)(?=\w)", r"\1<wbr>", word[0]), cell[0]),
        context.get("body", ""),
    )


def setup(app: object) -> None:
    app.connect("builder-inited", _write_commands)
    app.connect("source-read", _link_to_files)
    app.connect("html-page-context", _break_code_between_words)
    app.connect("autodoc-process-docstring", _describe_parameters, priority=400)  # before napoleon reads them
