"""The demo, whole, through SLURM: the tables of ``make run``, digit for digit.

It takes as long as the demo and some minutes more, so it runs only where it is asked for:
``make clean run && tests/slurm/run.sh --whole-demo``.
"""

import os
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.conftest import on_slurm, set_up_profile
from tests.slurm.tables import assert_same_tables
from tests.workflow.stub_run import StubRun

DEMO = Path("results", "demo")


@pytest.mark.skipif("WHOLE_DEMO" not in os.environ, reason="only by tests/slurm/run.sh --whole-demo")
@pytest.mark.timeout(3600)
def test_the_whole_demo_has_the_tables_of_one_machine(cluster: Cluster, tmp_path: Path, root: Path) -> None:
    assert (root / DEMO / "tables" / "summary.csv").exists(), "nothing to compare with: make clean run comes first"
    copy = StubRun(tmp_path, root, work=None)
    set_up_profile(copy.folder, gpu_partition="main", gpus=0)
    on_slurm(cluster, copy.folder, seconds=3500)
    assert_same_tables(root / DEMO, copy.folder / DEMO)
