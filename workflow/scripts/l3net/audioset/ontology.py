"""AudioSet's ontology, and the filters of labels that define a subset."""

import csv
import difflib
import io
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from l3net.errors import ConfigError
from l3net.files import Fields, foreign, read_json, read_text

_FILTER, _FILTER_BYTES = "a filter, a CSV with the columns label and include_children", 1 << 20
_LONGEST_NAME = 200  # letters of a label; looking for the nearest one takes time

_WITHOUT_LABEL = "(without a label)"
_OWN = "/own/"  # begins a label of one's own, which is no mid of AudioSet's


@dataclass(frozen=True)
class Ontology:
    """The tree of labels: the name of each mid, and the mids below it."""

    names: dict[str, str]
    children: dict[str, list[str]]

    def mid_of(self, name: str, where: str = "") -> str:
        """Find the mid of a label by its name.

        Raises
        ------
        ConfigError
            No label has the name; the message gives the nearest one.
        """
        for mid, known in self.names.items():
            if known == name:
                return mid
        near = difflib.get_close_matches(name[:_LONGEST_NAME], self.names.values(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "names are those of the ontology, e.g. 'Acoustic guitar'"
        raise ConfigError(f"{where}{': ' if where else ''}the ontology has no label {name[:80]!r}; {hint}")

    def name_of(self, mid: str) -> str:
        """Return the name of a label: AudioSet's, one's own, or the mid itself where it is unknown."""
        if is_own_label(mid):
            return unquote(mid.removeprefix(_OWN)) or _WITHOUT_LABEL
        return self.names.get(mid, mid)

    def with_descendants(self, mid: str) -> set[str]:
        """Collect `mid` and all labels below it; a label may lie below several."""
        found, waiting = set(), [mid]
        while waiting:
            if (current := waiting.pop()) not in found:
                found.add(current)
                waiting += self.children.get(current, [])
        return found


def own_label(name: str) -> str:
    """Return the label of one's own that stands for `name` where a mid would: ``/own/`` and the name in ASCII.

    An empty name is that of clips without a label.
    """
    return _OWN + quote(name, safe="", errors="replace")


def is_own_label(mid: str) -> bool:
    """Return whether a label is one's own, and none of AudioSet's."""
    return mid.startswith(_OWN)


def read_ontology(path: Path) -> Ontology:
    """Read the ontology from a JSON file in AudioSet's format.

    Raises
    ------
    ConfigError
        The file is missing or of another format.
    """
    what = "AudioSet's ontology.json, a list of labels"
    nodes = read_json(path, ConfigError, what)
    if not isinstance(nodes, list) or not nodes:
        raise ConfigError(f"{path}: not {what}")
    names, children = {}, {}
    for number, node in enumerate(nodes):
        label = Fields(node, f"{path}: label {number}", ConfigError)
        mid = label.text("id", longest=100)
        names[mid], children[mid] = label.text("name", longest=_LONGEST_NAME), label.array("child_ids")
        if not all(isinstance(child, str) for child in children[mid]):
            raise ConfigError(f"{path}: label {number}: child_ids has something else than texts; expected {what}")
    return Ontology(names, children)


def read_filter(path: Path, ontology: Ontology) -> set[str]:
    """Read the mids that a subset's filter names.

    The filter is a CSV with columns ``label`` (a name of the ontology) and ``include_children`` (true | false).

    Raises
    ------
    ConfigError
        The file is missing or has other columns, or a line has an unknown label or neither true nor false.
    """
    wanted: set[str] = set()
    text = read_text(path, ConfigError, _FILTER, most=_FILTER_BYTES)
    with foreign(path, ConfigError, _FILTER):
        reader = csv.DictReader(io.StringIO(text, newline=""))
        if reader.fieldnames != ["label", "include_children"]:
            raise ConfigError(f"{path}: columns are {str(reader.fieldnames)[:80]}; expected label,include_children")
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            mid = ontology.mid_of(row["label"] or "", where)
            answer = str(row["include_children"]).strip().lower()
            if answer not in {"true", "false"}:
                raise ConfigError(f"{where}: include_children is {answer[:40]!r}; expected true or false")
            wanted |= ontology.with_descendants(mid) if answer == "true" else {mid}
    if not wanted:
        raise ConfigError(f"{path}: the filter names no label; expected lines such as Accordion,false")
    return wanted
