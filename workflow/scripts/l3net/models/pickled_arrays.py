"""Read a .npy whose content is pickled, without running what a pickle can carry."""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from l3net.errors import WeightsError

_SAFE_GLOBALS = {(f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")}
_SAFE_GLOBALS |= {("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")}


class _SafeUnpickler(pickle.Unpickler):
    """Build arrays and plain containers; refuse whatever else a pickle asks for before it is made."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _SAFE_GLOBALS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no array needs")
        return super().find_class(module, name)


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
    try:
        with open(path, "rb") as file:
            version = np.lib.format.read_magic(file)
            header = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}[version[0]]
            _, _, dtype = header(file)
            if not dtype.hasobject:
                raise WeightsError(f"{path}: holds an array of {dtype}; expected a dictionary of layers")
            content = _SafeUnpickler(io.BytesIO(file.read()), encoding="latin1").load()
        return content.item() if isinstance(content, np.ndarray) else content
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, pickle.UnpicklingError, EOFError, AttributeError, TypeError) as error:
        raise WeightsError(f"{path}: refused as {whose}: {error}") from None
