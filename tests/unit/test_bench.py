import json
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from ruamel.yaml import YAML
from torch.utils.flop_counter import FlopCounterMode

import compare
import data_loader
import in_memory
import output
import peer
import reference_study
from compare import DATA_LOADER, IN_MEMORY, OURS, Measured
from reference_study import TRAININGS, Training

IMAGES = {"train": 60, "t10k": 20}


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
    arguments = ["--data", idx_folder, "--threads", 1, "--max-epochs", 1, "--json", times]
    monkeypatch.setattr(sys, "argv", ["peer", *map(str, arguments), "--only", "batch_size"])
    peer.run("a peer", module.open_data)

    trainings = json.loads(times.read_text())["trainings"]
    assert [training["name"] for training in trainings] == [
        f"batch_size={size}" for size in (32, 64, 100, 128, 256)
    ]
    assert {training["epochs_trained"] for training in trainings} == {1}
    assert {training["epochs"] for training in trainings} == {10}
    printed = capsys.readouterr().out
    assert "batch_size=256" in printed
    assert "5 trainings, 5 epochs: " in printed


def test_peers_name_the_missing_file(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["peer", "--data", str(tmp_path)])
    with pytest.raises(SystemExit, match="2"):
        peer.run("a peer", in_memory.open_data)
    assert f"{tmp_path}: no train-images-idx3-ubyte" in capsys.readouterr().err


def test_a_shortened_trial_is_scaled_by_epochs_and_its_start_up_is_not():
    trainings = [
        {"seconds": 8.0, "seconds_an_epoch": 8.0, "epochs": 10},
        {"seconds": 10.0, "seconds_an_epoch": 10.0, "epochs": 30},
    ]
    measured = compare.scaled(Measured(20.0, 40.0, 500.0), trainings)
    assert measured == Measured(pytest.approx(382.0), pytest.approx(764.0), 500.0)


def test_a_command_is_measured_with_its_children(tmp_path):
    child = "bytearray(80_000_000); sum(range(5_000_000))"
    command = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    measured = compare.run([sys.executable, "-c", command], tmp_path / "log")
    assert measured.peak_mb > 80
    assert 0 < measured.core_seconds < 10
    assert measured.seconds > 0


def test_a_failed_command_ends_the_benchmark_with_its_last_lines(tmp_path):
    with pytest.raises(SystemExit, match=r"(?s)this failed: .*no such pixel"):
        compare.run([sys.executable, "-c", "raise SystemExit('no such pixel')"], tmp_path / "log")


ROUNDS = [
    {
        OURS: Measured(100.0, 190.0, 600.0),
        IN_MEMORY: Measured(300.0, 500.0, 700.0),
        DATA_LOADER: Measured(2500.0, 4000.0, 800.0),
    },
    {
        OURS: Measured(120.0, 200.0, 610.0),
        IN_MEMORY: Measured(300.0, 510.0, 700.0),
        DATA_LOADER: Measured(2700.0, 4000.0, 800.0),
    },
]


def test_ratios_are_taken_within_a_round():
    ratios = compare.ratios(ROUNDS)
    assert ratios["workflow / in memory"] == pytest.approx([1 / 3, 0.4])
    assert ratios["in memory / workflow"] == pytest.approx([3.0, 2.5])
    assert ratios["DataLoader / workflow"] == pytest.approx([25.0, 22.5])
    without = [{way: measured[way] for way in (OURS, IN_MEMORY)} for measured in ROUNDS]
    assert list(compare.ratios(without)) == ["workflow / in memory", "in memory / workflow"]


def cells(table, line):
    return [cell.strip() for cell in table.splitlines()[line].strip("|").split("|")]


def test_tables_show_medians():
    assert cells(compare.times_table(ROUNDS), 2) == ["workflow", "110.0", "195.0", "605"]
    assert cells(compare.ratios_table(ROUNDS), 3) == [
        "in memory / workflow",
        "2.75",
        "2.50",
        "3.00",
    ]


def test_limits_grow_with_seeds():
    rate = {"gflop_per_second": 196.0, "trainings_seconds": 53.0, "shared_seconds": 37.0}
    one, five = compare.limits(rate, 1), compare.limits(rate, 5)
    assert [round(row["seconds"]) for row in one] == [47, 33]
    assert [round(row["seconds"]) for row in five] == [236, 167]
    assert five[1]["trainings"] == 15
    assert five[1]["epochs"] == 950
    expected = ["separate trainings", "24", "290", "9.27", "0.73", "47", "53"]
    assert cells(compare.limits_table(one), 2) == expected


def test_snakemake_is_given_its_target_before_the_config(tmp_path):
    command = compare.snakemake("report", tmp_path, cores=2, seeds=1)
    assert command.index("report") < command.index("--config")
    assert command[-1] == "seeds=1"


def test_a_table_lines_up():
    assert output.table(["way", "seconds"], [["a", "1.0"], ["longer", "100.0"]]) == (
        "| way    | seconds |\n| ------ | ------: |\n| a      |     1.0 |\n| longer |   100.0 |"
    )


def test_times_scale_but_memory_does_not():
    assert Measured(1.0, 2.0, 3.0).times(5) == Measured(5.0, 10.0, 3.0)
