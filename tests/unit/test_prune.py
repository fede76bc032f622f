"""Pruning removes what nobody asks for, and nothing else whatever lies beside it."""

import fcntl
import json
import sys
from pathlib import Path

import pytest

from finished import finish, planned, replicate, write_state
from study.commands import door, prune
from study.operations import pruning
from study.spec.choice import Choice
from study.spec.plan import Run
from study.support import receipts
from study.support.files import write_text

WANTED = {"dropout": {"vary": {"dropout": [0.1, 0.2]}}}
MORE = {"dropout": {"vary": {"dropout": [0.1, 0.2, 0.3, 0.4]}}}


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results"


@pytest.fixture
def gone(results) -> list[Run]:
    """Two finished runs that are asked for, and two that are no more; the latter."""
    runs = planned(MORE, seeds=2, baseline={"epochs": 3}).runs
    for run in runs:
        finish(results / "runs", run)
    return runs[2:]


def leftovers(results, **config):
    return pruning.leftovers(planned(WANTED, seeds=2, baseline={"epochs": 3}, **config), results)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("something")


def test_runs_that_nobody_asks_for_are_listed_with_size_settings_epochs_and_seeds(results, gone):
    found = leftovers(results)
    assert [leftover.path.name for leftover in found] == sorted(run.run for run in gone)
    assert [leftover.text for leftover in found] == ["dropout=0.3; 2 x 3", "dropout=0.4; 2 x 3"]
    for leftover in found:
        assert leftover.size == sum(path.stat().st_size for path in leftover.path.iterdir())
        assert not leftover.kept


def test_removing_them_leaves_every_other_file(results, gone):
    before = files(results)
    for leftover in leftovers(results):
        assert pruning.remove(leftover) == ""
    names = {run.run for run in gone}
    expected = {path for path in before if not names & set(Path(path).parts)}
    assert files(results) == expected
    assert leftovers(results) == []


def test_fewer_seeds_or_epochs_are_no_reason_to_remove_a_run(results, gone):
    for leftover in leftovers(results):
        pruning.remove(leftover)
    smaller = planned(WANTED, seeds=[1], baseline={"epochs": 1})
    assert pruning.leftovers(smaller, results) == []


def test_what_is_not_recognised_is_never_touched(results, gone):
    runs = results / "runs"
    one, other = (runs / run.run for run in gone)
    touch(
        runs / "notes.txt",
        runs / "my-copy" / "settings.json",
        runs / "sgd-lr1-0123456789ab" / "something",
        runs / "sgd-lr1-0123456789ab.bak" / "settings.json",
        results / "figures" / "mine.en.png",
        results / "elsewhere" / "sgd-lr1-0123456789ab" / "settings.json",
        one / "thoughts.md",
    )
    (other / "folder").mkdir()
    (runs / "link-0123456789ab").symlink_to(one)
    before = files(results)
    found = leftovers(results)
    assert {leftover.path for leftover in found} == {one, other}
    assert "holds thoughts.md, which is none of ours" in [leftover.kept for leftover in found]
    assert all(pruning.remove(leftover) == leftover.kept for leftover in found)
    assert files(results) == before


def test_temporary_files_and_a_failure_s_note_do_not_keep_a_run(results, gone):
    folder = results / "runs" / gone[0].run
    touch(folder / ".state-x1.safetensors", folder / "failure.json", folder / "train.log")
    assert pruning.remove(leftovers(results)[0]) == ""
    assert not folder.exists()


def test_an_unfinished_and_a_damaged_run_are_listed_too(results):
    unfinished, damaged = planned(MORE).runs[2:]
    write_state(results / "runs", unfinished, {0: replicate(unfinished, 2)})
    touch(results / "runs" / damaged.run / "settings.json")
    assert [leftover.text for leftover in leftovers(results)] == ["unfinished; 1 x 2", "damaged"]


def test_a_run_that_is_being_trained_is_left(results, gone):
    one, other = leftovers(results)
    with (one.path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = files(one.path)
        assert pruning.remove(one) == "is being trained"
        assert files(one.path) == before
    assert pruning.remove(other) == ""
    assert pruning.remove(one) == ""


def note(results, part, *paths):
    """Write a part's receipt for `paths`, as its program does."""
    receipt = receipts.of_part(results, part)
    with receipts.receipt(receipt, results / "plans" / f"{part}.json", []) as made:
        made += paths
    content = receipt.read_text(encoding="utf-8").replace(f"{results}/", "results/")
    write_text(receipt, content)
    return receipt


def test_figures_of_experiments_that_are_gone(results):
    figures = results / "figures"
    drawn = [figures / f"old.{ending}" for ending in ("en.png", "en.svg", "es.png", "es.svg")]
    kept = [figures / name for name in ("dropout.en.png", "mosaic.en.png", "final_curves.en.png")]
    somebodys = figures / "old.en.pdf"
    touch(*drawn, *kept, somebodys, results / "summary.parquet")
    gone = note(results, "experiment.old", *drawn)
    for part, path in zip(("experiment.dropout", "mosaic", "final"), kept, strict=True):
        note(results, part, path)
    note(results, "summary", results / "summary.parquet")
    found = leftovers(results, final={"dropout": 0.1})
    assert [leftover.path for leftover in found] == [*drawn, gone]
    before = files(results)
    assert [pruning.remove(leftover) for leftover in found] == [""] * 5
    assert before - files(results) == {str(path.relative_to(results)) for path in [*drawn, gone]}


def test_what_a_search_left_that_is_gone(results):
    """Its steps, tables and figure; those of one that is asked for stay."""
    left = {
        "search.old": results / "figures/old.en.png",
        "step.old.trials-0001": results / "search/old/trials-0001.json",
        "trials.old": results / "search/old/trials.parquet",
    }
    kept = results / "search/tuned/trials.parquet"
    touch(*left.values(), kept)
    gone = [note(results, part, path) for part, path in left.items()]
    note(results, "trials.tuned", kept)
    search = {"tuned": {"space": {"dropout": [0.1, 0.2]}, "trials": 2}}
    found = {leftover.path for leftover in leftovers(results, search=search)}
    assert found == {*left.values(), *gone}


OPEN = {"final": "best"}


@pytest.mark.parametrize("left", ["choice.json", "plan.json"])
def test_what_results_chose_last_stays_while_they_have_not_chosen_again(results, gone, left):
    """After a seed more: the choice is open, and may fall on the same final model."""
    figure, log = results / "figures" / "final_curves.en.svg", results / "logs" / "draw_final.log"
    touch(figure, log)
    note(results, "final", figure)
    chosen = Choice({"dropout": 0.3}, [], "of other seeds")
    plan = planned(WANTED, seeds=3, baseline={"epochs": 3}, **OPEN)
    assert plan.final is None
    if left == "choice.json":
        write_text(results / left, chosen.to_json())
    else:
        [first, _] = gone
        write_text(results / left, json.dumps({"final": {"run": first.run}}))
    found = pruning.leftovers(plan, results)
    assert [leftover.text for leftover in found] == ["dropout=0.4; 2 x 3"]


@pytest.mark.parametrize("damaged", ["", "{", "[]", "null", '{"final": 3}'])
def test_a_damaged_choice_or_plan_keeps_no_run_and_removes_no_figure(results, gone, damaged):
    figure = results / "figures" / "final_curves.en.svg"
    touch(figure)
    note(results, "final", figure)
    for name in ("choice.json", "plan.json"):
        write_text(results / name, damaged)
    found = pruning.leftovers(planned(WANTED, seeds=3, baseline={"epochs": 3}, **OPEN), results)
    assert [leftover.path.name for leftover in found] == sorted(run.run for run in gone)


def test_figures_of_a_final_model_that_is_gone(results):
    figure, log = results / "figures" / "final_curves.es.svg", results / "logs" / "draw_final.log"
    touch(figure, log)
    receipt = note(results, "final", figure)
    assert [leftover.path for leftover in leftovers(results)] == [figure, receipt, log]
    assert leftovers(results, final={"dropout": 0.1}) == []


def test_results_that_are_not_there_have_nothing_to_remove(tmp_path):
    assert leftovers(tmp_path / "missing") == []


# The program.


@pytest.fixture
def program(monkeypatch, capsys, tmp_path, results):
    config = tmp_path / "config.yaml"
    config.write_text("seeds: 2\nexperiments: {dropout: {vary: {dropout: [0.1, 0.2]}}}\n")

    def run(*words, answer=None):
        words = ["prune.py", "--results", str(results), "--configfile", str(config), *words]
        monkeypatch.setattr(sys, "argv", words)
        monkeypatch.setattr(sys.stdin, "isatty", lambda: answer is not None, raising=False)
        monkeypatch.setattr("builtins.input", lambda _: answer)
        door.enter(prune)
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize(
    ("words", "answer", "removed"),
    [
        ([], None, False),
        ([], "", False),
        ([], "n", False),
        ([], "y", True),
        (["--yes"], None, True),
    ],
)
def test_nothing_is_removed_without_consent(program, results, gone, words, answer, removed):
    size = sum(leftover.size for leftover in leftovers(results))
    out = program(*words, answer=answer)
    for run in gone:
        assert run.run in out
        assert (results / "runs" / run.run).exists() is not removed
    assert (f"freed {size / 1e6:.1f} MB" in out) is removed
    assert "in all" in out


def test_a_run_in_use_is_named_and_not_counted_as_freed(program, results, gone):
    with (results / "runs" / gone[0].run / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        out = program("--yes")
    assert f"left {results / 'runs' / gone[0].run}: is being trained" in out
    [left] = leftovers(results)
    assert left.path.name == gone[0].run


def test_nothing_to_remove_is_said(program, results):
    assert "nothing to remove" in program("--yes")
