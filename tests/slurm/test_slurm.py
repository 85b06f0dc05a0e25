"""The workflow on a real SLURM: GPUs, mishaps, and the same results as on one machine."""

import re
import subprocess
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.slurm.cluster import Cluster, wait_until
from tests.slurm.conftest import finish, on_slurm, set_up_profile, start_on_slurm
from tests.slurm.tables import assert_same_tables
from tests.workflow.stub_run import StubRun

SMALL = {
    "datasets": dict.fromkeys(("us8k", "dcase2013")),
    "classify": {"curve": []},
    "report": {"reference": "music-linear"},
}


@pytest.fixture
def stubs(tmp_path: Path, root: Path) -> StubRun:
    """A copy of the workflow whose jobs run ``work.sh OUTPUT``, which only touches until a test says otherwise."""
    made = StubRun(tmp_path, root, work="sh work.sh")
    (tmp_path / "work.sh").write_text('touch "$1"\n')
    return made


@pytest.mark.parametrize(("gpus_by", "front_ends"), [("gres", ["linear", "mel128"]), ("gpus", ["linear"])])
def test_training_jobs_get_a_gpu_each_and_never_share_one(
    gpus_by: str, front_ends: list[str], cluster: Cluster, stubs: StubRun
) -> None:
    config = stubs.configure({"models": {"front_ends": front_ends}, "train": {"checkpoints": [1]}, **SMALL})
    stubs.snakemake("--cores", 4, "--until", "index_shards", *config)
    (stubs.folder / "work.sh").write_text(
        'echo "$CUDA_VISIBLE_DEVICES $(date +%s.%N)" >> gpus.log; sleep 5; '
        'echo "$CUDA_VISIBLE_DEVICES $(date +%s.%N)" >> gpus.log; touch "$1"\n'
    )
    set_up_profile(stubs.folder, gpus_by=gpus_by)
    on_slurm(cluster, stubs.folder, "--until", "train_leg", *config, seconds=240)
    seen: dict[str, list[float]] = {}
    for line in (stubs.folder / "gpus.log").read_text().splitlines():
        device, moment = line.split()
        seen.setdefault(device, []).append(float(moment))
    assert set(seen) <= {"0", "1"}, "each job sees one device"
    assert sum(map(len, seen.values())) == 2 * 2 * len(front_ends)
    for moments in seen.values():
        # Jobs of one device end before the next starts: sorted, each start is followed by its own end 5 s later.
        ordered = sorted(moments)
        assert all(end - start > 4.9 for start, end in zip(ordered[::2], ordered[1::2], strict=True))


def running(cluster: Cluster) -> dict[str, tuple[str, str]]:
    """Return part -> (SLURM's job id, node) of the fetch_clips jobs that run."""
    lines = cluster.tell("squeue", "--noheader", "--states=RUNNING", "--format=%i|%k|%N").splitlines()
    found = [line.split("|") for line in lines]
    return {comment.rsplit("_", 1)[1]: (job, node) for job, comment, node in found if "fetch_clips" in comment}


# The first try of each part but 0003 would take an hour; every try notes its job and its memory.
MISHAPS = """\
echo "$1 $SLURM_JOB_ID $(squeue --noheader --jobs=$SLURM_JOB_ID --format=%m | tr -d M)" >> tries.log
tried=$(basename $1).tried
case $1 in
  *part-0003*) sleep 25 ;;
  *) [ -e $tried ] || { touch $tried; sleep 3600; } ;;
esac
touch "$1"
"""


def tries(folder: Path) -> dict[str, list[tuple[str, int]]]:
    """Return part -> (SLURM's job id, megabytes) of every try so far."""
    found: dict[str, list[tuple[str, int]]] = {}
    log = folder / "tries.log"
    for line in log.read_text().splitlines() if log.exists() else ():
        path, job, memory = line.split()
        found.setdefault(path[-8:-4], []).append((job, int(memory)))
    return found


def test_a_run_survives_what_a_cluster_does_to_it(cluster: Cluster, stubs: StubRun) -> None:
    """scancel, a requeue as by preemption, a time limit, a drained node, and slurmctld restarted in between."""
    folder, parts = stubs.folder, ("0000", "0001", "0002", "0003")
    config = stubs.configure(SMALL)
    stubs.snakemake("--cores", 4, "--until", "select_clips", *config)
    (folder / "work.sh").write_text(MISHAPS)
    set_up_profile(folder)
    profile = folder / "workflow" / "profiles" / "slurm" / "config.yaml"
    profile.write_text(profile.read_text().replace("runtime: 720 *", "runtime: 1 *"))
    targets = [f"results/demo/manifests/part-{n}.csv" for n in parts]
    # --printshellcmds: Snakemake's own words, which tell what became of each of SLURM's jobs
    process = start_on_slurm(cluster, folder, *config, "--printshellcmds", "--", *targets)
    try:
        assert wait_until(lambda: set(running(cluster)) == set(parts) == set(tries(folder)), 120), cluster.logs()
        jobs = running(cluster)
        cluster.tell("scancel", jobs["0000"][0])
        cluster.tell("scontrol", "requeue", jobs["0001"][0])
        drained = jobs["0003"][1]
        cluster.tell("scontrol", "update", f"nodename={drained}", "state=drain", "reason=test")
        cluster.stop("slurmctld")
        time.sleep(3)
        cluster.start_controller()
        said = finish(process, folder, 400)
    finally:
        process.kill()
    cluster.tell("scontrol", "update", f"nodename={drained}", "state=resume")
    for part in parts:
        assert (folder / f"results/demo/manifests/part-{part}.csv").exists()
    tried = tries(folder)
    assert {part: len(found) for part, found in tried.items()} == {"0000": 2, "0001": 2, "0002": 2, "0003": 1}
    assert f"SLURM-job '{jobs['0000'][0]}' failed, SLURM status is: 'CANCELLED'" in said
    assert f"SLURM-job '{jobs['0002'][0]}' failed, SLURM status is: 'TIMEOUT'" in said
    assert tried["0000"][1][1] == 2 * tried["0000"][0][1], "a retry has more memory"
    assert tried["0001"][0] == tried["0001"][1], "a preempted job is requeued under its own id, as it was"


def small_copy(folder: Path, root: Path) -> StubRun:
    """Return a copy of the workflow, its work left in, whose options make presets/slurm-smoke.yaml smaller still."""
    made = StubRun(folder, root, work=None)
    less = {"demo": {"clips_per_class": 12, "dataset_clips_per_class": 5}}
    made.options = made.configure(less, preset="slurm-smoke")
    set_up_profile(made.folder, gpu_partition="main", gpus=0)
    return made


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory, root: Path) -> StubRun:
    """A copy where presets/slurm-smoke.yaml has been run without SLURM."""
    made = small_copy(tmp_path_factory.mktemp("smoke"), root)
    made.snakemake("--cores", 2, *made.options)
    return made


def test_the_same_tables_as_on_one_machine(cluster: Cluster, smoke: StubRun, tmp_path: Path, root: Path) -> None:
    """In a copy of its own, so that SLURM fetches, samples and trains everything itself."""
    through_slurm = small_copy(tmp_path, root)
    on_slurm(cluster, through_slurm.folder, *through_slurm.options, seconds=900)
    run = Path("results", "slurm-smoke")
    assert_same_tables(smoke.folder / run, through_slurm.folder / run)


def test_two_nodes_train_a_leg_like_one_process(cluster: Cluster, smoke: StubRun) -> None:
    """MultiWorkerMirroredStrategy over two slurmd, statistics of batches synchronised, against a single process.

    At the paper's learning rate: at a hundred times that, Adam's first steps, which go by a gradient's sign, turn the
    last digits of a sum into another path.
    """
    target = "results/{run}/models/music-linear/checkpoints/epoch-001.h5"
    both = smoke.folder / "both.yaml"
    both.write_text("train: {synchronised_batch_norm: true, learning_rate: 1.0e-5, batches_per_epoch: 6}\n")
    config = [*smoke.options, str(both)]
    for run in ("one", "two"):  # the shards of the run that is there, for both
        folder = smoke.folder / "results" / run
        folder.mkdir()
        for name in ("shards", "manifests", "clips", "segments", "attrition.csv", "attrition_by_label.csv"):
            subprocess.run(["cp", "-a", str(smoke.folder / "results" / "slurm-smoke" / name), str(folder)], check=True)
    options = ["--allowed-rules", "train_leg"]
    smoke.snakemake("--cores", 1, *options, *config, "--config", "run=one", "--", target.format(run="one"))
    profile = smoke.folder / "workflow" / "profiles" / "slurm" / "config.yaml"
    text = re.sub(r"(?m)^  nodes: \S+", "  nodes: 2", profile.read_text())
    profile.write_text(re.sub(r"(?m)^  node_cache: \S+", f"  node_cache: {smoke.folder}/local", text))
    on_slurm(cluster, smoke.folder, *options, *config, "--config", "run=two", "--", target.format(run="two"))
    said = (smoke.folder / "logs" / "two" / "train_leg" / "music-linear" / "epoch-001.log").read_text()
    assert "starting 2 tasks on n1, n2" in said
    assert "2 replicas" in said
    assert list((smoke.folder / "local").glob("l3net-*/part-*.h5")), "shards were copied to the nodes"
    with (
        h5py.File(smoke.folder / target.format(run="one")) as one,
        h5py.File(smoke.folder / target.format(run="two")) as two,
    ):
        for name in ("loss", "val_loss"):
            np.testing.assert_allclose(two["history"][name][()], one["history"][name][()], atol=1e-4, rtol=0)
