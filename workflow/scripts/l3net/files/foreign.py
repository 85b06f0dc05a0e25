"""Reading files that somebody else may have made: whatever they hold, what goes wrong becomes one line.

Every reader of a foreign file opens it through this module or one of its neighbours (`foreign_tables`, `foreign_hdf5`,
`foreign_archives`): texts of bounded size, JSON whose fields are checked for type and range, and no more read than the
file has itself.
"""

import json
import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from l3net.errors import L3Error, one_line
from l3net.files.system_errors import NO_ROOM

MEGABYTE = 1 << 20
_JSON_BYTES = 64 * MEGABYTE  # an index of 10,000 shards has 2
_LARGEST_WHOLE = 1 << 53  # up to which JSON's numbers are exact


@contextmanager
def foreign(path: Path | str, kind: type[L3Error], what: str, *, missing: str = "") -> Iterator[None]:
    """Turn whatever goes wrong while a foreign file is read into one line that names the file.

    Parameters
    ----------
    kind : the error to raise.
    what : what the file should be, with its article, for the message: "an index of shards".
    missing : what to do where the file does not exist, such as "make it (index_shards)".

    Raises
    ------
    L3Error
        Of `kind`, for every exception but an `L3Error`, which passes as it is.
    OSError
        There is no room for the temporary files of the library that reads.
    """
    try:
        yield
    except L3Error:
        raise
    except FileNotFoundError as error:
        said = f"does not exist; {missing}" if missing else f"cannot be read: {error.strerror}; expected {what}"
        raise kind(f"{path}: {said}") from error
    except OSError as error:
        if error.errno in NO_ROOM:  # a library unpacks what it reads beside other temporary files
            raise OSError(error.errno, error.strerror, tempfile.gettempdir()) from error
        # HDF5's errors are OSErrors without a number of the system: they tell of the content.
        said = f"cannot be read: {error.strerror}" if error.strerror else f"cannot be read as {what}: {reason(error)}"
        raise kind(f"{path}: {said}") from error
    except RecursionError as error:
        raise kind(f"{path}: cannot be read as {what}: it is nested too deeply") from error
    except MemoryError as error:
        raise kind(f"{path}: cannot be read as {what}: it asks for more memory than there is") from error
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":  # that of polars and its kin
            raise
        raise kind(f"{path}: cannot be read as {what}: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """Return what an exception says, on one line of at most 160 letters; its kind where it says nothing."""
    said = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return one_line(said, 160) or type(error).__name__


def read_text(path: Path, kind: type[L3Error], what: str, *, missing: str = "", most: int = _JSON_BYTES) -> str:
    """Read a text in UTF-8, with or without the mark that some editors put before it.

    Parameters
    ----------
    kind, what, missing : as of `foreign`.
    most : bytes that the file may have; no more are read, also where the file is a pipe.

    Raises
    ------
    L3Error
        Of `kind`: the file is missing, is too large, or is no text in UTF-8.
    """
    with foreign(path, kind, what, missing=missing):
        with open(path, "rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise kind(f"{path}: has more than {most / MEGABYTE:g} MB; expected {what}")
        return content.decode("utf-8-sig")


class Fields:
    """The fields of a JSON object of a foreign file. Each is taken by its type and range, or refused by name.

    Parameters
    ----------
    values : the object.
    where : the file, and the place in it, for messages.
    kind : the error that is raised.
    """

    def __init__(self, values: Any, where: str, kind: type[L3Error]) -> None:
        self.where, self.kind = where, kind
        if not isinstance(values, dict):
            raise kind(f"{where} is {_shown(values)}; expected an object of fields")
        self.values: dict[str, Any] = values

    def whole(self, name: str, least: int = 0, most: int = _LARGEST_WHOLE) -> int:
        """Return a whole number."""
        value = self._value(name)
        if type(value) is not int or not least <= value <= most:
            raise self._wrong(name, value, f"a whole number from {least} to {most}")
        return value

    def number(self, name: str, least: float = -math.inf, most: float = math.inf) -> float:
        """Return a number that is finite."""
        value = self._value(name)
        if type(value) not in (int, float) or not math.isfinite(value) or not least <= value <= most:
            raise self._wrong(name, value, f"a number from {least:g} to {most:g}")
        return float(value)

    def text(self, name: str, longest: int = 1000) -> str:
        """Return a text."""
        value = self._value(name)
        if not isinstance(value, str) or len(value) > longest:
            raise self._wrong(name, value, f"a text of at most {longest} letters")
        return value

    def array(self, name: str) -> list[Any]:
        """Return a list."""
        if not isinstance(value := self._value(name), list):
            raise self._wrong(name, value, "a list")
        return value

    def fields(self, name: str) -> "Fields":
        """Return the fields of an object in a field."""
        return Fields(self._value(name), f"{self.where}: {name}", self.kind)

    def only(self, *names: str) -> None:
        """Refuse fields of other names."""
        if unknown := sorted(set(self.values) - set(names)):
            raise self.kind(f"{self.where}: unknown field {_shown(unknown[0])}; expected {', '.join(names)}")

    def _value(self, name: str) -> Any:
        if name not in self.values:
            raise self.kind(f"{self.where}: the field {name} is missing")
        return self.values[name]

    def _wrong(self, name: str, value: Any, expected: str) -> L3Error:
        return self.kind(f"{self.where}: {name} is {_shown(value)}; expected {expected}")


def parse_json(text: str | bytes, where: str, kind: type[L3Error], what: str) -> Any:
    """Return what a text in JSON says, of which `where` tells the origin."""
    with foreign(where, kind, what):
        return json.loads(text)


def read_json(path: Path, kind: type[L3Error], what: str, *, missing: str = "", most: int = _JSON_BYTES) -> Any:
    """Read a file in JSON; the parameters are those of `read_text`.

    Raises
    ------
    L3Error
        Of `kind`: the file is missing, too large, nested too deeply, or no JSON.
    """
    return parse_json(read_text(path, kind, what, missing=missing, most=most), str(path), kind, what)


def read_fields(path: Path, kind: type[L3Error], what: str, *, missing: str = "") -> Fields:
    """Read a file that holds one JSON object; the parameters are those of `read_text`.

    Raises
    ------
    L3Error
        Of `kind`: as of `read_json`, or JSON that is no object.
    """
    return Fields(read_json(path, kind, what, missing=missing), str(path), kind)


def _shown(value: Any) -> str:
    """Return a value shortened; of large ones the kind only, since writing one out may take for ever."""
    if isinstance(value, dict | list):
        return f"a list of {len(value)}" if isinstance(value, list) else f"an object of {len(value)} fields"
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 200:
        return "a number of hundreds of digits"
    return one_line(repr(value[:60] if isinstance(value, str) else value), 60)
