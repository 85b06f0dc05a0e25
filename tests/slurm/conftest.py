"""The cluster, and runs of the workflow on it."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster, missing_programs

QUICK = Path(__file__).with_name("quick_snakemake.py")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A SLURM of two nodes, the second with two GPUs that are only names."""
    if missing := missing_programs():
        pytest.skip(f"SLURM is not installed: no {', '.join(missing)} (Debian: slurmctld slurmd slurm-client munge)")
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    made = Cluster(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop_all()
        shutil.rmtree(folder, ignore_errors=True)


def set_up_profile(folder: Path, **block: object) -> None:
    """Fill in the block at the head of the profile in `folder`, as a user would, for the tests' cluster."""
    path = folder / "workflow" / "profiles" / "slurm" / "config.yaml"
    text = path.read_text()
    for key, value in block.items():
        text, n = re.subn(rf"(?m)^(  {key}:) [^ \n]+", rf"\g<1> {value}", text)
        assert n == 1, f"the profile has no line {key}"
    # Times of a cluster, shortened; and what one machine with two cores can hold.
    for old, new in (
        ("latency-wait: 60", "latency-wait: 20"),
        ("status-checks: 20", "status-checks: 3"),
        ("train_leg: 8", "train_leg: 1"),
    ):
        assert old in text
        text = text.replace(old, new)
    text = re.sub(r"mem_mb([:=] ?\d+)0\b", r"mem_mb\1", text)
    path.write_text(text)


def start_on_slurm(cluster: Cluster, folder: Path, *options: object) -> subprocess.Popen:
    """Start a run of the workflow in `folder` by its SLURM profile; what it says goes to ``slurm.out`` there."""
    command = [sys.executable, str(QUICK), "--profile", "workflow/profiles/slurm", *map(str, options)]
    environment = {k: v for k, v in cluster.environment.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    said = (folder / "slurm.out").open("w")
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
    )


def on_slurm(cluster: Cluster, folder: Path, *options: object, seconds: float = 600) -> str:
    """Run the workflow in `folder` on the cluster to its end; return what it said, or fail with it."""
    return finish(start_on_slurm(cluster, folder, *options), folder, seconds)


def finish(process: subprocess.Popen, folder: Path, seconds: float) -> str:
    """Wait for a run that was started; return what it said, or fail with it."""
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        code = None
    said = (folder / "slurm.out").read_text()
    assert code == 0, f"exit code {code}\n{said[-5000:]}"
    return said
