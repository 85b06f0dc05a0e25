"""Read a .npy whose content is pickled, without running what a pickle can carry.

A pickle is a program. This reader lets it build plain containers, texts and numbers, and stand-ins for arrays and their
types, which take down what the pickle says and do nothing. Arrays are made of them afterwards, once type, shape and
number of bytes are found to fit each other.
"""

import io
import pickle
import pickletools
import re
from pathlib import Path
from typing import Any

import numpy as np

from l3net.errors import WeightsError
from l3net.files import foreign, read_npy_header

_TYPE = re.compile(r"[biufcSUOV]\d{0,3}|bool")
_MOST_PLACES = 1_000_000  # in the pickle's memory of what it has built
_DEEPEST = 50  # containers inside each other


class _ArrayClass:
    """Stands for the class numpy.ndarray."""


class _Type:
    """Stands for a numpy.dtype: its code, and the order of its bytes once the pickle has told it."""

    def __init__(self, code: str, *_: object) -> None:
        self.code, self.order = code, "="

    def __setstate__(self, state: tuple) -> None:
        self.order = state[1]

    def dtype(self) -> np.dtype:
        """Return the type, or raise ValueError where it is none of a number, text or object."""
        if not isinstance(self.code, str) or not _TYPE.fullmatch(self.code) or self.order not in ("<", ">", "|", "="):
            raise ValueError(f"it has an array of type {str(self.code)[:40]!r}")
        return np.dtype(self.code if self.code == "bool" else ("" if self.order == "|" else self.order) + self.code)


class _Array:
    """Stands for an array."""

    def __init__(self, array_class: object, *_: object) -> None:
        if array_class is not _ArrayClass:
            raise pickle.UnpicklingError("it makes an array of something else than numpy's class")
        self.state: tuple | None = None

    def __setstate__(self, state: tuple) -> None:
        self.state = state


def _encode(text: str, encoding: str) -> bytes:
    """Do what ``_codecs.encode`` does, for the one encoding in which Python 2's pickles carry bytes."""
    if encoding not in ("latin1", "latin-1") or not isinstance(text, str):
        raise pickle.UnpicklingError(f"it asks for the codec {str(encoding)[:40]!r}; only latin1 is needed by arrays")
    return text.encode("latin-1")


_STAND_INS = {(f"numpy.{core}.multiarray", "_reconstruct"): _Array for core in ("core", "_core")}
_STAND_INS |= {("numpy", "ndarray"): _ArrayClass, ("numpy", "dtype"): _Type, ("_codecs", "encode"): _encode}


class _SafeUnpickler(pickle.Unpickler):
    """Refuse whatever a pickle asks for that is no stand-in, before it is made."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _STAND_INS:
            raise pickle.UnpicklingError(f"it asks for {module[:80]}.{name[:80]}, which no array needs")
        return _STAND_INS[module, name]


def read_pickled_arrays(path: Path, whose: str) -> Any:
    """Read the arrays and plain containers in a .npy, such as a dictionary of layers.

    Parameters
    ----------
    whose : what the file should hold, for the message of an error.

    Raises
    ------
    WeightsError
        A file that cannot be read, holds a plain array, or carries anything but arrays and plain containers.
    """
    with foreign(path, WeightsError, whose), open(path, "rb") as file:
        _, _, dtype = read_npy_header(file)
        if not dtype.hasobject:
            raise WeightsError(f"{path}: holds an array of {dtype}; expected a dictionary of layers")
        pickled = file.read()
        _check_operations(pickled)
        content = _built(_SafeUnpickler(io.BytesIO(pickled), encoding="latin1").load(), {})
        return content.item() if isinstance(content, np.ndarray) and content.size == 1 else content


def _check_operations(pickled: bytes) -> None:
    """Refuse lengths that the file does not have, and places far out in the memory, for which room would be made."""
    for operation, argument, _ in pickletools.genops(pickled):
        if operation.name in ("PUT", "BINPUT", "LONG_BINPUT") and argument > _MOST_PLACES:
            raise pickle.UnpicklingError(f"it puts something in place {argument} of its memory")


def _built(value: Any, known: dict[int, Any], depth: int = 0) -> Any:
    """Return what a pickle has built with arrays in the place of their stand-ins; what stands twice is built once."""
    if depth > _DEEPEST:
        raise ValueError(f"it has more than {_DEEPEST} containers inside each other")
    if id(value) in known:
        return known[id(value)]
    if isinstance(value, dict):
        made: Any = {key: _built(one, known, depth + 1) for key, one in value.items()}
    elif isinstance(value, list | tuple):
        made = type(value)(_built(one, known, depth + 1) for one in value)
    elif isinstance(value, _Array):
        made = _array(value, known, depth)
    elif value is _ArrayClass or isinstance(value, _Type):
        raise ValueError("it has a type where an array is expected")
    else:
        return value
    known[id(value)] = made
    return made


def _array(stand_in: _Array, known: dict[int, Any], depth: int) -> np.ndarray:
    _, shape, kind, is_fortran, data = stand_in.state or (0,) * 5
    if not isinstance(kind, _Type) or not isinstance(shape, tuple) or len(shape) > 8:
        raise ValueError("it has an array without type or shape")
    if not all(type(n) is int and 0 <= n < 2**40 for n in shape):
        raise ValueError(f"it has an array of shape {str(shape)[:60]}")
    dtype, n_values, order = kind.dtype(), 1, "F" if is_fortran else "C"
    for n in shape:
        n_values *= n
    if dtype.hasobject:
        if not isinstance(data, list) or len(data) != n_values:
            raise ValueError(f"it has an array of {n_values} objects with other content")
        objects = np.empty(len(data), object)
        for place, one in enumerate(data):
            objects[place] = _built(one, known, depth + 1)
        return objects.reshape(shape, order=order)
    content = data.encode("latin-1") if isinstance(data, str) else data  # Python 2's bytes come as text
    if not isinstance(content, bytes) or len(content) != n_values * dtype.itemsize:
        raise ValueError(f"it has an array of shape {shape} of {dtype} with another number of bytes")
    return np.ndarray(shape, dtype, content, order=order).copy() if n_values else np.empty(shape, dtype)
