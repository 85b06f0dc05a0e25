"""What TensorFlow sees of a machine's GPUs. As a command it prints that as JSON: ``python -m l3net.devices.seen``."""

import json
from typing import Any

import tensorflow as tf


def describe_devices() -> dict[str, Any]:
    """Return the version of TensorFlow, what it was built for, and the GPUs that it can use.

    Each GPU is tried with a small product, since a card that is listed may still be one that the driver cannot serve.
    """
    build = tf.sysconfig.get_build_info()
    gpus = []
    for gpu in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpu)
        gpus.append({"name": details.get("device_name", gpu.name), "error": _try(gpu)})
        gpus[-1]["compute_capability"] = list(details.get("compute_capability", ()))
    return {
        "version": tf.__version__,
        "built_with_cuda": tf.test.is_built_with_cuda(),
        "cuda": build.get("cuda_version"),
        "cudnn": build.get("cudnn_version"),
        "gpus": gpus,
    }


def _try(gpu: tf.config.PhysicalDevice) -> str:
    try:
        with tf.device(gpu.name.replace("physical_device:", "")):
            found = float(tf.reduce_sum(tf.linalg.matmul(tf.ones((64, 64)), tf.ones((64, 64)))))
    except (tf.errors.OpError, RuntimeError, ValueError) as error:
        return str(error).splitlines()[0]
    return "" if found == 64.0**3 else f"a product of ones summed to {found}"


if __name__ == "__main__":
    print(json.dumps(describe_devices()))
