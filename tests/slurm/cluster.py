"""A real SLURM of the tests' own: slurmctld, two slurmd and munged as child processes, on loopback, in one folder."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "sinfo", "scancel", "scontrol")
NODES = ("n1", "n2")
_STARTED_SECONDS = 60.0

CONFIG = """\
ClusterName=mini
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge/s
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,requeue_delay=1
ReturnToService=2
MinJobAge=300
KillWait=2
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=8 RealMemory=8000 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=8 RealMemory=8000 Gres=gpu:fake:2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=n2 MaxTime=INFINITE State=UP
"""
# Two GPUs that are only names of files: SLURM hands them out and counts them like real ones.
GRES = """\
AutoDetect=off
NodeName=n2 Name=gpu Type=fake File=/dev/null
NodeName=n2 Name=gpu Type=fake File=/dev/zero
"""
# Snakemake's job step takes SLURM_CONF out of the environment of what it starts, so the commands bring it back.
COMMAND = '#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {program} "$@"\n'


def missing_programs() -> list[str]:
    """Return the programs of SLURM and munge that this machine lacks."""
    return [name for name in PROGRAMS if _which(name) is None]


def _which(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/sbin")


class Cluster:
    """Starts the daemons in `folder` (a short path: it holds Unix sockets) and ends them by their process ids."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._daemons: dict[str, subprocess.Popen] = {}
        self.environment = {
            **os.environ,
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}:/usr/sbin",
        }

    def start(self) -> None:
        """Write the configuration, start every daemon and wait until both nodes are idle."""
        for name in ("munge", "state", "bin", "spool-n1", "spool-n2"):
            (self.folder / name).mkdir(parents=True)
        key = self.folder / "munge" / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        host = socket.gethostname().split(".")[0]
        text = CONFIG.format(host=host, user=getpass.getuser(), folder=self.folder, ports=_free_ports(3))
        (self.folder / "slurm.conf").write_text(text)
        (self.folder / "gres.conf").write_text(GRES)
        for name in PROGRAMS[3:]:
            command = self.folder / "bin" / name
            command.write_text(COMMAND.format(folder=self.folder, program=_which(name)))
            command.chmod(0o755)
        munge = self.folder / "munge"
        files = {"--key-file": "key", "--socket": "s", "--log-file": "log", "--pid-file": "pid", "--seed-file": "seed"}
        self._run("munged", "-F", "-f", *(word for flag, name in files.items() for word in (flag, str(munge / name))))
        self.start_controller()
        for node in NODES:
            self.start_node(node)
        self.wait_until_idle()

    def start_controller(self) -> None:
        """Start slurmctld; its state survives a restart."""
        self._run("slurmctld", "-D", "-f", str(self.folder / "slurm.conf"))

    def start_node(self, node: str) -> None:
        """Start the slurmd of a node."""
        self._run("slurmd", "-D", "-N", node, "-f", str(self.folder / "slurm.conf"), name=f"slurmd-{node}")

    def stop(self, name: str, seconds: float = 10.0) -> None:
        """End one daemon (munged, slurmctld, slurmd-n1, slurmd-n2)."""
        daemon = self._daemons.pop(name)
        daemon.terminate()
        try:
            daemon.wait(seconds)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def stop_all(self) -> None:
        """Cancel what is left and end every daemon, the last started first."""
        if "slurmctld" in self._daemons:
            wait_until(self._is_empty, 30.0)
        for name in reversed(list(self._daemons)):
            self.stop(name)

    def tell(self, *command: str) -> str:
        """Return what a command of SLURM prints; nothing where it fails."""
        ended = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)
        return ended.stdout.strip() if ended.returncode == 0 else ""

    def wait_until_idle(self) -> None:
        """Wait until every node takes jobs."""
        ready = wait_until(lambda: set(self._states()) == {"idle"}, _STARTED_SECONDS)
        assert ready, f"SLURM did not start: nodes are {self._states()}\n{self.logs()}"

    def logs(self) -> str:
        """Return the end of every daemon's log."""
        paths = sorted(self.folder.glob("*.log"))
        return "\n".join(f"== {path.name}\n{path.read_text(errors='replace')[-1500:]}" for path in paths)

    def _is_empty(self) -> bool:
        """Cancel what is in the queue; return whether nothing is left, running or ending."""
        self.tell("scancel", "--user", getpass.getuser())
        return not self.tell("squeue", "--noheader")

    def _states(self) -> list[str]:
        return self.tell("sinfo", "--noheader", "--Node", "--partition=main", "--format=%t").split()

    def _run(self, program: str, *options: str, name: str | None = None) -> None:
        log = (self.folder / f"{name or program}.out.log").open("a")
        self._daemons[name or program] = subprocess.Popen(
            [_which(program), *options],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def wait_until(is_done: Callable[[], bool], seconds: float) -> bool:
    """Ask `is_done` until it says so, for so many seconds; return what it says last."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if is_done():
            return True
        time.sleep(0.3)
    return is_done()


def _free_ports(n: int) -> list[int]:
    """Return `n` free ports, all held at once so that none is given twice."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [held.getsockname()[1] for held in sockets]
    for held in sockets:
        held.close()
    return ports
