"""Write tensors and settings as a file that torch.load reads, also with weights_only; PyTorch is not needed for it.

The format is PyTorch's own since version 1.6: a zip without compression, with one member for each tensor's values and a
pickle of protocol 2 that says what they are. Only float32 tensors are written.
"""

import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from l3net.files import atomic

_REBUILD, _STORAGE = b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch\nFloatStorage\n"
_ORDERED = b"ccollections\nOrderedDict\n"


def write_torch_file(path: Path, content: dict[str, Any]) -> None:
    """Write nested mappings, lists, strings, numbers, None and arrays (as float32 tensors).

    Raises
    ------
    TypeError
        A value of another kind.
    """
    storages: list[np.ndarray] = []
    pickled = b"\x80\x02" + _pickle(content, storages) + b"."
    with atomic.replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as file:
        file.writestr("archive/data.pkl", pickled)
        file.writestr("archive/byteorder", "little")
        for number, values in enumerate(storages):
            file.writestr(f"archive/data/{number}", values.tobytes())
        file.writestr("archive/version", "3\n")


def _pickle(value: Any, storages: list[np.ndarray]) -> bytes:
    """Return the opcodes of a pickle that leave `value` on the stack."""
    if value is None:
        return b"N"
    if isinstance(value, bool):
        return b"\x88" if value else b"\x89"
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if isinstance(value, float):
        return b"G" + struct.pack(">d", value)
    if isinstance(value, str):
        return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
    if isinstance(value, dict):
        items = b"".join(_pickle(key, storages) + _pickle(one, storages) for key, one in value.items())
        return b"}(" + items + b"u"
    if isinstance(value, tuple):
        return b"(" + b"".join(_pickle(one, storages) for one in value) + b"t"
    if isinstance(value, list):
        return b"](" + b"".join(_pickle(one, storages) for one in value) + b"e"
    if isinstance(value, np.ndarray):
        return _pickle_tensor(np.asarray(value, "<f4", order="C"), storages)
    raise TypeError(f"{type(value).__name__} cannot be written for PyTorch")


def _pickle_tensor(values: np.ndarray, storages: list[np.ndarray]) -> bytes:
    storages.append(values)
    number = _pickle(str(len(storages) - 1), storages)
    storage = b"(" + _pickle("storage", storages) + _STORAGE + number + _pickle("cpu", storages)
    storage += _pickle(int(values.size), storages) + b"tQ"
    strides = tuple(step // values.itemsize for step in values.strides)
    rest = b"".join(_pickle(one, storages) for one in (0, values.shape, strides, False))
    return _REBUILD + b"(" + storage + rest + _ORDERED + b")Rt" + b"R"
