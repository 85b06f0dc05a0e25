"""Where a training runs: one device, all GPUs of a machine, or the machines of a SLURM step."""

import logging
import os

import tensorflow as tf

from l3net.errors import ConfigError

STRATEGIES = ("auto", "single", "mirrored", "multi_worker")
_STEP_VARIABLES = ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_STEP_NODELIST", "SLURM_STEP_TASKS_PER_NODE")
_log = logging.getLogger("l3net")


def open_strategy(name: str) -> tf.distribute.Strategy:
    """Return the strategy `name`; call it before any operation of TensorFlow.

    Parameters
    ----------
    name : ``single`` is one device; ``mirrored`` every GPU of this machine, or every logical CPU device where there is
        none; ``multi_worker`` the tasks of a SLURM step, as its variables tell; ``auto`` the last of these that
        applies.

    Raises
    ------
    ConfigError
        The name is unknown, or is ``multi_worker`` outside a SLURM step.
    """
    if name not in STRATEGIES:
        raise ConfigError(f"train.strategy {name!r} is unknown; expected one of {', '.join(STRATEGIES)}")
    if name == "auto":
        name = _automatic()
    strategy = {"single": tf.distribute.get_strategy, "mirrored": _mirrored, "multi_worker": _multi_worker}[name]()
    _log.info("training on %s: %d replicas", name, strategy.num_replicas_in_sync)
    return strategy


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Return whether this process writes the files: the only one, or the first task of several."""
    resolver = strategy.cluster_resolver
    return not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy) or resolver.task_id == 0


class _StepResolver(tf.distribute.cluster_resolver.SlurmClusterResolver):
    """Lists SLURM's tasks in the order of their ranks, each with a port of its own, at the addresses of SLURM's nodes.

    TensorFlow's resolver sorts nodes by name (``n10`` before ``n9``), which is not the order of the ranks; it takes a
    node's name for its address; and it gives tasks on different nodes the same port, which fails where they share a
    host. ``L3NET_ADDRESSES`` (node=address, comma-separated; set by `runtime.multi_node`) holds the addresses.
    """

    def cluster_spec(self) -> tf.train.ClusterSpec:
        pairs = os.environ.get("L3NET_ADDRESSES", "").split(",")
        addresses = dict(pair.split("=") for pair in pairs if pair)
        nodes = [node for node, tasks in self._task_configuration.items() for _ in range(tasks)]
        self.task_type, self.task_id = "worker", self._rank
        tasks = [f"{addresses.get(node, node)}:{self._port_base + rank}" for rank, node in enumerate(nodes)]
        return tf.train.ClusterSpec({"worker": tasks})


def _automatic() -> str:
    if int(os.environ.get("SLURM_STEP_NUM_TASKS", "1")) > 1:
        return "multi_worker"
    return "mirrored" if len(tf.config.list_physical_devices("GPU")) > 1 else "single"


def _mirrored() -> tf.distribute.Strategy:
    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    return tf.distribute.MirroredStrategy([device.name for device in tf.config.list_logical_devices(kind)])


def _multi_worker() -> tf.distribute.Strategy:
    if missing := [name for name in _STEP_VARIABLES if name not in os.environ]:
        raise ConfigError(
            f"train.strategy multi_worker needs a SLURM step, but {missing[0]} is not set; start the job with srun, "
            "or choose mirrored or single"
        )
    # The resolver wants a number of GPUs a node even where there are none; each task takes its share of them.
    tasks = int(os.environ["SLURM_STEP_TASKS_PER_NODE"].split("(")[0].split(",")[0])
    gpus = max(tasks, int(os.environ.get("SLURM_GPUS_ON_NODE", "0")))
    # Legs on the same nodes must not meet on one port; below the range of ephemeral ports.
    port = int(os.environ.get("L3NET_PORT", 16384 + int(os.environ.get("SLURM_JOB_ID", "0")) % 16000))
    resolver = _StepResolver(
        port_base=port, gpus_per_node=gpus, gpus_per_task=gpus // tasks, tasks_per_node=None, auto_set_gpu=False
    )
    return tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
