"""One training on one device, on two, and on two processes with SLURM's variables: the same losses."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests import tiny_shards

# Precision, learning rate, largest difference of a loss as a share of it. In float32 at the paper's rate; in float64
# at ten times that, where float32's roundings grow beyond any tolerance that would still tell a mistake
# (docs/training.md).
PAPER, EXACT = ("float32", 1e-5, 1e-4), ("float64", 1e-4, 1e-9)


def start(root: Path, data: Path, strategy: str, case: tuple, **variables: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.stages.device_curves", str(data), strategy, *map(str, case[:2])]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM")} | variables
    return subprocess.Popen(
        command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen) -> dict:
    out, errors = process.communicate()
    assert process.returncode == 0, errors[-3000:]
    return json.loads(out.splitlines()[-1])


def free_ports() -> int:
    """Return a port that is free, as is the next."""
    for _ in range(20):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise AssertionError("no two free ports")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    tiny_shards.write_split(folder, "train")
    return folder


@pytest.fixture(scope="module")
def one_device(root: Path, data: Path) -> dict[tuple, dict]:
    return {case: finish(start(root, data, "single", case)) for case in (PAPER, EXACT)}


@pytest.mark.parametrize("case", [PAPER, EXACT], ids=["float32", "float64"])
def test_two_devices(case: tuple, root: Path, data: Path, one_device: dict[tuple, dict]) -> None:
    one, two = one_device[case], finish(start(root, data, "mirrored", case))
    assert (one["replicas"], two["replicas"]) == (1, 2)
    np.testing.assert_allclose(two["losses"], one["losses"], rtol=case[2])
    assert len(set(one["losses"])) == 20


def test_the_whole_step_compiled_by_xla(root: Path, data: Path, one_device: dict[tuple, dict]) -> None:
    """The update is inside what XLA compiles, and so is each next loss a function of it. (XLA compiles for long.)

    Layers in float64, so that Adam does not blow up roundings; the augmentation stays float32, and bounds the equality.
    """
    compiled = finish(start(root, data, "compiled", EXACT))
    np.testing.assert_allclose(compiled["losses"], one_device[EXACT]["losses"], rtol=1e-5)


def test_the_whole_step_of_a_leg_compiled_by_xla_in_float32(root: Path, data: Path) -> None:
    """At the paper's rate, with the batch norms of a leg. (XLA compiles for long.)

    Roundings bound the equality: one training without XLA differs by as much where it has two threads in place of one
    (docs/training.md).
    """
    losses = [finish(start(root, data, name, PAPER))["losses"] for name in ("leg", "compiled_leg")]
    np.testing.assert_allclose(losses[1], losses[0], rtol=2e-4)
    np.testing.assert_allclose(losses[1][0], losses[0][0], rtol=2e-5)  # before Adam


def test_two_processes_of_a_slurm_step(root: Path, data: Path, one_device: dict[tuple, dict]) -> None:
    step = {
        "SLURM_STEP_NUM_TASKS": "2",
        "SLURM_STEP_NODELIST": "127.0.0.1",
        "SLURM_STEP_TASKS_PER_NODE": "2",
        "L3NET_PORT": str(free_ports()),
    }
    workers = [start(root, data, "auto", PAPER, SLURM_PROCID=str(rank), **step) for rank in range(2)]
    curves = [finish(worker) for worker in workers]
    assert [curve["replicas"] for curve in curves] == [2, 2]
    for curve in curves:
        np.testing.assert_allclose(curve["losses"], one_device[PAPER]["losses"], rtol=PAPER[2])


def start_gradients(root: Path, data: Path, devices: int, target: Path, **variables: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.stages.device_gradients", str(data), str(devices), str(target)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM")} | variables
    return subprocess.Popen(command, cwd=root, env=environment, stderr=subprocess.PIPE, text=True)


def gradients(processes: list[subprocess.Popen], target: Path) -> dict[str, np.ndarray]:
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors[-3000:]
    return dict(np.load(target))


def test_contrastive_gradients_over_devices_are_those_of_one(root: Path, data: Path, tmp_path: Path) -> None:
    """Three devices have unequal shares of a batch of 8; two processes of a SLURM step ask each other."""
    one = gradients([start_gradients(root, data, 1, tmp_path / "1.npz")], tmp_path / "1.npz")
    others = {
        n: gradients([start_gradients(root, data, n, tmp_path / f"{n}.npz")], tmp_path / f"{n}.npz") for n in (2, 3)
    }
    step = {"SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_NODELIST": "127.0.0.1", "SLURM_STEP_TASKS_PER_NODE": "2"}
    step["L3NET_PORT"] = str(free_ports())
    workers = [start_gradients(root, data, 0, tmp_path / f"w{n}.npz", SLURM_PROCID=str(n), **step) for n in range(2)]
    others["two processes"] = gradients(workers, tmp_path / "w0.npz")
    assert [int(other["replicas"]) for other in others.values()] == [2, 3, 2]
    assert one["vision_conv_1_1/kernel"].dtype == np.float64
    for other in others.values():
        for name in set(one) - {"replicas"}:
            scale = max(np.abs(one[name]).max(), 1e-3)
            np.testing.assert_allclose(other[name], one[name], rtol=0, atol=1e-8 * scale, err_msg=name)
    assert np.abs(one["audio_conv_1_1/kernel"]).max() > 1e-3
