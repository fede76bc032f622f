"""Two studies held side by side: what differs is told, what is noise is called noise."""

import sys
from dataclasses import replace

import pyarrow as pa
import pytest

import madeup
from study.commands import compare_studies, door
from study.report import study_comparison_text as texts
from study.results import study_comparison
from study.results.study_comparison import Outcome
from study.runs import records
from study.support.errors import StudyError
from study.support.language import Language, available

CONFIG = {
    "seeds": 5,
    "baseline": {"epochs": 3, "hidden": [4]},
    "experiments": {
        "dropout": {"vary": {"dropout": [0.1, 0.2, 0.3]}},
        "batch_size": {"vary": {"batch_size": [32, 64]}},
    },
    "final": {"dropout": 0.1},
    "report": {"languages": ["en", "es"]},
}


def level(settings, epoch):
    return 0.8 - settings["dropout"] / 10 + epoch / 1000


def write(folder, gain=0.0, made_by=None, **changes):
    """Write what is read of a study whose runs with dropout 0.3 are better by `gain`."""
    folder.mkdir()
    config = {key: value for key, value in (CONFIG | changes).items() if value is not None}
    study = madeup.make(
        config,
        lambda settings, epoch: level(settings, epoch) + gain * (settings["dropout"] == 0.3),
    )
    (folder / "plan.json").write_text(study.plan.to_json(), encoding="utf-8")
    made_by = made_by or {"commit": "c0ffee", "versions": {"torch": "2"}, "devices": ["cpu"]}
    table = pa.Table.from_pandas(study.metrics, preserve_index=False)
    records.write_parquet(folder / "metrics.parquet", table, made_by)
    study.summary.to_parquet(folder / "summary.parquet")
    return study_comparison.read_results(folder)


def by_key(rows):
    return {(row.key[0], row.key[2]): row for row in rows}


def text(a, b, code="en"):
    return texts.render(a, b, Language(code))


def test_a_study_beside_itself_has_nothing_to_test(tmp_path):
    a, b = write(tmp_path / "a"), write(tmp_path / "b")
    assert {row.outcome for row in study_comparison.rows(a, b)} == {Outcome.SAME}
    told = text(a, b)
    assert "the final model among them: 6." in told
    assert "Data, validation images, seeds, baseline and final model are the same." in told
    assert "Both have the same experiments and values." in told
    assert "the same value is best" in told


def test_what_one_training_made_better_is_clear_and_the_rest_the_same(tmp_path):
    a, b = write(tmp_path / "a"), write(tmp_path / "b", gain=0.05)
    rows = by_key(study_comparison.rows(a, b))
    changed = rows.pop(("dropout", "0.3"))
    assert changed.outcome is Outcome.CLEAR
    assert changed.size == pytest.approx(0.05)
    assert {row.outcome for row in rows.values()} == {Outcome.SAME}
    told = text(a, b)
    assert "| dropout" in told.partition("## What is best")[2]


def test_noise_is_not_called_a_difference(tmp_path):
    """Another baseline, with no effect: the same accuracies under other seeds' noise."""
    a = write(tmp_path / "a")
    b = write(tmp_path / "b", baseline=CONFIG["baseline"] | {"activation": "tanh"})
    rows = study_comparison.rows(a, b)
    assert {row.outcome for row in rows} == {Outcome.OPEN}
    assert all(row.p > 0.05 for row in rows)
    told = text(a, b)
    assert "| baseline: activation function" in told
    assert "| tanh" in told.lower()


def test_the_p_values_are_corrected_over_what_is_tested(tmp_path):
    a = write(tmp_path / "a")
    b = write(tmp_path / "b", 0.003, baseline=CONFIG["baseline"] | {"activation": "tanh"})
    rows = study_comparison.rows(a, b)
    pairs = [(row.b, row.a) for row in rows]
    alone = study_comparison.experiments.between(pairs).p
    assert [row.p for row in rows] == pytest.approx(
        list(study_comparison.significance.holm(alone, len(rows)))
    )


def test_other_seeds_of_the_same_training_are_told_and_not_tested(tmp_path):
    a, b = write(tmp_path / "a"), write(tmp_path / "b", seeds=[0, 1, 2, 3, 4, 9])
    b.metrics.update(a.metrics)
    merged = b.metrics.merge(a.metrics, on=["run", "seed", "epoch"], how="left")
    b.metrics["validation_accuracy"] = merged["validation_accuracy_y"].fillna(0.5).to_numpy()
    assert {row.outcome for row in study_comparison.rows(a, b)} == {Outcome.SAME}
    told = text(a, b)
    assert "| seeds" in told
    assert "0–4, 9" in told
    assert "only the seeds in common are looked at" in told


def test_one_seed_cannot_be_tested(tmp_path):
    a, b = write(tmp_path / "a", seeds=1), write(tmp_path / "b", seeds=1, gain=0.1)
    assert by_key(study_comparison.rows(a, b))["dropout", "0.3"].outcome is Outcome.UNTESTED
    assert "not tested" in text(a, b)


def test_other_epochs_and_validation_images_are_said(tmp_path):
    a = write(tmp_path / "a")
    b = write(
        tmp_path / "b",
        baseline=CONFIG["baseline"] | {"epochs": 4},
        data={"validation": {"from": "train", "size": 1000}},
    )
    told = text(a, b)
    assert "The accuracies are of different images." in told
    assert "training images held out: 1,000 (seed 0)" in told
    assert "| 3 / 4 |" in told.replace("  ", " ")
    assert "Where the epochs differ" in told


def test_what_only_one_has_is_listed_and_another_meaning_is_not_mixed_up(tmp_path):
    others = {
        "dropout": {"vary": {"dropout": [0.1, 0.5]}},
        "batch_size": {"vary": {"learning_rate": [32.0, 64.0]}},
        "new": {"vary": {"shift": [0, 1]}},
    }
    a, b = write(tmp_path / "a"), write(tmp_path / "b", experiments=others, final=None)
    only = text(a, b).partition("## What only one of them has")[2].partition("\n## ")[0]
    for part in ("experiment batch\\_size", "experiment new", "dropout: 0.5", "final model"):
        assert part in only
    rows = by_key(study_comparison.rows(a, b))
    assert set(rows) == {("dropout", "0.1")}


def test_nothing_in_common_is_said(tmp_path):
    b = {"new": {"vary": {"shift": [0, 1]}}}
    told = text(write(tmp_path / "a"), write(tmp_path / "b", experiments=b, final=None))
    assert "no value in common" in told


def test_other_data_are_not_compared(tmp_path):
    a, b = write(tmp_path / "a"), write(tmp_path / "b")
    b = replace(b, plan=replace(b.plan, dataset="my.yaml"))
    told = text(a, b)
    assert "their accuracies are not comparable" in told
    assert "What differs in results" not in told


def test_what_made_them_is_told_where_it_differs(tmp_path):
    other = {"commit": "c0ffee", "versions": {"torch": "3"}, "devices": ["cuda"]}
    told = text(write(tmp_path / "a"), write(tmp_path / "b", made_by=other))
    assert "| version of torch" in told
    assert "| trained on" in told
    assert "commit of the code" not in told


@pytest.mark.parametrize("damaged", ["plan.json", "metrics.parquet", "summary.parquet"])
def test_a_study_that_is_not_whole_is_told_with_what_to_do(tmp_path, damaged):
    write(tmp_path / "a")
    (tmp_path / "a" / damaged).write_text("{", encoding="utf-8")
    with pytest.raises(StudyError, match=r"is damaged .*make report"):
        study_comparison.read_results(tmp_path / "a")
    (tmp_path / "a" / damaged).unlink()
    with pytest.raises(StudyError, match=rf"{damaged}: is missing; .*make report"):
        study_comparison.read_results(tmp_path / "a")


def test_the_program_writes_both_languages_and_pages(tmp_path, monkeypatch, capsys):
    write(tmp_path / "a")
    write(tmp_path / "b", gain=0.05)
    words = ["compare_studies.py", "a", "b"]
    monkeypatch.setattr(sys, "argv", words)
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "comparison"
    door.enter(compare_studies)
    told = capsys.readouterr().out
    for code in available():
        written = (made / f"comparison.{code}.md").read_text(encoding="utf-8")
        page = (made / f"comparison.{code}.html").read_text(encoding="utf-8")
        assert f'<html lang="{code}">' in page
        assert page.count("<tr>") == sum(
            line.startswith("| ") and not line.startswith("| --") for line in written.splitlines()
        )
        assert "://" not in page
    assert "What differs in results" in told
    assert str(made / "comparison.es.html") in told
    spanish = (made / "comparison.es.md").read_text(encoding="utf-8")
    assert "+5,00" in spanish
