"""AudioSet's ontology, and the filters of labels that define a subset."""

import csv
import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from l3net.errors import ConfigError

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
        near = difflib.get_close_matches(name, self.names.values(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "names are those of the ontology, e.g. 'Acoustic guitar'"
        raise ConfigError(f"{where}{': ' if where else ''}the ontology has no label {name!r}; {hint}")

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
    try:
        nodes = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(nodes, list) or not nodes:
            raise TypeError("expected a list of labels")
        return Ontology({n["id"]: n["name"] for n in nodes}, {n["id"]: n["child_ids"] for n in nodes})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"{path}: not AudioSet's ontology.json ({type(error).__name__}: {error})") from None


def read_filter(path: Path, ontology: Ontology) -> set[str]:
    """Read the mids that a subset's filter names.

    The filter is a CSV with columns ``label`` (a name of the ontology) and ``include_children`` (true | false).

    Raises
    ------
    ConfigError
        The file is missing or has other columns, or a line has an unknown label or neither true nor false.
    """
    wanted: set[str] = set()
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if reader.fieldnames != ["label", "include_children"]:
                raise ConfigError(f"{path}: columns are {reader.fieldnames}; expected label,include_children")
            for row in reader:
                where = f"{path}, line {reader.line_num}"
                mid = ontology.mid_of(row["label"], where)
                answer = str(row["include_children"]).strip().lower()
                if answer not in {"true", "false"}:
                    raise ConfigError(f"{where}: include_children is {answer!r}; expected true or false")
                wanted |= ontology.with_descendants(mid) if answer == "true" else {mid}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the filter cannot be read: {error}") from None
    if not wanted:
        raise ConfigError(f"{path}: the filter names no label; expected lines such as Accordion,false")
    return wanted
