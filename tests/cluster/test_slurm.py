"""The workflow on a real SLURM: whole studies through the profile, packed, and under failures."""

import json
import os
import re
import subprocess
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import forkserver
import own_slurm
from own_slurm import Job, Slurm
from small_study import ROOT, STUDY, Study, called_by_make, copy_code_for_make

# How many short runs share how many jobs, by minutes for each: in `make test`, and in full length.
FULL = os.environ.get("HYPOTHESIS_PROFILE") == "full"
SHORT_RUNS, SHARED_JOBS, JOB_MINUTES = (200, 16, 2.04) if FULL else (12, 2, 1)

GPUS = own_slurm.GPUS * len(own_slurm.NODES)


def varied(count: int, **changes: object) -> dict[str, object]:
    """A study of so many runs."""
    values = [round(number / (2 * count), 6) for number in range(count)]
    return {"experiments": {"dropout": {"vary": {"dropout": values}}}} | changes


SIX_RUNS = varied(6)

# Halving: all trials for an epoch in one step, a third of them for two more in the next.
HALVED = {
    "experiments": None,
    "data": STUDY["data"] | {"validation": {"from": "train", "size": 100}},
    "seeds": 1,
    "baseline": STUDY["baseline"] | {"epochs": 3},
    "search": {
        "tuned": {
            "space": {"learning_rate": {"low": 0.01, "high": 1.0, "log": True}},
            "trials": 6,
            "parallel": 6,
            "halving": {"min_epochs": 1, "reduction_factor": 3},
            "confirm": 1,
        }
    },
}

# All that is done to these is done while they train: they wait for it after an epoch.
EPOCHS, HOLD_AT = 40, 20
LONG_RUNS = varied(
    GPUS, baseline=STUDY["baseline"] | {"hidden": [64, 32], "batch_size": 4, "epochs": EPOCHS}
)


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    if reason := own_slurm.missing():
        pytest.skip(reason)
    with own_slurm.running(tmp_path_factory.mktemp("slurm")) as started:
        yield started


@pytest.fixture
def new_jobs(slurm):
    """The jobs that SLURM has been given since the test began."""
    slurm.wait_until_idle()
    before = {job.number for job in slurm.jobs()}
    return lambda: [job for job in slurm.jobs() if job.number not in before]


def made(folder: Path, **changes: object) -> Study:
    study = Study(folder)
    study.configure(**changes)
    return study


def words(study: Study, target: str, job_minutes: float = 0) -> list[str]:
    """`make {target} PROFILE=slurm`, as make says it, in a hurry to see that jobs have ended."""
    files = [f"CONFIG={study.folder}/study.yaml", f"FOLDER={study.folder}"]
    return [
        *called_by_make("PROFILE=slurm", *files)[:-2],
        "--slurm-init-seconds-before-status-checks=2",
        "--latency-wait=5",
        "--config",
        f"job_minutes={job_minutes}",
        "--",
        target,
    ]


def run(study: Study, target: str, job_minutes: float = 0) -> str:
    """Call Snakemake; in `make test` it and the jobs' programs are forks (tests/forkserver.py)."""
    done = subprocess.run(
        words(study, target, job_minutes),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1800,
        env=None if FULL else forkserver.environment(),
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def most_at_once(jobs: list[Job]) -> int:
    """GPUs in use at a time, at most; SLURM counts time in whole seconds."""
    changes = [(job.began, job.gpus) for job in jobs] + [(job.ended, -job.gpus) for job in jobs]
    in_use, most = 0, 0
    for _, change in sorted(changes):
        in_use += change
        most = max(most, in_use)
    return most


def allocations(study: Study) -> list[dict[str, str]]:
    paths = sorted(study.results.glob("runs/*/settings.json"))
    return [json.loads(path.read_text(encoding="utf-8"))["slurm"] for path in paths]


def test_a_study_runs_through_the_profile_with_a_gpu_for_each_job(slurm, new_jobs, tmp_path):
    study = made(tmp_path / "cluster", **SIX_RUNS)
    run(study, "report")
    assert (study.results / "report.en.md").exists()

    jobs = new_jobs()
    assert [job.state for job in jobs] == ["COMPLETED"] * 6
    assert {job.gpus for job in jobs} == {1}
    assert 1 < most_at_once(jobs) <= GPUS
    assert {given["SLURM_GPUS_ON_NODE"] for given in allocations(study)} == {"1"}
    assert {given["SLURM_JOB_ID"] for given in allocations(study)} == {job.number for job in jobs}

    local = made(tmp_path / "local", **SIX_RUNS)
    local.ok("metrics")
    assert study.content() == local.content()
    # Nothing is left to do, wherever it is asked for.
    assert "Nothing to be done" in study.ok("report").output


def test_many_short_runs_share_few_jobs(slurm, new_jobs, tmp_path, capsys):
    study = made(tmp_path / "cluster", **varied(SHORT_RUNS))
    start = time.monotonic()
    run(study, "metrics", JOB_MINUTES)
    seconds = time.monotonic() - start

    jobs = new_jobs()
    assert [job.state for job in jobs] == ["COMPLETED"] * SHARED_JOBS
    assert {job.gpus for job in jobs} == {1}
    assert len(list(study.results.glob("runs/*/settings.json"))) == SHORT_RUNS
    told = f"{SHORT_RUNS} runs in {len(jobs)} jobs: {seconds:.0f} s"
    if FULL:
        local = made(tmp_path / "local", **varied(SHORT_RUNS))
        start = time.monotonic()
        subprocess.run(local.command("metrics"), check=True, capture_output=True)
        told += f", {time.monotonic() - start:.0f} s without SLURM"
        assert study.content() == local.content()
    with capsys.disabled():
        print(f"\n{told}")


def test_trials_of_a_search_share_a_job_in_each_step(slurm, new_jobs, tmp_path, capsys):
    study = made(tmp_path / "cluster", **HALVED)
    start = time.monotonic()
    run(study, "metrics", JOB_MINUTES)
    seconds = time.monotonic() - start

    local = made(tmp_path / "local", **HALVED)
    local.ok("metrics")
    trials, expected = (
        pq.read_table(each.results / "search/tuned/trials.parquet") for each in (study, local)
    )
    assert trials == expected
    assert study.content() == local.content()
    epochs = trials["epochs"].to_pylist()
    assert sorted(epochs) == [1] * 4 + [3] * 2

    # Those of the first step in one, and those that go on in another.
    jobs = new_jobs()
    assert [job.state for job in jobs] == ["COMPLETED"] * 2
    assert {job.gpus for job in jobs} == {1}
    trained = Counter(
        (name, epoch, seed) for name, epoch, seeds in study.trained() for seed in seeds
    )
    assert set(trained.values()) == {1}
    assert len(trained) == sum(epochs)
    with capsys.disabled():
        print(f"\n{len(epochs)} trials in {len(jobs)} jobs: {seconds:.0f} s")


@pytest.mark.skipif(not FULL, reason="takes minutes: in full length, by make test-cluster")
def test_a_study_survives_what_happens_on_clusters(slurm, new_jobs, tmp_path):
    """A job is pre-empted, one cancelled, one comes to its time limit, a node loses its power."""
    code = tmp_path / "code"
    copy_code_for_make(code)
    study = made(tmp_path / "cluster", **LONG_RUNS)
    study.hold(HOLD_AT)
    output = tmp_path / "output"
    with output.open("w") as file:
        process = subprocess.Popen(words(study, "metrics"), cwd=code, stdout=file, stderr=file)
    try:
        victims = let_happen(slurm, study, new_jobs)
        study.release()
        assert process.wait(timeout=480) == 0, output.read_text() + slurm.logs()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()

    local = made(tmp_path / "local", **LONG_RUNS)
    local.snakefile = code / "Snakefile"
    local.ok("metrics")
    assert study.content() == local.content()

    said = output.read_text()
    for state in ("CANCELLED", "TIMEOUT"):
        assert f"SLURM status is: '{state}'" in said
    for victim, reason in {
        "pre-empted": "told to stop, .* pre-empted or requeued",
        "cancelled": r"told to stop, .* the job was cancelled \(CANCELLED\)",
        "timed out": r"told to stop, .* came to its time limit \(TIMEOUT\)",
        "on a dead node": "killed without a word, .* its node failed",
    }.items():
        log = (study.results / "runs" / victims[victim] / "training.log").read_text("utf-8")
        assert re.search(f"the attempt before was {reason}", log), log
    # Whoever was told to stop went on from its last epoch.
    trained = Counter(
        (name, epoch, seed) for name, epoch, seeds in study.trained() for seed in seeds
    )
    again = {name for (name, *_), times in trained.items() if times > 1}
    assert again <= {victims["on a dead node"]}


def let_happen(slurm: Slurm, study: Study, new_jobs) -> dict[str, str]:
    """Do to each job something else, while all of them train; the names of their runs."""

    def journalled() -> Counter:
        return Counter(name for name, *_ in study.trained())

    slurm.wait(
        "training of all runs",
        lambda: len(journalled()) == GPUS and min(journalled().values()) >= 3,
    )
    job_of = {job.comment.rpartition("wildcards_")[2]: job for job in new_jobs()}
    on = {
        node: [name for name, job in job_of.items() if job.node == node] for node in slurm.daemons
    }

    def state(name: str) -> str:
        return next(job.state for job in slurm.jobs() if job.number == job_of[name].number)

    cancelled, late = on["n1"]
    slurm.ask("scancel", job_of[cancelled].number)
    slurm.ask("scontrol", "update", f"JobId={job_of[late].number}", "EndTime=now")

    urgent = ["--partition=urgent", "--nodelist=n2", "--gpus=1", "--mem=100", "--no-requeue"]
    slurm.ask("sbatch", *urgent, "--output=/dev/null", "--wrap=sleep 1")
    slurm.wait("pre-emption", lambda: any(state(name) == "PENDING" for name in on["n2"]))
    [preempted] = [name for name in on["n2"] if state(name) == "PENDING"]
    [on_dead_node] = set(on["n2"]) - {preempted}
    assert state(on_dead_node) == "RUNNING"
    slurm.kill_node("n2")
    slurm.wait("death of the node", lambda: state(on_dead_node) == "PENDING")
    slurm.start_node("n2")
    # SLURM has both wait for two minutes. The dead node's job needs them: started while its end is
    # still being settled, it is killed as one that has no business on that node, and lost.
    slurm.ask("scontrol", "update", f"JobId={job_of[preempted].number}", "StartTime=now")
    return {
        "pre-empted": preempted,
        "cancelled": cancelled,
        "timed out": late,
        "on a dead node": on_dead_node,
    }
