"""A process of ours imports TensorFlow without what Keras alone would want, and anybody else finds it as ever."""

import subprocess
import sys

TENSORFLOW = """
import gc, sys
from l3net.runtime.quick_start import start_quickly
start_quickly()
start_quickly()
import tensorflow, keras
print([name for name in ("sklearn", "matplotlib", "pandas", "scipy") if name in sys.modules])
print(gc.isenabled(), gc.get_threshold()[0])
print(float(keras.layers.Dense(1, kernel_initializer="ones")(tensorflow.constant([[2.0, 3.0]]))[0, 0]))
"""
SCIKIT_LEARN = """
import sys
from l3net.runtime.quick_start import start_quickly
start_quickly()
import sklearn.linear_model
print("pandas" in sys.modules)
import pandas
print(pandas.DataFrame.__name__)
"""
OTHERS = """
from l3net.runtime.quick_start import start_quickly
start_quickly()
import keras
import pandas, scipy.sparse, sklearn.linear_model, matplotlib.pyplot
print(pandas.DataFrame({"a": [1, 2]}).a.sum())
"""


def printed(code: str) -> list[str]:
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def test_tensorflow_comes_without_what_keras_alone_wants() -> None:
    assert printed(TENSORFLOW) == ["[]", "True 50000", "5.0"]


def test_scikit_learn_comes_without_pandas() -> None:
    assert printed(SCIKIT_LEARN) == ["False", "DataFrame"]


def test_others_find_all_packages() -> None:
    assert printed(OTHERS) == ["3"]


def test_a_missing_package_is_named_as_python_names_it() -> None:
    code = OTHERS.replace("import keras\n", "import keras, no_such_package\n")
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'no_such_package'"


def test_the_end_of_a_process_runs_what_is_registered_and_then_passes_over_its_objects() -> None:
    at_the_end = """
import atexit, gc, tempfile, weakref
atexit.register(lambda: print("last", gc.get_freeze_count() > 1000))  # what was registered first is run last
from l3net.runtime.quick_start import start_quickly
start_quickly()
atexit.register(lambda: print("first", gc.get_freeze_count()))
class Kept: pass
kept = Kept()
weakref.finalize(kept, print, "finalized")
"""
    assert sorted(printed(at_the_end)) == ["finalized", "first 0", "last True"]
