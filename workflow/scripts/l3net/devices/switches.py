"""How TensorFlow computes: exact bits or fast ones, float32 or TF32 products, how many threads.

That it takes a GPU's memory as it needs it, and not the whole card at its start, is set where `l3net` is imported
(``TF_FORCE_GPU_ALLOW_GROWTH``), since it must be set before TensorFlow sees the card.
"""

import logging
import os

import tensorflow as tf

_log = logging.getLogger("l3net")


def set_switches(*, tf32: bool, deterministic: bool, xla: bool) -> None:
    """Set how this process computes; call it before any operation of TensorFlow.

    Parameters
    ----------
    tf32 : whether products and convolutions of float32 may round their inputs to TF32 (10 bits of mantissa), which
        GPUs from Ampere on multiply eight times as fast. CPUs have none and compute in float32 either way.
    deterministic : whether to take operations that give the same bits each time, on a GPU too. On a CPU without XLA
        they are always taken: reductions in another order would make a resumed training differ from an undisturbed one.
    xla : whether XLA compiles the steps. It has no deterministic gradient of pooling, so nothing is promised with it.
    """
    tf.config.experimental.enable_tensor_float_32_execution(tf32)
    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    if exact := (deterministic or not has_gpu) and not xla:
        tf.config.experimental.enable_op_determinism()
    if has_gpu:
        _log.info("on GPUs: TF32 %s, deterministic operations %s", *("on" if on else "off" for on in (tf32, exact)))


def intra_op_threads() -> int:
    """Return how many threads an operation of TensorFlow may use on the CPU; sums are split, and so rounded, by them.

    Source: TensorFlow takes the number that was set, else that of the variable, else the CPUs it may run on.
    """
    chosen = tf.config.threading.get_intra_op_parallelism_threads()
    return chosen or int(os.environ.get("TF_NUM_INTRAOP_THREADS") or 0) or len(os.sched_getaffinity(0))
