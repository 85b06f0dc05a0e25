"""Starting a stage or a command quickly: what TensorFlow and Keras would load and nobody here uses stays away.

Importing TensorFlow imports Keras, and Keras imports scikit-learn, matplotlib's pyplot and pandas where they are
installed, for wrappers and plots of its own; TensorFlow's older Keras imports scipy. That is a third of the time, and
150 MB of memory, in every process that uses a network. Another fifth went to Python's collector of cycles, which looked
through all modules again and again, and a further fifth to taking the modules apart at the end of the process. So does
scikit-learn import pandas, which is a quarter of its time.
"""

import atexit
import gc
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

# Each does without.
_NOT_FOR = {"keras": {"sklearn", "matplotlib", "pandas"}, "tensorflow": {"scipy"}, "sklearn": {"pandas"}}
_ALLOCATIONS = 50_000  # between two collections of the youngest objects; Python's own number is 700 (2000 from 3.14 on)


def start_quickly() -> None:
    """Make this process import TensorFlow in half the time; for processes of our own, since it is Keras that changes.

    Without scikit-learn and pandas, Keras has no ``SKLearnClassifier`` and takes no data frames. Imports by others, and
    later ones, find all packages as ever. The process also ends quickly: what runs at its end runs as ever, and then
    Python leaves its objects to the system instead of looking through them once more.
    """
    gc.set_threshold(_ALLOCATIONS, *gc.get_threshold()[1:])
    if not any(isinstance(finder, _WithoutExtras) for finder in sys.meta_path):
        sys.meta_path.insert(0, _WithoutExtras())
        atexit.register(gc.freeze)  # the last of the functions at the end, as it comes first


class _WithoutExtras:
    """Find nothing where a package, while it is itself being imported, asks for others that it can do without."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Raise a ModuleNotFoundError for what is kept away; leave all else to the finders behind."""
        for package, extras in _NOT_FOR.items():
            if fullname in extras and _is_under_way(package):
                raise ModuleNotFoundError(f"No module named {fullname!r}: {package} does without it", name=fullname)
        return None


def _is_under_way(name: str) -> bool:
    """Return whether the import of a package has begun and not ended."""
    return getattr(getattr(sys.modules.get(name), "__spec__", None), "_initializing", False)
