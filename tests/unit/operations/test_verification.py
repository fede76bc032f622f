"""Verifying finds whatever is wrong with results, names the file, and proves what it says is right.

A small study is made once by the real workflow; each test damages a copy of its results.
"""

import itertools
import json
import os
import random
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import forkserver
from small_study import Study
from study.commands import door, verify
from study.data.datasets import describe
from study.data.scaling import PIXELS
from study.final import evaluation
from study.operations import own_commands, remade, retrained, verified_runs
from study.operations.checks import OK, OUTDATED, SKIPPED, WRONG, CheckedStudy, Finding
from study.operations.stored_tables import as_stored, holds
from study.operations.verification import Verification
from study.results import comparisons, metrics, summary
from study.runs import checkpoint, completeness, fingerprint, models, outputs, records
from study.runs.completeness import OUTPUTS
from study.spec import claims, config, plan
from study.spec.models import MLP
from study.spec.resolution import resolve
from study.support import receipts
from study.support.receipts import Stamp

# Few damages in `make test`, all in `make test-full`.
FULL = os.environ.get("HYPOTHESIS_PROFILE") == "full"

# Every kind of file that verification looks at; `{run}` is one of the runs.
MADE_ONCE = [
    "plan.json",
    "data/MnistLike/train-images-idx3-ubyte",
    "data/MnistLike/test-labels-idx1-ubyte",
    "data/MnistLike/checksums.sha256",
    "runs/{run}/settings.json",
    "runs/{run}/record.parquet",
    "runs/{run}/weights.safetensors",
    "runs/{run}/state.safetensors",
    "runs/{run}/journal.jsonl",
    "metrics.parquet",
    "summary.parquet",
    "claims.parquet",
    "comparisons.parquet",
    "final.safetensors",
]

CLAIM = {
    "id": "still-learning",
    "statement": "The last epoch still helped.",
    "predicate": {"rising": {"experiment": "final", "over": {"epochs": [2, 3]}}},
}

# Where to flip a bit: not in a checksum, where another file would be named, nor in a time.
POSITIONS = {"settings.json": 0.02, "journal.jsonl": 0.02}

OF_ANOTHER_FORM = ["plan.json", "metrics.parquet"]

DRAWN_AND_WRITTEN = [
    "figures/dropout.en.png",
    "figures/final_curves.en.svg",
    "model/model.safetensors",
    "model/model.onnx",
    "model/README.md",
    "report.en.md",
    "report.en.html",
]


def flip(path: Path, position: float | None = None, bit: int = 0) -> None:
    if position is None:
        position = POSITIONS.get(path.name, 0.5)
    content = bytearray(path.read_bytes())
    content[int(position * len(content))] ^= 1 << bit
    path.write_bytes(content)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Study:
    study = Study(tmp_path_factory.mktemp("study"))
    study.configure(final={"epochs": 3}, claims=[CLAIM])
    study.ok()
    return study


@pytest.fixture
def study(made, tmp_path, monkeypatch) -> plan.Plan:
    """The plan of a copy of the study, whose folder the test is in."""
    shutil.copytree(made.folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return resolve(config.load([Path("study.yaml")]))


@pytest.fixture
def quick(monkeypatch):
    """Nothing is drawn or written again, which takes seconds."""
    monkeypatch.setattr(remade, "made_again", lambda *_: iter(()))


@pytest.fixture
def forked(monkeypatch):
    """The study's programs are forks of a warm process: their imports take seconds each."""
    python = f"{forkserver.directory()}/python"
    monkeypatch.setattr(own_commands, "STUDY", [python, "-m", own_commands.STUDY[-1]])


def findings(study: plan.Plan) -> list[Finding]:
    return list(Verification(study, Path("results")).findings())


def wrong(study: plan.Plan) -> list[str]:
    return [finding.text for finding in findings(study) if finding.verdict == WRONG]


def outdated(study: plan.Plan) -> list[str]:
    return [finding.text for finding in findings(study) if finding.verdict == OUTDATED]


def note_again() -> None:
    """Make all receipts fit what is there now, as one would who alters results with care."""
    for path in Path("results/receipts").glob("*.json"):
        known = receipts.read_receipt(path)
        outputs = {
            name: Stamp.of(Path(name)) if Path(name).exists() else stamp
            for name, stamp in known.outputs.items()
        }
        receipts._write(path, replace(known, outputs=outputs))


def file(study: plan.Plan, name: str) -> Path:
    return Path("results") / name.format(run=study.runs[0].run)


def alter(path: Path, column: str, row: int, change: float) -> None:
    """Change one number of a table, and leave the file as readable as it was."""
    table = pq.read_table(path)
    values = table[column].to_pylist()
    values[row] += change
    column_index = table.column_names.index(column)
    altered = table.set_column(column_index, table.schema.field(column), pa.array(values))
    pq.write_table(altered, path)


def program(monkeypatch, *words: str) -> int:
    """The exit code of verify.py on the study."""
    monkeypatch.setattr(sys, "argv", ["verify.py", "--configfile", "study.yaml", *words])
    try:
        door.enter(verify)
    except SystemExit as end:
        return end.code
    return 0


def test_a_study_that_is_not_begun_is_told_in_a_line(monkeypatch, tmp_path):
    config = Path(__file__).parents[3] / "config.yaml"
    words = ["verify.py", "--configfile", str(config), "--results", str(tmp_path / "results")]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit, match="nothing to verify, the study is not begun"):
        door.enter(verify)


# What is right.


def test_untouched_results_are_right_and_come_out_the_same(study, forked, monkeypatch, capfd):
    """All for real: figures and report are made again, and a replicate is trained."""
    before = {path: path.stat().st_mtime_ns for path in Path("results").rglob("*")}
    assert program(monkeypatch, "--seed", "3") == 0
    out, err = capfd.readouterr()
    *lines, total = out.splitlines()
    assert total == "18 findings: 0 wrong, 0 outdated, 0 skipped"
    assert all(line.startswith("ok ") for line in lines)
    tables = ("metrics.parquet", "summary.parquet", "comparisons.parquet", "claims.parquet")
    for what in ("plan.json", "data/MnistLike", *tables, "report.*.md", "report.en.html"):
        assert any(f"results/{what}: " in line for line in lines)
    assert "bit for bit, when trained again" in lines[-1]
    assert "chosen by --seed 3" in err
    assert "epoch 1/" in err
    assert {path: path.stat().st_mtime_ns for path in Path("results").rglob("*")} == before


def test_what_is_there_beyond_the_study_is_no_fault(study, quick):
    """More seeds and epochs than asked for, a run that nobody asks for, one never finished."""
    smaller = replace(
        study,
        runs=[replace(study.runs[1], seeds=[1], epochs=1, kept_epochs=[])],
        experiments=[],
        final=None,
    )
    unfinished = Path("results/runs/sgd-lr9-0123456789ab")
    unfinished.mkdir()
    shutil.copy(file(study, "runs/{run}/state.safetensors"), unfinished)
    Path("results/plan.json").write_text(smaller.to_json(), encoding="utf-8")
    rows = metrics.collect(smaller.runs, Path("results/runs"), MLP.hyperparameters)
    records.write_parquet(Path("results/metrics.parquet"), rows, {})
    records.write_parquet(Path("results/summary.parquet"), summary.SUMMARY.empty_table(), {})
    none = comparisons.COMPARISONS.empty_table()
    records.write_parquet(Path("results/comparisons.parquet"), none, {})
    records.write_parquet(Path("results/claims.parquet"), claims.CLAIMS.empty_table(), {})
    note_again()
    assert wrong(smaller) == outdated(smaller) == []


def test_a_partial_plan_is_right_where_the_rest_is_missing(study, quick):
    other = study.runs[1]
    shutil.rmtree(Path("results/runs") / other.run)
    learning = fingerprint.learning(describe(study.dataset).digest, study.validation)
    part = completeness.finished_part(study, Path("results/runs"), learning)
    Path("results/plan.json").write_text(part.to_json(), encoding="utf-8")
    note_again()
    named = wrong(study)
    assert not any(other.run in text or "plan.json" in text for text in named)
    # The tables are still those of the whole study.
    assert [text.partition(":")[0] for text in named] == ["results/metrics.parquet"]


# What is wrong.


def each(names: list[str], damages: list[Callable]) -> list[tuple[str, Callable]]:
    """Every file with every damage; in `make test` with one, in turn."""
    if FULL:
        return list(itertools.product(names, damages))
    return list(zip(names, itertools.cycle(damages), strict=False))


@pytest.mark.parametrize(("name", "damage"), each(MADE_ONCE, [flip, truncate, empty, Path.unlink]))
def test_damage_to_any_file_is_found_and_named(study, quick, name, damage):
    damage(file(study, name))
    named = wrong(study)
    assert [text for text in named if text.startswith(f"{file(study, name)}: ")]
    assert all("run the workflow again" in text for text in named)


@pytest.mark.parametrize(("name", "damage"), each(DRAWN_AND_WRITTEN, [flip, truncate, empty]))
def test_damage_to_figures_and_report_is_found_by_their_checksums(study, quick, name, damage):
    damage(file(study, name))
    [text] = wrong(study)
    assert text.startswith(f"{file(study, name)}: is not what results/receipts/")


@pytest.mark.parametrize("damage", [truncate, empty])
def test_a_damaged_receipt_is_found(study, quick, damage):
    damage(Path("results/receipts/report.json"))
    [text] = wrong(study)
    assert text.startswith("results/receipts/report.json: cannot be read")


def test_figures_and_report_with_checksums_to_match_are_held_against_what_is_made_again(
    study, forked
):
    *damaged, _ = [Path("results") / name for name in DRAWN_AND_WRITTEN]
    figure, other_figure, *model, report = damaged
    for path in (figure, *model):
        flip(path)
    other_figure.unlink()
    text = report.read_text(encoding="utf-8")
    number = re.search(r"\d\d\.\d", text)[0]
    report.write_text(text.replace(number, f"{float(number) + 0.1:.1f}", 1), encoding="utf-8")
    note_again()
    assert [text.partition(": ")[0] for text in wrong(study)] == sorted(map(str, damaged))


def test_a_page_with_checksums_to_match_is_held_against_what_is_made_again(study, monkeypatch):
    *_, page_alone = remade.programs(CheckedStudy(study, Path("results")))
    monkeypatch.setattr(remade, "programs", lambda _: iter([page_alone]))
    page = Path("results/report.en.html")
    text = page.read_text(encoding="utf-8")
    number = re.search(r"\d\d\.\d", text)[0]
    page.write_text(text.replace(number, f"{float(number) + 0.1:.1f}", 1), encoding="utf-8")
    note_again()
    assert [text.partition(": ")[0] for text in wrong(study)] == [str(page)]


def test_a_report_that_cannot_be_written_again_is_named_with_the_reason(study, monkeypatch):
    words = ["--plan", "missing"]
    only = remade.Program(Path("results/report.*"), "write-report", [], words, [])
    monkeypatch.setattr(remade, "programs", lambda _: iter([only]))
    [text] = wrong(study)
    assert text.startswith(
        "results/report.*: study write-report fails: study write-report: error: the"
    )


def test_several_faults_are_all_named(study, quick):
    names = [
        "plan.json",
        "data/MnistLike/test-images-idx3-ubyte",
        "data/MnistLike/checksums.sha256",
    ]
    names += [f"runs/{{run}}/{name}" for name in (*OUTPUTS, "state.safetensors")]
    for name in names:
        file(study, name).unlink()
    assert [text.partition(": ")[0] for text in wrong(study)] == [
        str(file(study, name)) for name in names
    ]


def test_what_follows_from_something_wrong_is_skipped_and_says_why(study):
    truncate(file(study, "runs/{run}/record.parquet"))
    found = findings(study)
    folder = file(study, "runs/{run}")
    skipped = [finding.text for finding in found if finding.verdict == SKIPPED]
    assert skipped[0] == f"results/metrics.parquet: {folder} must be right first"
    assert "results/report.*.md: results/metrics.parquet must be right first" in skipped
    assert len(skipped) == 11


def test_an_evaluation_of_other_weights_is_found(study, quick):
    """A whole file, noted as it is, in which one probability is a little higher."""
    path, dataset = Path("results/final.safetensors"), describe(study.dataset)
    found = evaluation.read_evaluation(path, dataset.load(Path("results/data") / dataset.name))
    found.probabilities[0, 0, 0] += 1e-4
    evaluation.write(path, found)
    note_again()
    [text] = wrong(study)
    assert text.startswith(f"{path}: does not follow from the weights in results/runs/")


@pytest.mark.parametrize("bit", [0, 6])
def test_a_bit_anywhere_in_settings_json_is_noticed(study, bit):
    """But for the request: what was once asked for is written nowhere else."""
    path = file(study, "runs/{run}/settings.json")
    content = path.read_bytes()
    request = range(content.index(b'"request"'), content.index(b'"replicates"'))
    wanted = study.runs[0]
    for position in range(0, len(content), 13 if FULL else 53):
        if position in request:
            continue
        flip(path, (position + 0.5) / len(content), bit)
        checked = Verification(study, Path("results"))
        found = list(
            checked._check(
                path.parent, "", verified_runs.run(path.parent, wanted, MLP.hyperparameters)
            )
        )
        # White space may be of any kind.
        same = _readable(path) == json.loads(content)
        assert same or [finding.verdict for finding in found] != [OK], content[position - 9 :][:20]
        path.write_bytes(content)


def _readable(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None


@pytest.mark.parametrize(
    "name", ["metrics.parquet", "summary.parquet", "comparisons.parquet", "claims.parquet"]
)
def test_a_bit_anywhere_in_a_table_changes_nothing_or_is_noticed(study, quick, name):
    path = Path("results") / name
    content, table = path.read_bytes(), repr(pq.read_table(path).to_pylist())
    for position in np.linspace(0, 1, 25 if FULL else 7, endpoint=False):
        flip(path, position, bit=3)
        note_again()
        named = wrong(study)
        if named:
            assert named[0].startswith(f"{path}: ")
        else:
            assert repr(pq.read_table(path).to_pylist()) == table
        path.write_bytes(content)


def test_a_verdict_that_does_not_follow_is_noticed(study, quick):
    path = Path("results/claims.parquet")
    table = pq.read_table(path)
    [verdict] = table["verdict"].to_pylist()
    other = pa.array(["holds" if verdict != "holds" else "fails"])
    column = table.column_names.index("verdict")
    pq.write_table(table.set_column(column, "verdict", other), path)
    note_again()
    [text] = wrong(study)
    assert text.startswith(f"{path}: does not follow from results/summary.parquet")


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("metrics.parquet", "validation_loss"),
        ("summary.parquet", "validation_accuracy_low"),
        ("comparisons.parquet", "difference"),
    ],
)
def test_a_number_changed_by_the_least_in_a_table_is_noticed(study, quick, name, column):
    path = Path("results") / name
    alter(path, column, 0, 1e-15)
    note_again()
    assert wrong(study)[0].startswith(f"{path}: ")


def test_rows_and_columns_are_counted_too(study, quick):
    path = Path("results/metrics.parquet")
    table = pq.read_table(path)
    for altered in (
        table.slice(1),
        table.drop_columns("status"),
        table.set_column(0, "runs", table["run"]),
        table.set_column(table.column_names.index("seed"), "seed", table["seed"].cast(pa.int32())),
    ):
        pq.write_table(altered, path)
        note_again()
        assert wrong(study)[0].startswith(f"{path}: is not what the runs' records hold")


def test_an_altered_record_with_a_checksum_to_match_does_not_follow_from_the_state(study, quick):
    record, settings = (
        file(study, f"runs/{{run}}/{name}") for name in ("record.parquet", "settings.json")
    )
    made_by = records.read_metadata(record)
    alter(record, "validation_accuracy", 0, 0.01)
    records.write_parquet(record, pq.read_table(record), made_by)
    described = json.loads(settings.read_text(encoding="utf-8"))
    described["files"]["record.parquet"] = {
        "bytes": record.stat().st_size,
        "sha256": completeness.sha256(record),
    }
    del described["checksum"]
    settings.write_text(json.dumps(completeness.sealed(described)), encoding="utf-8")
    assert wrong(study)[0].startswith(f"{record}: does not follow from the saved state")


def test_settings_of_another_run_are_noticed(study, quick):
    one, other = (Path("results/runs") / run.run for run in study.runs)
    for name in (*OUTPUTS, "settings.json", "state.safetensors", "journal.jsonl"):
        shutil.copy(other / name, one / name)
    named = wrong(study)
    assert any(text.startswith(f"{one / 'record.parquet'}: does not follow") for text in named)
    assert any(text.startswith(f"{one / 'settings.json'}: has other settings") for text in named)


def test_epochs_that_are_missing_are_noticed(study, quick):
    run = study.runs[0]
    more = replace(study, runs=[replace(run, epochs=9, seeds=[0, 1, 2]), *study.runs[1:]])
    expected = f"results/runs/{run.run}: lacks epochs of the seeds 0, 1, 2; run the workflow again"
    assert expected in wrong(more)


def test_nan_equals_itself_and_zeros_differ_by_their_sign():
    def stored(*values):
        return pa.table({"x": pa.array(values, pa.float64()), "n": [[1]] * len(values)})

    assert holds(as_stored(stored(np.nan, None, np.inf)), stored(np.nan, None, np.inf))
    assert not holds(as_stored(stored(0.0)), stored(-0.0))
    assert not holds(as_stored(stored(None)), stored(np.nan))


# What another version of the program made.


def _in_another_form() -> None:
    """The plan without a key, and the metrics without a column: as an earlier version had them."""
    path = Path("results/plan.json")
    content = json.loads(path.read_text(encoding="utf-8"))
    content.popitem()
    path.write_text(json.dumps(content), encoding="utf-8")
    path = Path("results/metrics.parquet")
    pq.write_table(pq.read_table(path).drop_columns("status"), path)


def test_what_no_receipt_names_and_is_another_is_outdated(study, quick, monkeypatch, capsys):
    _in_another_form()
    shutil.rmtree("results/receipts")
    assert wrong(study) == []
    again = "made by another version of the program; run the workflow again"
    assert outdated(study) == [f"results/{name}: {again}" for name in OF_ANOTHER_FORM]
    assert program(monkeypatch, "--no-retrain") == 0
    *_, skipped, total = capsys.readouterr().out.splitlines()
    assert skipped.startswith("skipped  results/report.en.html: results/plan.json must be right")
    assert total == "16 findings: 0 wrong, 2 outdated, 11 skipped"


def test_what_a_receipt_names_and_is_another_is_wrong(study, quick):
    _in_another_form()
    note_again()
    assert [text.partition(": ")[0] for text in wrong(study)] == [
        f"results/{name}" for name in OF_ANOTHER_FORM
    ]
    assert outdated(study) == []


def test_what_no_receipt_names_and_cannot_be_read_is_wrong(study, quick):
    shutil.rmtree("results/receipts")
    truncate(Path("results/metrics.parquet"))
    Path("results/plan.json").unlink()
    assert [text.partition(" ")[0] for text in wrong(study)] == [
        f"results/{name}:" for name in OF_ANOTHER_FORM
    ]


# Training again.


@pytest.fixture
def forged(study):
    """Rewrite a study's runs from states that `change` was applied to, consistently."""

    def forge(change):
        for run in study.runs:
            folder = Path("results/runs") / run.run
            saved = checkpoint.read_checkpoint(folder / "state.safetensors")
            for replicate in saved.replicates.values():
                change(replicate)
            checkpoint.write(folder / "state.safetensors", saved)
            request = checkpoint.Target(run.seeds, run.epochs, run.kept_epochs)
            network = models.architecture(MLP, run.settings, (8, 8), 4, PIXELS)
            outputs.write(folder, saved, request, run.settings, network)

    return forge


def train_again(study: plan.Plan, seed: int = 0) -> list[Finding]:
    checked = Verification(study, Path("results"))
    list(checked.findings())
    return list(checked.retrained(random.Random(seed)))


def make_up(replicate):
    replicate.measures[1, 3] += 0.01


def touch_weights(replicate):
    flat = replicate.tensors["parameters"] = replicate.tensors["parameters"].copy()
    flat[5] = np.nextafter(flat[5], np.float32(9))


@pytest.mark.parametrize(("change", "epoch"), [(make_up, 2), (touch_weights, "[23]")])
def test_results_made_up_throughout_are_found_by_training_again(
    study, forged, forked, quick, change, epoch
):
    forged(change)
    [finding] = train_again(study)
    assert finding.verdict == WRONG
    pattern = rf"results/runs/\S+/record.parquet: seed \d, trained again, .* epoch {epoch} on"
    assert re.match(pattern, finding.text)


def test_what_another_device_trained_is_not_compared(study, forged, quick):
    def move(replicate):
        replicate.device = "cuda Some Model"

    forged(move)
    [finding] = train_again(study)
    assert finding.verdict == SKIPPED
    assert "not trained again: on cuda Some Model" in finding.text


def test_what_other_code_trained_is_not_compared(study, quick, monkeypatch):
    monkeypatch.setattr(fingerprint, "training_code", lambda *_: "other")
    [finding] = train_again(study)
    assert finding.verdict == SKIPPED
    assert "not trained again: it was made with other code" in finding.text


def test_a_device_that_is_not_there_is_told(study, quick, forked):
    checked = Verification(replace(study, device="mps"), Path("results"))
    [finding] = checked.retrained(random.Random(0))
    assert finding.verdict == SKIPPED
    assert "study train fails: error: device: mps is asked for" in finding.text


def test_damaged_data_and_runs_are_not_trained_on(study, quick):
    flip(file(study, "data/MnistLike/train-images-idx3-ubyte"))
    [finding] = train_again(study)
    assert finding.text.endswith("results/data/MnistLike must be right first")
    for run in study.runs:
        flip(Path("results/runs") / run.run / "state.safetensors")
    assert train_again(study) == [Finding(SKIPPED, "training again: no run is intact")]


def test_the_seed_chooses_the_run_and_the_replicate(study, monkeypatch):
    chosen = []
    monkeypatch.setattr(
        retrained, "trained_again", lambda _, run, seed: iter(chosen.append((run.run, seed)) or ())
    )
    for seed in range(20):
        checked = Verification(study, Path("results"))
        list(checked.retrained(random.Random(seed)))
        list(checked.retrained(random.Random(seed)))
    assert chosen[::2] == chosen[1::2]
    assert set(chosen) == {(run.run, seed) for run in study.runs for seed in (0, 1)}


# The program.


def test_it_ends_with_one_where_something_is_wrong(study, quick, monkeypatch, capsys):
    truncate(Path("results/summary.parquet"))
    assert program(monkeypatch, "--no-retrain") == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("WRONG    results/summary.parquet: ") for line in lines)
    assert lines[-1].endswith("1 wrong, 0 outdated, 9 skipped")


def test_another_config_is_told_apart(study, quick, monkeypatch, capsys):
    content = Path("study.yaml").read_text(encoding="utf-8")
    Path("study.yaml").write_text(content.replace("seeds: 2", "seeds: 1"), encoding="utf-8")
    assert program(monkeypatch, "--no-retrain") == 1
    assert "results/plan.json: is not what the config asks for; name the config" in (
        capsys.readouterr().out
    )


def test_results_that_are_not_there_are_told(study, monkeypatch, capsys):
    told = program(monkeypatch, "--results", "elsewhere")
    assert told == "error: elsewhere: nothing to verify, the study is not begun"
    assert "WRONG" not in capsys.readouterr().out
