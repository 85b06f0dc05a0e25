"""The switches, by what TensorFlow itself reports; each in a process of its own, since some cannot be set back."""

import json
import os
import subprocess
import sys

import pytest

ASK = """
import json, os, sys
import l3net
from l3net.devices import set_switches
import tensorflow as tf
set_switches(**json.loads(sys.argv[1]))
try:
    tf.random.normal([1])  # without a seed, which TensorFlow refuses where operations must be deterministic
    exact = False
except RuntimeError:
    exact = True
print(json.dumps([tf.config.experimental.tensor_float_32_execution_enabled(), exact]))
"""


def reported(**switches: bool) -> list[bool]:
    ended = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps(switches)], capture_output=True, text=True, check=True
    )
    return json.loads(ended.stdout)


@pytest.mark.parametrize(
    ("switches", "wanted"),
    [
        ({"tf32": True, "deterministic": False, "xla": False}, [True, True]),  # on a CPU always
        ({"tf32": False, "deterministic": False, "xla": True}, [False, False]),
    ],
)
def test_tensorflow_reports_what_was_switched(switches: dict[str, bool], wanted: list[bool]) -> None:
    assert reported(**switches) == wanted


@pytest.mark.parametrize("chosen", [None, "false"])
def test_a_gpus_memory_is_taken_as_it_is_needed_unless_the_user_says_otherwise(chosen: str | None) -> None:
    """TensorFlow reads the variable where it first sees a card, which is after `l3net` is imported."""
    environment = {name: value for name, value in os.environ.items() if name != "TF_FORCE_GPU_ALLOW_GROWTH"}
    environment |= {"TF_FORCE_GPU_ALLOW_GROWTH": chosen} if chosen else {}
    ask = "import l3net.training, os, sys; print(os.environ['TF_FORCE_GPU_ALLOW_GROWTH'], 'tensorflow' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, env=environment)
    assert ended.stdout.split() == [chosen or "true", "False"]


@pytest.mark.gpu
def test_memory_of_the_card_grows() -> None:
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        pytest.skip("no GPU here")
    tf.reduce_sum(tf.ones((1024, 1024)))
    assert tf.config.experimental.get_memory_info("GPU:0")["peak"] < 1 << 28
