"""Killed at any moment, damaged in any file: what is finished stays, the rest is redone."""

import itertools
import json
import os
import random
import signal
import subprocess
import time
from collections import Counter

import pytest

import forkserver
from small_study import STUDY, Study, copy_code
from study.runs import checkpoint
from study.runs.replicates import SAVING_SHARE

# How often the study is killed: `make test` and `make test-full`.
FULL = os.environ.get("HYPOTHESIS_PROFILE") == "full"
KILLS = 20 if FULL else 4

# Long enough to be killed in the middle, again and again.
LONG = {
    "baseline": STUDY["baseline"]
    | {"hidden": [64, 32], "batch_size": 4, "epochs": 100 if FULL else 40},
    "seeds": 2,
}


def journal_lines(study: Study) -> int:
    return len(study.trained())


def kill_once(study: Study, moment: random.Random, past_first_epoch: bool) -> bool:
    """Start the study and kill all its processes; whether it had trained an epoch till then."""
    before = journal_lines(study)
    process = subprocess.Popen(
        study.command("metrics"),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if past_first_epoch:
        deadline = time.monotonic() + 60
        while journal_lines(study) <= before + 1 and process.poll() is None:
            assert time.monotonic() < deadline, "no epoch was trained within a minute"
            time.sleep(0.02)
        time.sleep(moment.uniform(0, 0.6))
    else:
        time.sleep(moment.uniform(0, 4))
    alive = process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # Snakemake's jobs are in its group; none is left.
    study.ok("--unlock")
    return alive and journal_lines(study) > before


def saving_interval(study: Study) -> float:
    """Seconds between two savings, by the slowest of a few, with an allowance for noise."""
    path = next(study.results.glob("runs/*/state.safetensors"))
    saved = checkpoint.read_checkpoint(path)
    trial = path.with_name("trial.safetensors")
    durations = []
    for _ in range(5):
        start = time.monotonic()
        checkpoint.write(trial, saved)
        durations.append(time.monotonic() - start)
    trial.unlink()
    return 3 * SAVING_SHARE * max(durations)


def trained_twice(study: Study) -> list[float]:
    """For each epoch that a kill made to be trained again: seconds between it and the last one."""
    lost = []
    for path in study.results.glob("runs/*/journal.jsonl"):
        entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        ends = {entry["pid"]: entry["time"] for entry in entries}
        seen = {}
        for entry in entries:
            for seed in entry["seeds"]:
                before = seen.get((entry["epoch"], seed))
                if before:
                    lost.append(ends[before["pid"]] - before["time"])
                seen[entry["epoch"], seed] = entry
    return lost


def test_a_study_killed_at_random_moments_ends_with_the_same_bytes(tmp_path, capsys):
    """SIGKILL to everything; three in four while a job is past its first epoch."""
    undisturbed = Study(tmp_path / "undisturbed")
    undisturbed.configure(**LONG)
    undisturbed.ok("metrics")

    study = Study(tmp_path / "killed")
    study.configure(**LONG)
    moment = random.Random(0)
    in_training = sum(
        kill_once(study, moment, past_first_epoch=kill % 4 != 0) for kill in range(KILLS)
    )
    study.ok("metrics")

    assert study.content() == undisturbed.content()
    assert in_training >= 0.6 * KILLS
    lost, interval = trained_twice(study), saving_interval(study)
    with capsys.disabled():
        print(
            f"\n{KILLS} kills, {in_training} of them past an epoch: {len(lost)} epochs of single "
            f"replicates trained twice, at most {max(lost, default=0):.2f} s before the last one"
        )
    # Lost is what was trained since the last saving: an interval, and the epoch that it ends in.
    assert max(lost, default=0) <= interval + 1


def test_a_job_told_to_stop_saves_its_last_epoch(study):
    """SIGTERM, as a cluster sends before a time limit: no finished epoch is trained again."""
    study.configure(**LONG)
    process = subprocess.Popen(
        study.command("metrics"),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while journal_lines(study) < 4:
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(timeout=60)
    study.ok("metrics")
    times = Counter((run, epoch, seed) for run, epoch, seeds in study.trained() for seed in seeds)
    assert set(times.values()) == {1}


def damage(path, how: str) -> None:
    content = bytearray(path.read_bytes())
    if how == "emptied":
        content = bytearray()
    elif how == "truncated":
        content = content[: len(content) // 2]
    else:
        content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture(scope="module")
def with_final(tmp_path_factory) -> Study:
    study = Study(tmp_path_factory.mktemp("with_final"))
    study.configure(final={"dropout": 0.2})
    study.ok()
    return study


DAMAGES = ["emptied", "truncated", "bit flipped"]

FILES = [
    "data/MnistLike/train-images-idx3-ubyte",
    "data/MnistLike/test-labels-idx1-ubyte",
    "data/MnistLike/checksums.sha256",
    "runs/*/record.parquet",
    "runs/*/weights.safetensors",
    "runs/*/settings.json",
    "plan.json",
    "metrics.parquet",
    "summary.parquet",
    "comparisons.parquet",
    "final.safetensors",
    "model/model.onnx",
    "figures/dropout.en.png",
    "figures/final_confusion.en.svg",
    "report.en.md",
    "report.en.html",
]

EACH_ALONE = [[case] for case in itertools.product(FILES, DAMAGES)]
# Several at once, of which none hides another: one of the data, one of a run.
TOGETHER = [
    list(zip(FILES[first::3], itertools.cycle(DAMAGES), strict=False)) for first in range(3)
]


@pytest.mark.parametrize("cases", EACH_ALONE if FULL else TOGETHER)
def test_damaged_files_are_found_and_made_anew_without_training(with_final, cases):
    study = with_final
    damages = {sorted(study.results.glob(pattern))[0]: how for pattern, how in cases}
    whole, before = {path: path.read_bytes() for path in damages}, study.trained()
    for path, how in damages.items():
        damage(path, how)
    told = study.ok().output.partition("Job stats")[0]
    assert study.newly_trained(before) == 0
    for path in damages:
        assert str(path.relative_to(study.folder)) in told
        if path.name == "settings.json":
            made = [json.loads(text)["replicates"] for text in (path.read_bytes(), whole[path])]
            assert made[0] == made[1]
        elif path.suffix != ".parquet":
            assert path.read_bytes() == whole[path]
    assert "Nothing to be done" in study.ok().output


def test_a_damaged_state_is_never_gone_on_from(with_final, tmp_path):
    study = with_final.copy(tmp_path / "copy")
    damage(next(study.results.glob("runs/*dropout0.0*/state.safetensors")), "bit flipped")
    study.configure(baseline=STUDY["baseline"] | {"epochs": 3}, final={"dropout": 0.2})
    before = study.trained()
    study.ok("metrics")
    # One run goes on by one epoch, the other starts again, with two seeds each.
    assert study.newly_trained(before) == 2 * 1 + 2 * 3
    log = next(study.results.glob("runs/*dropout0.0*/train.log")).read_text(encoding="utf-8")
    assert "training anew" in log


def test_two_snakemakes_in_one_folder_do_not_harm_each_other(study):
    study.configure(**LONG)
    first = subprocess.Popen(
        study.command("metrics"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=forkserver.environment(),
    )
    while journal_lines(study) < 2:
        assert first.poll() is None
        time.sleep(0.02)
    assert "LockException" in study.run("metrics").output
    assert first.wait(timeout=120) == 0
    times = Counter((run, epoch, seed) for run, epoch, seeds in study.trained() for seed in seeds)
    assert set(times.values()) == {1}


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small tmpfs cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_is_told_and_loses_nothing(small_disk):
    study = Study(small_disk)
    study.configure(baseline=STUDY["baseline"] | {"hidden": [512, 128]})
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(300_000))
    result = study.run("metrics")
    assert result.returncode != 0
    assert "No space left on device" in result.output
    ballast.unlink()
    subprocess.run(["mount", "-o", "remount,size=40m", small_disk], check=True)
    study.ok("metrics")

    roomy = Study(small_disk / "roomy")
    roomy.configure(baseline=STUDY["baseline"] | {"hidden": [512, 128]})
    roomy.ok("metrics")
    assert study.content() == roomy.content()


def test_a_bug_stops_its_run_alone_and_is_not_repeated_until_the_code_changes(study, tmp_path):
    code = tmp_path / "clone"
    copy_code(code)
    study.snakefile = code / "Snakefile"
    module = code / "scripts" / "study" / "runs" / "replicates.py"
    right = module.read_text(encoding="utf-8")
    tries = tmp_path / "tries"
    broken = "def extend(*arguments):\n    if arguments[0].settings['dropout'] == 0.2:\n        "
    broken += f"open({str(tries)!r}, 'a').write('.')\n        "
    broken += "return 1 / 0\n    return _extend(*arguments)\n"
    module.write_text(right.replace("def extend(", "def _extend(") + "\n\n" + broken, "utf-8")

    result = study.run("metrics")
    assert result.returncode != 0
    [failure] = study.results.glob("runs/*/failure.json")
    assert "dropout0.2" in failure.parent.name
    assert json.loads(failure.read_text(encoding="utf-8"))["kind"] == "bug"
    assert [path.parent.name for path in study.results.glob("runs/*/record.parquet")] != []
    log = failure.with_name("train.log").read_text(encoding="utf-8")
    # The profile's second attempt has ended at once, with the message of the first.
    assert "ZeroDivisionError: division by zero" in log
    assert "This is a bug and would come again" in log
    assert tries.read_text(encoding="utf-8") == "."

    module.write_text(right, encoding="utf-8")
    study.ok("metrics")
    assert not failure.exists()
