"""A SLURM of one's own on this machine: a controller and two nodes with two made-up GPUs each.

Debian's packages slurm-wlm and munge, and root. Jobs look for SLURM's configuration in
/etc/slurm and nowhere else; one that is not ours is left alone, and the tests with it.
"""

import contextlib
import fcntl
import os
import platform
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ETC = Path("/etc/slurm")
MARK = "# Made by the tests of a hyperparameter study, which may overwrite it.\n"

PROGRAMS = ("slurmctld", "slurmd", "munged", "squeue", "scontrol", "scancel")

NODES = {"n1": 16818, "n2": 16819}
GPUS = 2

CONFIGURATION = """\
ClusterName=study
SlurmctldHost={host}
SlurmctldPort=16817
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CommunicationParameters=NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
GresTypes=gpu
# Processors and memory are as many as is said here, not as there are.
SlurmdParameters=config_overrides
# No accounting database: finished jobs are remembered by the controller. What takes minutes on a
# real cluster takes seconds.
JobCompType=jobcomp/none
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
MinJobAge=7200
SlurmdTimeout=5
KillWait=5
ReturnToService=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName={nodes} NodeHostname={host} Port={ports} CPUs=4 RealMemory=40000 Gres=gpu:{gpus}
PartitionName=gpu Nodes={nodes} Default=YES MaxTime=INFINITE PriorityTier=1
PartitionName=urgent Nodes={nodes} MaxTime=INFINITE PriorityTier=2
"""


def missing() -> str:
    """Why there can be no SLURM of one's own here; empty where there can."""
    if not all(map(shutil.which, PROGRAMS)):
        return (
            "left out: SLURM's programs are not installed; `make test-cluster` does that on Debian"
        )
    if os.geteuid() != 0:
        return "left out: a SLURM of one's own takes root"
    there = ETC / "slurm.conf"
    if there.exists() and not there.read_text(encoding="utf-8").startswith(MARK):
        return f"left out: {there} is another SLURM's"
    return ""


@dataclass(frozen=True)
class Job:
    """A job as SLURM tells of it; times are seconds since the epoch, None while not known."""

    number: str
    state: str
    comment: str
    node: str
    gpus: int
    began: float | None
    ended: float | None


@dataclass
class Slurm:
    """The running programs, and what a test does to them."""

    folder: Path
    daemons: dict[str, subprocess.Popen] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.out").open("ab") as output:
            self.daemons[name] = subprocess.Popen(
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL
            )

    def start_node(self, name: str) -> None:
        self.start(name, "slurmd", "-D", "-N", name)

    def ask(self, *command: str) -> str:
        """What one of SLURM's commands prints."""
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def node_states(self) -> dict[str, str]:
        lines = self.ask("sinfo", "-h", "-N", "-p", "gpu", "-o", "%N %T").splitlines()
        return dict(line.split() for line in lines)

    def jobs(self) -> list[Job]:
        """All jobs that SLURM remembers."""
        lines = self.ask("scontrol", "--oneliner", "show", "jobs").splitlines()
        return [_job(line) for line in lines if line.startswith("JobId=")]

    def wait(self, what: str, condition: Callable[[], object], seconds: float = 180) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{what}: not within {seconds} s\n{self.logs()}"
            time.sleep(0.1)

    def wait_until_idle(self) -> None:
        def idle() -> bool:
            # The controller may not answer yet.
            with contextlib.suppress(AssertionError):
                return set(self.node_states().values()) == {"idle"}
            return False

        self.wait("idle nodes", idle)

    def kill_node(self, name: str) -> None:
        """As if its power went: the daemon and all processes of its jobs, at once."""
        running = {job.number for job in self.jobs() if job.node == name and job.state == "RUNNING"}
        self.daemons[name].kill()
        self.daemons[name].wait()
        _kill_processes_of(running)

    def logs(self) -> str:
        """The ends of all daemons' logs."""
        paths = sorted([*self.folder.glob("*.log"), *self.folder.glob("*.out")])
        return "\n".join(f"{path}:\n{path.read_text(errors='replace')[-2000:]}" for path in paths)

    def stop(self) -> None:
        """End all that was started, jobs first."""
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            mine = {job.number for job in self.jobs() if job.state in ("RUNNING", "COMPLETING")}
            self.ask("scancel", "--user=root")
            _kill_processes_of(mine)
        for daemon in reversed(self.daemons.values()):
            if daemon.poll() is None:
                daemon.send_signal(signal.SIGTERM)
        for daemon in self.daemons.values():
            try:
                daemon.wait(timeout=10)
            except subprocess.TimeoutExpired:
                daemon.kill()


def _job(line: str) -> Job:
    said = dict(re.findall(r"(\w+)=(\S*)", line))
    return Job(
        number=said["JobId"],
        state=said["JobState"],
        comment=said.get("Comment", ""),
        node=said["NodeList"],
        gpus=int(said.get("TresPerJob", "gpu:0").rpartition(":")[2]),
        began=_time(said["StartTime"]),
        ended=_time(said["EndTime"]),
    )


def _time(text: str) -> float | None:
    try:
        return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        return None


def _kill_processes_of(jobs: set[str]) -> None:
    """Kill SLURM's own processes for these jobs, and then those that the jobs started."""
    guards, others = [], []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            title = re.match(rb"slurmstepd: \[(\d+)", (process / "cmdline").read_bytes())
            variables = (process / "environ").read_bytes().split(b"\0")
            if title and title[1].decode() in jobs:
                guards.append(int(process.name))
            elif any(f"SLURM_JOB_ID={job}".encode() in variables for job in jobs):
                others.append(int(process.name))
    for number in guards + others:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Slurm]:
    """A SLURM that runs from `folder`; one at a time on this machine."""
    # munged will have no folder that others could write to.
    folder.chmod(0o755)
    ETC.mkdir(exist_ok=True)
    with (ETC / ".tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        configure(folder)
        slurm = Slurm(folder)
        try:
            start(slurm)
            yield slurm
        finally:
            slurm.stop()
            for name in ("slurm.conf", "gres.conf"):
                (ETC / name).unlink(missing_ok=True)


def start(slurm: Slurm) -> None:
    """Start munged, which vouches for users, then the controller and the nodes."""
    key = slurm.folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    files = [f"--{name}-file={slurm.folder}/munge.{name}" for name in ("key", "pid", "log", "seed")]
    socket = slurm.folder / "munge.socket"
    slurm.start("munged", "munged", "--foreground", "--force", f"--socket={socket}", *files)
    slurm.wait("munged's socket", socket.exists)
    slurm.start("slurmctld", "slurmctld", "-D")
    for name in NODES:
        slurm.start_node(name)
    slurm.wait_until_idle()


def configure(folder: Path) -> None:
    """Write SLURM's configuration, and the files that stand for GPUs."""
    (folder / "state").mkdir()
    devices = []
    for name in NODES:
        (folder / f"spool-{name}").mkdir()
        for number in range(GPUS):
            (folder / f"{name}-gpu{number}").touch()
        devices.append(f"NodeName={name} Name=gpu File={folder}/{name}-gpu[0-{GPUS - 1}]\n")
    (ETC / "gres.conf").write_text(MARK + "AutoDetect=off\n" + "".join(devices), encoding="utf-8")
    text = CONFIGURATION.format(
        host=platform.node().partition(".")[0],
        folder=folder,
        nodes=f"n[1-{len(NODES)}]",
        ports=f"[{min(NODES.values())}-{max(NODES.values())}]",
        gpus=GPUS,
    )
    (ETC / "slurm.conf").write_text(MARK + text, encoding="utf-8")
