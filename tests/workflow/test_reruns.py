"""What runs again when something changes: docs/what-runs-again.md, row by row.

'No training' is read off the journals, which say what was really trained.
"""

import os
import shutil
from pathlib import Path

import pyarrow.parquet as pq

from mnistlike import write_dataset
from small_study import CLASSES, STUDY, Study, copy_code

VARIED = {"dropout": {"vary": {"dropout": [0.0, 0.2]}}}
WITH_ONE_MORE = {"dropout": {"vary": {"dropout": [0.0, 0.2, 0.5]}}}


def epochs(count: int) -> dict:
    return STUDY["baseline"] | {"epochs": count}


def test_a_study_grows_by_exactly_what_is_new_and_shrinks_without_training(finished):
    """Values, seeds and epochs added and removed one after the other, with the work each causes."""
    study = finished
    assert len(list(study.results.glob("runs/*"))) == 2

    # Nothing changed; then files rewritten with the same content.
    assert "Nothing to be done" in study.ok().output
    for path in [study.folder / "study.yaml", *study.results.glob("data/*/*")]:
        os.utime(path)
    assert "Nothing to be done" in study.ok().output

    # A value more: one run.
    before = study.trained()
    study.configure(experiments=WITH_ONE_MORE)
    assert study.ok().jobs["train"] == 1
    assert study.newly_trained(before) == 2 * 2

    # A value less: metrics onward.
    before = study.trained()
    study.configure()
    jobs = study.ok().jobs
    assert "train" not in jobs
    assert jobs["collect_metrics"] == jobs["write_report"] == jobs["write_page"] == 1
    assert study.newly_trained(before) == 0
    assert pq.read_table(study.results / "metrics.parquet").num_rows == 2 * 2 * 2

    # A seed more: that replicate of each run, the others as they were.
    before, old = study.trained(), study.content()
    study.configure(seeds=3)
    assert study.ok("metrics").jobs["train"] == 2
    assert study.newly_trained(before) == 2 * 2
    new = study.content()
    for run, (record, _) in old.items():
        if run in new and len(record["seed"]) == 4:
            assert {key: column[:4] for key, column in new[run][0].items()} == record

    # Epochs raised: from the saved state on.
    before = study.trained()
    study.configure(seeds=3, baseline=epochs(3))
    assert study.ok("metrics").jobs["train"] == 2
    assert study.newly_trained(before) == 2 * 3 * 1

    # Seeds removed and epochs lowered: no training, and the rows are gone.
    before = study.trained()
    study.configure(seeds=[1], baseline=epochs(1))
    assert "train" not in study.ok("metrics").jobs
    assert study.newly_trained(before) == 0
    assert pq.read_table(study.results / "metrics.parquet").num_rows == 2

    # An experiment renamed.
    study.configure(seeds=[1], baseline=epochs(1), experiments={"other": VARIED["dropout"]})
    assert "train" not in study.ok().jobs
    assert study.newly_trained(before) == 0
    assert (study.results / "figures" / "other.en.png").is_file()

    # The grown study has the numbers of one run from scratch.
    scratch = Study(study.folder / "scratch")
    scratch.configure(seeds=3, baseline=epochs(3))
    scratch.ok("metrics")
    grown = study.content()
    assert {run: grown[run] for run in scratch.content()} == scratch.content()


def test_an_experiment_more_leaves_the_figures_of_the_others(finished):
    before = finished.trained()
    finished.configure(experiments=VARIED | {"length": {"vary": {"epochs": [1, 2]}}})
    jobs = finished.ok().jobs
    assert jobs["draw_experiment"] == jobs["write_report"] == jobs["write_page"] == 1
    assert "train" not in jobs
    assert finished.newly_trained(before) == 0


def test_a_fresh_clone_of_the_code_beside_kept_results_has_nothing_to_do(finished, tmp_path):
    code = tmp_path / "clone"
    copy_code(code)
    for path in code.rglob("*"):
        os.utime(path)
    finished.snakefile = code / "Snakefile"
    assert "Nothing to be done" in finished.ok().output


def test_an_edited_figure_module_redraws_and_edited_training_code_retrains(finished, tmp_path):
    study, code = finished, tmp_path / "clone"
    copy_code(code)
    study.snakefile = code / "Snakefile"

    before = study.trained()
    with (code / "scripts" / "study" / "figures" / "experiment_figures.py").open("a") as file:
        file.write("\n# A remark.\n")
    jobs = study.ok().jobs
    assert jobs["draw_experiment"] == 1
    assert "train" not in jobs
    assert "collect_metrics" not in jobs
    assert study.newly_trained(before) == 0

    with (code / "scripts" / "study" / "learning" / "stacked_mlp.py").open("a") as file:
        file.write("\n# A remark.\n")
    assert study.ok().jobs["train"] == 2
    assert study.newly_trained(before) == 2 * 2 * 2
    log = next(study.results.glob("runs/*/train.log")).read_text(encoding="utf-8")
    assert "made with other code" in log


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_all_that_learning_depends_on_retrains_even_without_snakemakes_notes(finished, tmp_path):
    """Code, torch's version and data, each with .snakemake/ gone; the plan says why."""
    study, code = finished, tmp_path / "clone"
    copy_code(code)
    study.snakefile = code / "Snakefile"
    library = code / "scripts" / "study"

    def replan() -> str:
        shutil.rmtree(study.folder / ".snakemake")
        done = study.call(code / "scripts" / "show_plan.py", "--configfile", "study.yaml")
        assert done.returncode == 0, done.stderr
        return done.stdout

    shutil.rmtree(study.folder / ".snakemake")
    before = study.trained()
    assert "train" not in study.ok("metrics").jobs

    edit(
        library / "learning" / "stacked_mlp.py",
        "mask.mul_(RESOLUTION",
        "mask.mul_(1.0 * RESOLUTION",
    )
    assert "code changed" in replan()
    assert study.ok("metrics").jobs["train"] == 2
    assert study.newly_trained(before) == 2 * 2 * 2

    before = study.trained()
    edit(library / "runs" / "fingerprint.py", 'version("torch")', '"0." + version("torch")')
    assert "torch changed" in replan()
    study.ok("metrics")
    assert study.newly_trained(before) == 2 * 2 * 2

    before = study.trained()
    write_dataset(study.folder / "data", classes=CLASSES, train=600, test=200, side=8, seed=1)
    assert "data changed" in replan()
    study.ok("metrics")
    assert study.newly_trained(before) == 2 * 2 * 2


def test_edited_comments_can_be_accepted_and_edited_code_cannot(finished, tmp_path):
    study, code = finished, tmp_path / "clone"
    copy_code(code)
    study.snakefile = code / "Snakefile"
    network = code / "scripts" / "study" / "learning" / "stacked_mlp.py"

    def accept() -> str:
        done = study.call(code / "scripts" / "accept_code.py", "--yes")
        assert done.returncode == 0, done.stderr
        return done.stdout

    before = study.trained()
    edit(network, "# Dropout draws 16 random bits", "# Dropout draws sixteen random bits")
    edit(network, '"""Zero for a dropped unit', '"""Nought for a dropped unit')
    assert "2 runs accepted, 0 would be trained anew" in accept()
    study.ok("metrics")
    assert study.trained() == before
    assert "Nothing to be done" in study.ok("metrics").output

    edit(network, "mask.mul_(RESOLUTION", "mask.mul_(1.0 * RESOLUTION")
    assert "0 runs accepted, 2 would be trained anew" in accept()
    study.ok("metrics")
    assert study.newly_trained(before) == 2 * 2 * 2


def test_more_resources_train_nothing(finished):
    before = finished.trained()
    finished.ok("--set-resources", "train:mem_mb=2000", "train:runtime=99", "--", "metrics")
    finished.ok("--resources", "gpu=1", "--", "metrics")
    assert finished.trained() == before
