"""Every training process gets a GPU of its own, or its share of one, and a dead one frees it."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import gpu_machine
from gpu_machine import WHOLE
from study.runs import gpus

SCRIPTS = Path(gpus.__file__).parents[2]

VARIABLES = ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID", "GPU_SLOTS")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Make this process see a machine with these GPUs."""
    # Set first, so that a slot's own change is taken back too.
    for variable in VARIABLES:
        monkeypatch.setenv(variable, "")
        monkeypatch.delenv(variable)

    def pretend(uuids):
        for variable, value in gpu_machine.environment(tmp_path / "machine", uuids).items():
            monkeypatch.setenv(variable, value)

    return pretend


def told_nothing(line):
    raise AssertionError(line)


# Which GPUs there are to choose from.


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        (WHOLE, WHOLE),
        (["GPU-aaaa", "MIG-1", "MIG-2", "GPU-bbbb"], ["MIG-1", "MIG-2", "GPU-bbbb"]),
        ([], []),
    ],
)
def test_the_drivers_list_is_read(machine, listed, found):
    machine(listed)
    assert gpus.installed() == found


def test_without_the_drivers_program_there_are_none(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpus.installed() == []


@pytest.mark.parametrize(
    ("environment", "choice"),
    [
        ({}, {"GPU-aaaa": "GPU-aaaa", "GPU-bbbb": "GPU-bbbb"}),
        # Several that were named: among those, by the name that other processes know them by.
        ({"CUDA_VISIBLE_DEVICES": "1,0"}, {"1": "GPU-bbbb", "0": "GPU-aaaa"}),
        (
            {"CUDA_VISIBLE_DEVICES": "GPU-b, GPU-aaaa"},
            {"GPU-b": "GPU-bbbb", "GPU-aaaa": "GPU-aaaa"},
        ),
        ({"CUDA_VISIBLE_DEVICES": "0,5"}, {"0": "GPU-aaaa", "5": "5"}),
        # One that was named is taken as it is.
        ({"CUDA_VISIBLE_DEVICES": "1"}, {}),
        ({"CUDA_VISIBLE_DEVICES": "1,-1,0"}, {}),
        ({"CUDA_VISIBLE_DEVICES": ""}, {}),
        ({"CUDA_VISIBLE_DEVICES": "NoDevFiles"}, {}),
        # SLURM's: one, several, and none for a job without any.
        ({"SLURM_JOB_ID": "7", "CUDA_VISIBLE_DEVICES": "0"}, {}),
        (
            {"SLURM_JOB_ID": "7", "CUDA_VISIBLE_DEVICES": "0,1"},
            {"0": "GPU-aaaa", "1": "GPU-bbbb"},
        ),
        ({"SLURM_JOB_ID": "7"}, {}),
    ],
)
def test_what_the_user_or_a_scheduler_named_is_honoured(machine, environment, choice):
    machine(WHOLE)
    assert gpus.at_choice(environment) == choice


# Whether a config that demands one can be refused at once.


@pytest.mark.parametrize("name", ["nvidia0", "nvidia12", "nvhost-gpu", "dxg", "kfd"])
def test_a_gpu_that_shows_in_dev_is_not_absent(machine, tmp_path, name):
    (tmp_path / name).touch()
    assert not gpus.are_absent(tmp_path)


def test_without_a_device_file_or_with_all_hidden_they_are_absent(machine, tmp_path, monkeypatch):
    for name in ("null", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert gpus.are_absent(tmp_path)
    (tmp_path / "nvidia0").touch()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert gpus.are_absent(tmp_path)


# Slots.


def holding(stack, monkeypatch, per_gpu=1, named=None):
    """Take a slot until `stack` ends; the GPU that CUDA would see."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if named is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    stack.enter_context(gpus.slot("cuda", per_gpu, lambda line: None))
    return os.environ["CUDA_VISIBLE_DEVICES"]


@pytest.mark.parametrize("per_gpu", [1, 2, 3])
def test_all_gpus_get_their_first_run_before_any_gets_a_second(machine, monkeypatch, per_gpu):
    machine(WHOLE)
    with contextlib.ExitStack() as stack:
        found = [holding(stack, monkeypatch, per_gpu) for _ in range(2 * per_gpu)]
    assert found == WHOLE * per_gpu


def test_an_index_and_a_uuid_are_the_same_gpu(machine, monkeypatch):
    machine(WHOLE)
    with contextlib.ExitStack() as stack:
        assert holding(stack, monkeypatch) == "GPU-aaaa"
        assert holding(stack, monkeypatch, named="0,1") == "1"


@pytest.mark.parametrize("wanted", ["cpu", "mps"])
def test_no_slot_is_taken_for_another_device(machine, wanted):
    machine(WHOLE)
    with gpus.slot(wanted, 1, told_nothing):
        assert "CUDA_VISIBLE_DEVICES" not in os.environ
    assert not gpus.folder().exists()


def test_a_gpu_that_was_assigned_is_shared_without_waiting(machine, monkeypatch):
    """Two runs of a user who named one GPU, or two shares that SLURM gave of one."""
    machine(WHOLE)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    with gpus.slot("cuda", 1, told_nothing), gpus.slot("auto", 1, told_nothing):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"


def test_where_all_are_taken_one_waits_and_says_so_once(machine, monkeypatch):
    machine(["GPU-aaaa"])
    monkeypatch.setattr(gpus, "PAUSE", 0.01)
    lines = []
    with contextlib.ExitStack() as stack:
        holding(stack, monkeypatch)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
        threading.Timer(0.2, stack.pop_all().close).start()
        with gpus.slot("auto", 1, lines.append):
            assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-aaaa"
    assert lines == [f"waiting for one of 1 GPU slots ({gpus.folder()})", "on GPU GPU-aaaa"]


# A process that holds a slot leaves a file for its GPU, which no other may have left: a witness
# that has nothing to do with the locks. A doomed one dies with the slot in its hands.
HOLDER = """
import os, random, signal, sys, time
from pathlib import Path
from study.runs import gpus

witnesses, fate = Path(sys.argv[1]), sys.argv[2]
gpus.PAUSE = 0.002
with gpus.slot("cuda", 1, lambda line: None):
    witness = witnesses / os.environ["CUDA_VISIBLE_DEVICES"]
    os.close(os.open(witness, os.O_CREAT | os.O_EXCL))
    time.sleep(random.uniform(0, 0.02))
    print(witness.name, len(os.listdir(witnesses)), flush=True)
    witness.unlink()
    if fate == "doomed":
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_two_studies_share_two_gpus_and_never_hold_one_twice(machine, tmp_path):
    """200 grabs by as many processes, eight at a time, every fifth of which is killed."""
    machine(WHOLE)
    (tmp_path / "witnesses").mkdir()
    studies = [tmp_path / name for name in ("one", "other")]
    for study in studies:
        study.mkdir()

    def grab(study, fate):
        # Each study has a folder and a TMPDIR of its own, as two people's would.
        return subprocess.run(
            # Without site-packages, which it does not need, it is there in half the time.
            [sys.executable, "-S", "-c", HOLDER, tmp_path / "witnesses", fate],
            cwd=study,
            env=os.environ | {"PYTHONPATH": str(SCRIPTS), "TMPDIR": str(study)},
            capture_output=True,
            text=True,
            timeout=60,
        )

    fates = list(itertools.islice(itertools.cycle(["doomed", *["spared"] * 4]), 100))
    with ThreadPoolExecutor(4) as one, ThreadPoolExecutor(4) as other:
        pools = zip(studies, (one, other), strict=True)
        ends = [pool.map(grab, itertools.repeat(study), fates) for study, pool in pools]
        ends = [list(ended) for ended in ends]

    for ended in ends:
        for fate, done in zip(fates, ended, strict=True):
            assert done.returncode == {"doomed": -signal.SIGKILL, "spared": 0}[fate], done.stderr
    held = [done.stdout.split() for done in itertools.chain(*ends)]
    assert len(held) == 200
    assert {gpu for gpu, _ in held} == set(WHOLE)
    assert max(int(at_once) for _, at_once in held) == len(WHOLE)
