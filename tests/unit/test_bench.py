import argparse
import functools
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from ruamel.yaml import YAML
from torch.utils.flop_counter import FlopCounterMode

import compare
import data_loader
import evaluation
import figure
import in_memory
import machine
import measure
import output
import own_model
import page
import peer
import reference_study
import results
import split
from measure import Measured
from reference_study import TRAININGS, Training
from results import DATA_LOADER, IN_MEMORY, OPTUNA, RAY_TUNE
from study.spec.config import load
from study.spec.resolution import resolve

IMAGES = {"train": 60, "t10k": 20}


@pytest.fixture(autouse=True)
def one_thread():
    """Networks this small gain nothing by more, and on a busy machine lose much."""
    torch.set_num_threads(1)


@pytest.fixture
def idx_folder(tmp_path):
    """Files as Fashion-MNIST's, with a few images that are bright where their class says."""
    random = np.random.default_rng(0)
    folder = tmp_path / "data"
    folder.mkdir()
    for part, images in IMAGES.items():
        labels = np.arange(images, dtype=np.uint8) % 10
        pixels = random.integers(0, 100, (images, 28, 28), np.uint8)
        pixels[np.arange(images), labels] = 255
        shape = np.array([images, 28, 28], ">u4").tobytes()
        (folder / f"{part}-images-idx3-ubyte").write_bytes(
            b"\0\0\x08\x03" + shape + pixels.tobytes()
        )
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(
            b"\0\0\x08\x01" + shape[:4] + labels.tobytes()
        )
    return folder


def test_the_study_has_24_trainings_of_290_epochs_in_seven_groups():
    groups = Counter(training.name.partition("=")[0] for training in TRAININGS)
    assert groups == {
        "learning_rate": 3,
        "optimizer": 2,
        "dropout": 4,
        "hidden": 4,
        "epochs": 5,
        "batch_size": 5,
        "final": 1,
    }
    assert sum(training.epochs for training in TRAININGS) == 290
    assert len({training.name for training in TRAININGS}) == 24


def test_the_study_is_that_of_the_default_config():
    config = YAML(typ="safe").load(compare.ROOT / "config.yaml")
    varied = {
        name: [tuple(value) if isinstance(value, list) else value for value in values]
        for experiment in config["experiments"].values()
        for name, values in experiment["vary"].items()
    }
    assert varied == reference_study.EXPERIMENTS
    baseline = {**config["baseline"], "hidden": tuple(config["baseline"]["hidden"])}
    assert replace(Training("baseline"), **baseline) == Training("baseline")
    assert replace(Training("final"), **config["final"]) == TRAININGS[-1]


def test_equal_trainings_are_shared_by_the_longest():
    shared = reference_study.shared(TRAININGS)
    assert len(shared) == 15
    assert sum(training.epochs for training in shared) == 190
    assert "epochs=30" in {training.name for training in shared}
    assert reference_study.shared([Training("a", epochs=3), Training("b", epochs=2)]) == [
        Training("a", epochs=3)
    ]


def test_arithmetic_of_the_study():
    def tflop(trainings):
        return sum(training.flop for training in trainings) / 1e12

    assert tflop(TRAININGS) == pytest.approx(9.266304, abs=1e-6)
    assert tflop(reference_study.shared(TRAININGS)) == pytest.approx(6.539904, abs=1e-6)


@pytest.mark.parametrize("hidden", [(128, 64), (32,), (40, 30, 20)])
def test_arithmetic_of_a_training_is_what_torch_counts(hidden):
    training = Training("counted", hidden=hidden, epochs=1)
    model = in_memory.network(training)
    images = torch.zeros(reference_study.TRAINING_IMAGES, 784)
    with FlopCounterMode(display=False) as counter:
        model(images).sum().backward()
    assert training.flop == counter.get_total_flops()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(images[: reference_study.VALIDATION_IMAGES])
    assert training.evaluation_flop == counter.get_total_flops()


def test_both_peers_read_the_same_pixels_and_classes(idx_folder):
    memory = in_memory.open_data(idx_folder).keywords
    loader = data_loader.open_data(idx_folder).keywords
    for images, labels, dataset in [
        ("images", "labels", loader["images"]),
        ("validation_images", "validation_labels", loader["validation_images"]),
    ]:
        pixels = torch.stack([image.flatten() for image, _ in dataset])
        torch.testing.assert_close(memory[images], pixels)
        assert memory[labels].tolist() == [label for _, label in dataset]


@pytest.mark.parametrize("module", [in_memory, data_loader])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_peers_learn(module, optimizer, idx_folder):
    torch.manual_seed(0)
    rate = {"sgd": 0.05, "adam": 0.001}[optimizer]
    training = Training("made up", optimizer, learning_rate=rate, batch_size=7, epochs=20)
    epochs = list(module.open_data(idx_folder)(training))
    assert len(epochs) == 20
    assert epochs[-1].train_loss < epochs[0].train_loss
    assert epochs[-1].validation_accuracy > 0.9


@pytest.mark.parametrize("module", [in_memory, data_loader])
def test_peers_print_and_write_their_times(module, idx_folder, tmp_path, monkeypatch, capsys):
    times = tmp_path / "times.json"
    arguments = ["--data", idx_folder, "--cores", 1, "--max-epochs", 1, "--json", times]
    monkeypatch.setattr(sys, "argv", ["peer", *map(str, arguments), "--only", "batch_size"])
    peer.run("a peer", peer.one_by_one(module.open_data))

    trainings = json.loads(times.read_text())["trainings"]
    assert [training["name"] for training in trainings] == [
        f"batch_size={size}" for size in (32, 64, 100, 128, 256)
    ]
    assert {training["epochs_trained"] for training in trainings} == {1}
    assert {training["epochs"] for training in trainings} == {10}
    printed = capsys.readouterr().out
    assert "batch_size=256" in printed
    assert "5 trainings, 5 epochs: " in printed


@pytest.mark.parametrize(
    ("tool", "program"), [("ray", "ray_tune.py"), ("optuna", "optuna_joblib.py")]
)
def test_tools_train_what_the_loop_alone_trains(tool, program, idx_folder, tmp_path):
    """As many epochs as asked, each training under its seed, and with no process left behind."""
    # Ray is the benchmark's alone.
    pytest.importorskip(tool, reason=f"{tool} is not installed: make bench does it")
    arguments = ["--data", idx_folder, "--only", "batch_size", "--max-epochs", 2, "--seed", 3]
    trainings = []
    for name, cores in [("in_memory.py", 1), (program, 2)]:
        times = tmp_path / f"{name}.json"
        command = [sys.executable, compare.BENCH / name, *arguments, "--cores", cores]
        mark = {"BENCHMARK_TEST": str(tmp_path)}
        subprocess.run(
            [*map(str, command), "--json", str(times)], env=os.environ | mark, check=True
        )
        trainings.append(json.loads(times.read_text())["trainings"])
    alone, under_the_tool = (
        {
            training["name"]: [
                training[name]
                for name in ("epochs", "epochs_trained", "train_accuracy", "validation_accuracy")
            ]
            for training in found
        }
        for found in trainings
    )
    assert under_the_tool == alone
    assert len(alone) == 5
    marked = [process for process in psutil.process_iter() if environment(process) == str(tmp_path)]
    # The last of them end a moment after the program.
    assert psutil.wait_procs(marked, timeout=60)[1] == []


def environment(process):
    try:
        return process.environ().get("BENCHMARK_TEST", "")
    except psutil.Error:
        return ""


def test_work_is_shortened_and_begins_with_the_longest():
    work = peer.Work(TRAININGS, Path("data"), cores=2, seed=0, max_epochs=7)
    assert [training.epochs for training in work.longest_first()][:3] == [30, 30, 20]
    assert work.shortened(TRAININGS[0]).epochs == 7
    assert work.shortened(Training("short", epochs=5)).epochs == 5
    assert replace(work, max_epochs=None).shortened(TRAININGS[0]) == TRAININGS[0]


def test_peers_name_the_missing_file(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["peer", "--data", str(tmp_path)])
    with pytest.raises(SystemExit, match="2"):
        peer.run("a peer", peer.one_by_one(in_memory.open_data))
    assert f"{tmp_path}: no train-images-idx3-ubyte" in capsys.readouterr().err


def test_a_shortened_trial_is_scaled_by_epochs_and_its_start_up_is_not():
    times = {
        "at_once": 1,
        "trainings": [
            {"seconds": 8.0, "seconds_an_epoch": 8.0, "epochs": 10},
            {"seconds": 10.0, "seconds_an_epoch": 10.0, "epochs": 30},
        ],
    }
    measured = compare.scaled(Measured(20.0, 40.0, 500.0, 900.0), times)
    assert measured == Measured(pytest.approx(382.0), pytest.approx(764.0), 500.0, 900.0)
    two_at_once = compare.scaled(Measured(11.0, 40.0, 500.0, 900.0), times | {"at_once": 2})
    assert two_at_once.seconds == pytest.approx(192.0)


def test_a_command_is_measured_with_its_children(tmp_path):
    child = "bytearray(80_000_000); sum(range(5_000_000))"
    command = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    measured = measure.run([sys.executable, "-c", command], tmp_path / "log")
    assert measured.peak_mb > 80
    assert measured.together_mb >= measured.peak_mb
    assert 0 < measured.core_seconds < 10
    assert measured.seconds > 0


def test_memory_of_processes_is_summed_and_the_most_of_it_kept():
    sampler = measure.Sampler(psutil.Process().pid)
    process = psutil.Process()
    sampler.sample([process])
    alone = sampler.together
    sampler.sample([process, process])
    assert sampler.together == pytest.approx(2 * alone, rel=0.2)
    sampler.sample([])
    assert sampler.together == pytest.approx(2 * alone, rel=0.2)
    assert list(sampler.processor_seconds) == [process]


def test_a_failed_command_is_told_with_its_last_lines(tmp_path):
    with pytest.raises(measure.CommandFailedError, match=r"(?s)this failed: .*no such pixel"):
        measure.run([sys.executable, "-c", "raise SystemExit('no such pixel')"], tmp_path / "log")


def test_times_scale_but_memory_does_not():
    assert Measured(1.0, 2.0, 3.0, 4.0).times(5) == Measured(5.0, 10.0, 3.0, 4.0)
    assert Measured(1.0, 2.0, 3.0, 4.0, 6.0).times(2).joules == 12.0


def test_energy_is_that_of_processors_and_counts_on_past_its_range(tmp_path):
    for name, reading in [("intel-rapl:0", 5_000_000), ("intel-rapl:1", 9_000_000)]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "energy_uj").write_text(f"{reading}\n")
        (tmp_path / name / "max_energy_range_uj").write_text("10000000\n")
    (tmp_path / "intel-rapl:0:0").mkdir()
    before = machine.energy(tmp_path)
    assert sorted(before.values()) == [5_000_000, 9_000_000]
    (tmp_path / "intel-rapl:0/energy_uj").write_text("7000000\n")
    (tmp_path / "intel-rapl:1/energy_uj").write_text("1000000\n")
    assert machine.joules(before, machine.energy(tmp_path)) == pytest.approx(2 + 2)


def test_energy_that_cannot_be_read_is_none(tmp_path):
    assert machine.joules(machine.energy(tmp_path), machine.energy(tmp_path)) is None
    (tmp_path / "intel-rapl:0").mkdir()
    assert machine.energy(tmp_path) == {}


# A benchmark of two rounds, made up.


def one_round(one_seed, five_seeds, in_memory_seconds, ray, data_loader_seconds, gflop):
    seconds = {
        results.ours(1): one_seed,
        results.ours(5): five_seeds,
        IN_MEMORY: in_memory_seconds,
        RAY_TUNE: ray,
        OPTUNA: ray - 10,
        DATA_LOADER: data_loader_seconds,
    }
    parts = {
        **dict.fromkeys(split.JOB_PARTS, five_seeds / 8),
        **dict.fromkeys(split.AROUND, five_seeds / 6),
    }
    return {
        "rate": {
            "cores": 2,
            "gflop_per_second": gflop,
            "trainings_seconds": 53.0,
            "shared_seconds": 37.0,
        },
        "order": list(seconds),
        "measured": {
            way: asdict(Measured(time, 2 * time, 600, 800)) for way, time in seconds.items()
        },
        "split": {results.ours(1): parts, results.ours(5): parts},
        "extension": {"plan_seconds": 1.0, "seconds": 40.0, "epochs_seconds": 30.0},
    }


@pytest.fixture
def content():
    return {
        "date": "2026-01-31",
        "commit": "0123456789ab",
        "trial": False,
        "machine": {"CPU": "of a kind"},
        "cores": 2,
        "seeds": [1, 5],
        "data_loader_scaled": True,
        "rounds": [
            one_round(100.0, 300.0, 300.0, 310.0, 2500.0, 196.0),
            one_round(120.0, 360.0, 300.0, 300.0, 2700.0, 98.0),
        ],
    }


def cells(table, line):
    return [cell.strip() for cell in table.splitlines()[line].strip("|").split("|")]


def row(table, name):
    lines = (cells(table, line) for line in range(len(table.splitlines())))
    return next(found for found in lines if found[0] == name)


def test_ratios_are_taken_within_a_round(content):
    ratios = results.ratios(content)
    assert ratios["in memory / workflow, 1 seed"] == pytest.approx([3.0, 2.5])
    assert ratios["DataLoader / workflow, 1 seed"] == pytest.approx([25.0, 22.5])
    assert ratios["5 x Ray Tune / workflow, 5 seeds"] == pytest.approx(
        [5 * 310 / 300, 5 * 300 / 360]
    )
    assert ratios["Ray Tune / in memory"] == pytest.approx([310 / 300, 1.0])


def test_what_was_skipped_is_in_no_ratio_and_its_target_not_measured(content):
    for one in content["rounds"]:
        del one["measured"][RAY_TUNE]
    assert not [name for name in results.ratios(content) if RAY_TUNE in name]
    verdicts = {target.name: target.verdict for target in results.targets(content)}
    assert verdicts["Ray Tune / workflow, 1 seed"] == "not measured"
    assert verdicts["in memory / workflow, 1 seed"] == "reached"


def test_limits_grow_with_seeds(content):
    rate = content["rounds"][0]["rate"]
    one, five = results.limits(rate, 1), results.limits(rate, 5)
    assert [round(limit["seconds"]) for limit in one] == [47, 33]
    assert [round(limit["seconds"]) for limit in five] == [236, 167]
    assert five[1]["trainings"] == 15
    assert five[1]["epochs"] == 950
    assert cells(results.limits_table(content), 2)[:6] == [
        "separate trainings",
        "1",
        "24",
        "290",
        "9.27",
        "0.73",
    ]


def test_the_distance_to_the_limit_goes_by_the_rate_of_its_round(content):
    near, far = results.distances(content, 5)
    assert near == pytest.approx(300 / 166.8, rel=1e-3)
    assert far == pytest.approx(360 / (2 * 166.8), rel=1e-3)


def test_targets_are_judged_by_medians_in_their_own_direction(content):
    found = {target.name: (target.value, target.verdict) for target in results.targets(content)}
    assert found["five seeds / arithmetic limit"][1] == "reached"
    assert found["DataLoader / workflow, 1 seed"] == (pytest.approx(23.75), "reached")
    assert found["report after one more value, beyond its run's epochs"] == (10.0, "reached")
    assert found["plan of the finished study"] == (1.0, "reached")
    assert found["largest process with five seeds"] == (600, "reached")
    for one in content["rounds"]:
        one["measured"][results.ours(5)]["seconds"] = 1500.0
        one["measured"][results.ours(5)]["peak_mb"] = 901.0
    found = {target.name: target.verdict for target in results.targets(content)}
    assert found["five seeds / arithmetic limit"] == "not reached"
    assert found["5 times in memory / workflow, 5 seeds"] == "not reached"
    assert found["largest process with five seeds"] == "not reached"


def test_peers_are_held_against_what_was_seen_before(content):
    found = {deviation.name: deviation for deviation in results.deviations(content)}
    loader = found["DataLoader / in memory"]
    assert loader.before == pytest.approx(8.98, abs=0.01)
    assert loader.here == pytest.approx((2500 / 300 + 2700 / 300) / 2)
    assert loader.within
    slow = replace(loader, here=1.16 * loader.before)
    assert slow.relative == pytest.approx(0.16)
    assert not slow.within


def test_tables_show_medians(content):
    times = results.times_table(content)
    assert row(times, "workflow, 1 seed") == [
        "workflow, 1 seed",
        "110.0",
        "100.0",
        "120.0",
        "220",
        "600",
        "800",
        "cannot be read here",
    ]
    assert row(results.ratios_table(content), "in memory / workflow, 1 seed")[1:] == [
        "2.75",
        "2.50",
        "3.00",
    ]


def test_energy_is_shown_in_kilojoules(content):
    for one in content["rounds"]:
        one["measured"][IN_MEMORY]["joules"] = 12_300.0
    assert row(results.times_table(content), IN_MEMORY)[-1] == "12.3"


# Where the workflow's time goes


def test_a_job_is_split_without_a_gap():
    job = split.split_job("run", 10.0, first_epoch_began=13.0, ended=40.0, epochs=25.0, share=0.2)
    assert job.parts == pytest.approx(
        {"training": 20.0, "evaluation": 5.0, "start-up": 3.0, "writing": 2.0}
    )
    assert job.epochs == 25.0


def test_the_parts_of_a_call_add_up_to_its_length():
    jobs = [
        split.split_job("a", 102.0, first_epoch_began=104.0, ended=130.0, epochs=25.0, share=0.2),
        split.split_job("b", 103.0, first_epoch_began=106.0, ended=120.0, epochs=13.0, share=0.1),
    ]
    parts = split.split(jobs, began=100.0, ended=140.0, cores=2)
    assert sum(parts.values()) == pytest.approx(40.0)
    assert parts["before the first job"] == 2.0
    assert parts["after the last job"] == 10.0
    assert parts["start-up"] == (2.0 + 3.0) / 2
    assert parts["cores without a job"] == pytest.approx(28.0 - (28.0 + 17.0) / 2)


def test_a_job_is_read_from_what_its_run_left(tmp_path):
    folder = tmp_path / "results/runs/a-run"
    folder.mkdir(parents=True)
    rows = {"seed": [0, 0, 1, 1], "epoch": [1, 2, 1, 2], "seconds": [1.0, 2.0, 3.0, 4.0]}
    pq.write_table(pa.table(rows), folder / "record.parquet")
    journal = [
        {"epoch": 1, "seeds": [0, 1], "time": 1010.0},
        {"epoch": 2, "seeds": [0, 1], "time": 1016.5},
    ]
    (folder / "journal.jsonl").write_text("\n".join(map(json.dumps, journal)))
    (folder / "benchmark.tsv").write_text("s\th:m:s\n15.0\t0:00:15\n")
    settings = {"optimizer": "sgd", "dropout": 0.2, "hidden": [128, 64], "batch_size": 100}
    (folder / "settings.json").write_text(json.dumps({"settings": settings}))
    os.utime(folder / "settings.json", (1018.0, 1018.0))
    shares = {evaluation.shape(asdict(Training("baseline"))): 0.1}
    (job,) = split.read_jobs(tmp_path, shares)
    assert job.began == 1003.0
    assert job.parts == pytest.approx(
        {"training": 9.0, "evaluation": 1.0, "start-up": 3.0, "writing": 2.0}
    )


def test_evaluation_is_a_part_of_an_epoch_of_each_shape(idx_folder):
    shape, share = evaluation.share(TRAININGS[0], idx_folder, seeds=2)
    assert shape == "sgd, dropout 0.2, 128-64, 100"
    assert 0 < share < 1
    assert len({evaluation.shape(asdict(training)) for training in TRAININGS}) == 13


# The page


def test_the_page_tells_every_figure_and_its_machine(content):
    written = page.text(content)
    for table in (
        results.times_table,
        results.ratios_table,
        results.limits_table,
        results.distances_table,
        results.split_table,
        results.deviations_table,
        results.targets_table,
    ):
        assert table(content) in written
    assert "medians of 2 rounds, 2026-01-31, commit 0123456789ab" in written
    assert "98 to 196 GFLOP/s.\n" in written
    content["rounds"][0]["rate"]["library"] = "onednn"
    assert "98 to 196 GFLOP/s, by onednn.\n" in page.text(content)
    assert "- CPU: of a kind" in written
    assert page.WARNING not in written
    assert page.WARNING in page.text(content | {"trial": True})


def test_page_and_figure_are_made_from_the_json(content, tmp_path, monkeypatch):
    measured = tmp_path / "measured.json"
    measured.write_text(json.dumps(content))
    monkeypatch.setattr(sys, "argv", ["page", str(measured), "--output", str(tmp_path)])
    page.main()
    assert (tmp_path / "benchmark.md").read_text() == page.text(content)
    assert (tmp_path / page.FIGURE).read_bytes().startswith(b"\x89PNG")


def test_the_figure_does_without_what_was_skipped(content, tmp_path):
    content["seeds"] = [1]
    for one in content["rounds"]:
        one["measured"] = {results.ours(1): one["measured"][results.ours(1)]}
    assert figure.draw(content, tmp_path / "alone.png").exists()
    assert results.ratios(content) == {}
    assert page.text(content).count(page.TOO_FEW) == 2


MEASURED = page.DOCS / "benchmark.json"


@pytest.mark.skipif(not MEASURED.exists(), reason="no measured figures are there")
def test_the_page_in_docs_is_that_of_its_json():
    made = page.text(json.loads(MEASURED.read_text(encoding="utf-8")))
    assert (page.DOCS / "benchmark.md").read_text(encoding="utf-8") == made


# An earlier commit in the same rounds


@pytest.fixture
def against(content):
    """The same benchmark, in which an earlier commit took twice as long."""
    for one in content["rounds"]:
        for seeds in content["seeds"]:
            own = one["measured"][results.ours(seeds)]
            one["measured"][results.earlier("d546df6", seeds)] = own | {
                "seconds": 2 * own["seconds"]
            }
    return content | {"against": "d546df6"}


def test_an_earlier_commit_has_rows_of_its_own(against):
    assert results.ways(against)[:4] == [
        "workflow, 1 seed",
        "workflow, 5 seeds",
        "at d546df6, 1 seed",
        "at d546df6, 5 seeds",
    ]
    assert row(results.times_table(against), "at d546df6, 5 seeds")[1:4] == [
        "660.0",
        "600.0",
        "720.0",
    ]
    shown = row(results.ratios_table(against), "workflow, 5 seeds / at d546df6, 5 seeds")
    assert shown[1:] == ["0.50", "0.50", "0.50"]
    assert "*at d546df6* is the workflow as it was" in page.text(against)


def test_the_earlier_commit_is_to_be_undercut(against):
    found = {target.name: target for target in results.targets(against)}
    name = "workflow, 5 seeds / at d546df6, 5 seeds"
    assert (found[name].bound, found[name].verdict) == (0.85, "reached")
    against["machine"] = against["machine"] | {"instructions": "AVX-512"}
    found = {target.name: target for target in results.targets(against)}
    assert (found[name].bound, found[name].verdict) == (0.45, "not reached")


@pytest.mark.parametrize(
    ("flags", "instructions"),
    [
        ("sse2 avx2", "AVX2"),
        ("avx2 avx512f", "AVX-512"),
        ("avx512f amx_bf16", "AMX"),
        ("", "unknown"),
    ],
)
def test_the_widest_instructions_are_named(flags, instructions, tmp_path):
    (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n", encoding="utf-8")
    assert machine.instructions(tmp_path / "cpuinfo") == instructions


def test_without_one_the_page_is_as_it_was(content):
    assert page.text(content | {"against": None}) == page.text(content)


def test_the_figure_shows_no_earlier_commit(against, content, tmp_path):
    figure.draw(content, tmp_path / "without.png")
    figure.draw(against, tmp_path / "with.png")
    assert (tmp_path / "without.png").read_bytes() == (tmp_path / "with.png").read_bytes()


@pytest.fixture
def repository(tmp_path):
    """A repository of two commits, whose studies differ."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git = functools.partial(compare.git, root=folder)
    git("init", "--quiet")
    git("config", "user.name", "Somebody")
    git("config", "user.email", "somebody@example.org")
    config = YAML(typ="safe").load(compare.ROOT / "config.yaml")
    for epochs in (config["baseline"]["epochs"] + 1, config["baseline"]["epochs"]):
        config["baseline"]["epochs"] = epochs
        output.write_json(folder / "config.yaml", config)
        git("add", "--all")
        git("commit", "--quiet", "--message", f"{epochs} epochs")
    return folder


def test_a_revision_is_a_commit_of_the_repository(repository):
    assert compare.commit_of("HEAD", repository) == compare.git(
        "rev-parse", "--short=7", "HEAD", root=repository
    )
    for wrong in ("no-such", "--help", "HEAD:config.yaml", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="no commit of this repository"):
            compare.commit_of(wrong, repository)


def test_an_earlier_commit_is_checked_out_apart_and_taken_away(repository, tmp_path):
    today = compare.study(3)
    with compare.checked_out("HEAD", tmp_path / "now", repository) as root:
        assert compare.study(3, root=root) == today
        compare.check_same_study(root, "HEAD")
    with compare.checked_out("HEAD~1", tmp_path / "before", repository) as root:
        assert compare.study(3, root=root) != today
        with pytest.raises(compare.AnotherStudyError, match="--against HEAD~1: `baseline`"):
            compare.check_same_study(root, "HEAD~1")
    assert not (tmp_path / "before").exists()
    assert len(compare.git("worktree", "list", root=repository).splitlines()) == 1


def test_the_command_line_takes_it(monkeypatch, capsys):
    words = ["compare", "--skip", RAY_TUNE, OPTUNA, "--against"]
    monkeypatch.setattr(sys, "argv", [*words, "no-such-commit"])
    with pytest.raises(SystemExit):
        compare.parse_arguments()
    assert "--against: no-such-commit: no commit of this repository" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", words[:-1])
    assert compare.parse_arguments().against is None


def test_its_workflow_is_called_with_its_own_programs(monkeypatch, tmp_path):
    called = []

    def run(command, log, cwd):
        called.append((list(map(str, command)), cwd))
        return Measured(1.0, 2.0, 3.0, 4.0)

    monkeypatch.setattr(compare, "run", run)
    before = tmp_path / "before"
    before.mkdir()
    (before / "config.yaml").write_bytes((compare.ROOT / "config.yaml").read_bytes())
    data = tmp_path / "data"
    data.mkdir()
    options = argparse.Namespace(data=data, cores=2, trial=True, against="d546df6")
    benchmark = compare.Benchmark(tmp_path, options, before)
    assert benchmark.workflow_before(5).seconds == 1.0
    assert [cwd for _, cwd in called] == [compare.ROOT, before, before]
    command = called[-1][0]
    assert str(before / "Snakefile") in command
    assert command[command.index("--directory") + 1] == str(tmp_path / "study-before-5")
    assert not (tmp_path / "study-before-5").exists()


# Running it


def test_snakemake_is_given_the_study_of_its_folder(tmp_path):
    command = compare.snakemake("report", tmp_path, cores=2)
    assert command.index("report") < command.index("--configfile")
    assert command[-1] == tmp_path / "study.yaml"


def test_studies_are_valid_and_differ_by_what_is_asked(tmp_path):
    def runs(**changes):
        return resolve(load([compare.configure(tmp_path, compare.study(5, **changes))])).runs

    whole, trial = runs(), runs(trial=True)
    assert len(whole) == 15
    assert {run.epochs for run in trial} == {compare.TRIAL_EPOCHS}
    added = {run.run for run in runs(added=True)} - {run.run for run in whole}
    assert len(added) == 1
    assert "lr0.03" in added.pop()


def test_each_round_begins_with_another_way():
    ways = ["a", "b", "c"]
    assert [compare.order(ways, number) for number in range(4)] == [
        ["a", "b", "c"],
        ["b", "c", "a"],
        ["c", "a", "b"],
        ["a", "b", "c"],
    ]


def test_a_table_lines_up():
    assert output.table(["way", "seconds"], [["a", "1.0"], ["longer", "100.0"]]) == (
        "| way    | seconds |\n| ------ | ------: |\n| a      |     1.0 |\n| longer |   100.0 |"
    )


# What a module costs


def test_a_module_and_a_plain_loop_learn_the_same_in_the_benchmark(idx_folder):
    train = evaluation.read_examples(idx_folder, "train")
    try:
        found = own_model.cnn_beside_plain_loop(train, 2)
        assert found.losses[0] == pytest.approx(found.losses[1], rel=1e-4)
        assert found.ratio > 0
        beside = own_model.perceptron_beside_stacked(train, 1)
    finally:
        torch.use_deterministic_algorithms(False)
    assert beside.names == ("perceptron.py", "mlp")
    assert "at most 1.2 wanted" in own_model.in_words(beside)
