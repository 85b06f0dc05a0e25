"""Reading YAML that somebody wrote by hand: one mapping, each of its keys once, and the line where it is not so."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from l3net.errors import L3Error
from l3net.files.foreign import MEGABYTE, foreign, read_text

_YAML_BYTES = 4 * MEGABYTE


def check_yaml(path: Path, kind: type[L3Error], what: str, *, missing: str = "") -> None:
    """Check that a file is a mapping of keys to values in YAML or JSON, and that no key stands in it twice.

    YAML's own readers take the last of several values of a key without a word.

    Parameters
    ----------
    kind, what, missing : as of `foreign.foreign`.

    Raises
    ------
    L3Error
        Of `kind`: the file is missing, a folder, empty, larger than 4 MB, no text in UTF-8, no YAML, or no mapping; it
        holds several documents, or a key twice.
    """
    import yaml

    if path.is_dir():
        raise kind(f"{path}: is a folder; expected {what}")
    text = read_text(path, kind, what, missing=missing, most=_YAML_BYTES)
    with foreign(path, kind, what):
        if _is_json(path, kind, text):
            return
        try:
            root = yaml.compose(text, yaml.SafeLoader)  # the one in C ends the process where it is nested deeply
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
            said = ", ".join(filter(None, (error.context, error.problem)))
            raise kind(f"{path}{place}: is no YAML: {said[:160]}; expected {what}") from None
        except yaml.YAMLError as error:
            raise kind(f"{path}: is no YAML: {str(error).splitlines()[0][:160]}; expected {what}") from None
        if root is None:
            raise kind(f"{path}: is empty; expected {what}")
        if not isinstance(root, yaml.MappingNode):
            found = "a list" if isinstance(root, yaml.SequenceNode) else f"{root.value[:60]!r}"
            raise kind(f"{path}: is {found}; expected {what}")
        for key, line, other in _twice(root):
            raise kind(f"{path}: has {key[:120]} twice, in lines {line} and {other}; keep one of them")


def _is_json(path: Path, kind: type[L3Error], text: str) -> bool:
    """Return whether a text is an object in JSON, which may be indented by tabs; refuse a key that is there twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            name = next(name for name in names if names.count(name) > 1)
            raise kind(f"{path}: has {name[:120]} twice; keep one of them")
        return found

    try:
        return isinstance(json.loads(text, object_pairs_hook=once), dict)
    except ValueError:
        return False


def _twice(root: Any) -> Iterator[tuple[str, int, int]]:
    """Yield each key that stands twice in a mapping: its full name, its first line and the other."""
    waiting, seen = [("", root)], set()
    while waiting:
        above, node = waiting.pop()
        if id(node) in seen:  # an alias may lead round in a circle
            continue
        seen.add(id(node))
        lines: dict[tuple[str, str], int] = {}
        for key, value in node.value if node.id == "mapping" else []:
            if key.id == "scalar":
                name, line = f"{above}{key.value}", key.start_mark.line + 1
                if (key.tag, key.value) in lines:
                    yield name, lines[key.tag, key.value], line
                lines[key.tag, key.value] = line
                waiting.append((f"{name}.", value))
        if node.id == "sequence":
            waiting += [(f"{above.removesuffix('.')}[{n}].", value) for n, value in enumerate(node.value)]
