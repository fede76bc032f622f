"""What a run lacks is seen on disk, whatever Snakemake says; a smaller wish asks for nothing."""

import dataclasses
import shutil

import pytest

from finished import LEARNING, finish, planned, replicate, write_state
from mnistlike import write_dataset
from study.data.datasets import describe
from study.operations import jobs
from study.runs.completeness import OUTPUTS, by_description, completeness_of, finished_part
from study.support.errors import StudyError


@pytest.fixture
def run():
    return planned(seeds=2, baseline={"epochs": 4, "hidden": [4]}).runs[0]


def test_a_finished_run_lacks_nothing_and_its_request_stays(run, tmp_path):
    finish(tmp_path, run)
    found = completeness_of(run, tmp_path, LEARNING)
    assert (found.reasons, found.epochs) == ((), 0)
    words = jobs.request(run, found)
    assert words == ["--seeds", "0", "1", "--epochs", "4"]
    for smaller in ({"epochs": 2}, {"seeds": [1]}, {"seeds": [0], "epochs": 1}):
        wish = dataclasses.replace(run, **smaller)
        assert jobs.request(wish, completeness_of(wish, tmp_path, LEARNING)) == words


@pytest.mark.parametrize(
    ("bigger", "reasons", "epochs"),
    [
        ({"epochs": 6}, ("more epochs",), 2 * 2),
        ({"seeds": [0, 1, 7]}, ("more seeds",), 4),
        ({"seeds": [7, 1], "epochs": 5}, ("more seeds", "more epochs"), 5 + 1),
        ({"kept_epochs": [3]}, ("weights of epoch 3 were not kept",), 2 * 4),
        ({"kept_epochs": [4]}, (), 0),
    ],
)
def test_a_bigger_wish_is_told_with_what_it_costs(run, tmp_path, bigger, reasons, epochs):
    finish(tmp_path, run)
    wish = dataclasses.replace(run, **bigger)
    found = completeness_of(wish, tmp_path, LEARNING)
    assert (found.reasons, found.epochs) == (reasons, epochs)
    if reasons:
        words = jobs.request(wish, found)
        assert words[words.index("--epochs") + 1] == str(wish.epochs)


@pytest.mark.parametrize("changed", ["code", "data", "torch"])
def test_what_was_learned_from_something_else_is_all_to_be_trained(run, tmp_path, changed):
    finish(tmp_path, run)
    found = completeness_of(run, tmp_path, LEARNING | {changed: "other"})
    assert (found.reasons, found.epochs) == ((f"{changed} changed",), 2 * 4)


def test_in_storage_a_run_is_known_by_its_description_alone(run, tmp_path):
    """Its other files lie elsewhere."""
    text = (finish(tmp_path, run) / "settings.json").read_text(encoding="utf-8")
    for wish in (run, dataclasses.replace(run, epochs=6, seeds=[0, 7])):
        expected = completeness_of(wish, tmp_path, LEARNING)
        assert by_description(wish, text, LEARNING) == expected
    found = by_description(run, text, LEARNING | {"code": "other"})
    assert (found.reasons, found.epochs) == (("code changed",), 2 * 4)
    for nothing in (None, "", text[:-9]):
        found = by_description(run, nothing, LEARNING)
        assert (found.reasons, found.epochs) == (("new",), 2 * 4)


def test_a_run_that_was_stopped_goes_on(run, tmp_path):
    write_state(tmp_path, run, {0: replicate(run, 3), 1: replicate(run, 1)})
    found = completeness_of(run, tmp_path, LEARNING)
    assert (found.reasons, found.epochs) == (("unfinished",), 1 + 3)


def test_nothing_is_new_and_a_damaged_state_is_no_state(run, tmp_path):
    assert completeness_of(run, tmp_path, LEARNING).reasons == ("new",)
    write_state(tmp_path, run, {0: replicate(run, 3)})
    path = tmp_path / run.run / "state.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    found = completeness_of(run, tmp_path, LEARNING)
    assert (found.reasons, found.epochs) == (("damaged",), 2 * 4)


def test_more_epochs_than_a_lost_state_has_are_trained_from_the_beginning(run, tmp_path):
    (finish(tmp_path, run) / "state.safetensors").unlink()
    assert completeness_of(run, tmp_path, LEARNING).epochs == 0
    wish = dataclasses.replace(run, epochs=6)
    found = completeness_of(wish, tmp_path, LEARNING)
    assert (found.reasons, found.epochs) == (("the saved state is lost",), 2 * 6)


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_shortened_or_missing_output_is_damaged_and_costs_no_epoch(run, tmp_path, name):
    folder = finish(tmp_path, run)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-1])
    found = completeness_of(run, tmp_path, LEARNING)
    assert (found.damaged, found.epochs) == ((name,), 0)
    (folder / name).unlink()
    assert completeness_of(run, tmp_path, LEARNING).damaged == (name,)


def test_no_byte_of_settings_json_can_be_altered_and_believed(run, tmp_path):
    path = finish(tmp_path, run) / "settings.json"
    content = path.read_bytes()
    for position in range(0, len(content), 7):
        altered = bytearray(content)
        altered[position] ^= 1
        path.write_bytes(altered)
        found = completeness_of(run, tmp_path, LEARNING)
        # Space between words may change; what is said may not.
        believed = found.reasons == () and found.replicates
        assert believed or found.damaged == ("settings.json",)
    path.write_bytes(content)


def test_a_diverged_replicate_lacks_nothing(run, tmp_path):
    finish(tmp_path, run, {0: replicate(run, 4), 1: replicate(run, 2, diverged=True)})
    wish = dataclasses.replace(run, epochs=9, seeds=[1])
    assert completeness_of(wish, tmp_path, LEARNING).epochs == 0


def test_the_finished_part_of_a_plan_names_what_is_missing(tmp_path):
    plan = planned(seeds=2, baseline={"epochs": 4, "hidden": [4]}, final={"dropout": 0.2})
    with pytest.raises(StudyError, match="no run of this study is finished"):
        finished_part(plan, tmp_path, LEARNING)
    first, second = plan.runs
    finish(tmp_path, first, {0: replicate(first, 4)})
    part = finished_part(plan, tmp_path, LEARNING)
    assert [value.value for value in part.experiments[0].values] == ["0.1"]
    assert part.missing == ["dropout: 0.2", "final"]
    assert [(run.run, run.seeds) for run in part.runs] == [(first.run, [0])]
    finish(tmp_path, second)
    whole = finished_part(plan, tmp_path, LEARNING)
    assert whole.missing == []
    assert [run.seeds for run in whole.runs] == [[0], [0, 1]]
    shutil.rmtree(tmp_path / first.run)
    assert finished_part(plan, tmp_path, LEARNING).missing == ["dropout: 0.1"]


def test_longer_and_larger_runs_come_first_and_get_more(run):
    longer = dataclasses.replace(run, epochs=400)
    wider = dataclasses.replace(run, settings=run.settings | {"hidden": [512, 256]})
    sizes = jobs.ASSUMED
    for more in (longer, wider):
        assert jobs.seconds(more, sizes) > jobs.seconds(run, sizes)
        assert jobs.runtime_minutes(more, sizes) >= jobs.runtime_minutes(run, sizes)
    assert jobs.memory_mb(wider, sizes, "cpu") > jobs.memory_mb(run, sizes, "cpu")
    assert jobs.memory_mb(run, sizes, "cuda") > jobs.memory_mb(run, sizes, "cpu")


def test_the_time_of_a_job_goes_by_the_true_sizes_of_the_data(run, tmp_path):
    path = write_dataset(tmp_path, classes=["a", "b"], train=40, test=20, side=6)
    dataset = describe(path)
    dataset.fetch(tmp_path / "there", [str(tmp_path)], print)
    assert jobs.sizes(dataset, tmp_path / "nowhere") == jobs.ASSUMED
    sizes = jobs.sizes(dataset, tmp_path / "there")
    assert sizes == jobs.Sizes(36, 2, 40)
    assert jobs.seconds(run, sizes) < jobs.seconds(run, jobs.ASSUMED)
