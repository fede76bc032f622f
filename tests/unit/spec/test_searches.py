"""What a config says of a search, which steps it takes, and how its history is read."""

import hashlib
import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.spec.choice import Choice, digest
from study.spec.config import validated
from study.spec.plan import Plan, run_name
from study.spec.resolution import resolve
from study.spec.search_config import choices, combinations
from study.spec.searches import Taken, Trial, history_in, path_of, steps_of
from study.support.errors import StudyError

SPACE = {"learning_rate": {"low": 0.001, "high": 0.1, "log": True}, "dropout": [0.0, 0.2]}


def config(**search):
    described = {"space": SPACE, "trials": 6, **search}
    return {
        "baseline": {"epochs": 9},
        "seeds": 3,
        "experiments": {"batch": {"vary": {"batch_size": [50, 100]}}},
        "search": {"tuned": described},
    }


def search(**changes):
    [found] = resolve(validated(config(**changes), "config.yaml")).searches
    return found


def told(**changes):
    with pytest.raises(StudyError) as error:
        search(**changes)
    return str(error.value)


def test_trials_are_drawn_in_rounds_and_seeds_added_one_by_one():
    steps = search(parallel=4, confirm=2).steps
    assert [(step.name, step.drawn, step.kept, step.epochs, step.seeds) for step in steps] == [
        ("trials-0001", 4, 0, 9, [0]),
        ("trials-0002", 2, 0, 9, [0]),
        ("seeds-0002", 0, 3, 9, [0, 1]),
        ("seeds-0003", 0, 2, 9, [0, 1, 2]),
    ]


def test_rungs_grow_by_the_factor_up_to_all_epochs():
    steps = search(trials=9, parallel=9, halving={"min_epochs": 2}, confirm=1).steps
    assert [(step.name, step.kept, step.epochs) for step in steps[1:3]] == [
        ("epochs-0006", 3, 6),
        ("epochs-0009", 1, 9),
    ]


def test_most_trials_are_left_out_by_their_first_seed():
    steps = steps_of(64, 64, 1, range(5), None, 6)
    assert [step.kept for step in steps[1:]] == [20, 12, 8, 6]


@given(
    trials=st.integers(1, 300),
    parallel=st.integers(1, 50),
    epochs=st.integers(2, 100),
    seeds=st.integers(1, 20),
    first=st.integers(1, 99),
    factor=st.integers(2, 30),
    confirm=st.integers(1, 300),
)
def test_steps_narrow_down_to_what_is_confirmed(
    trials, parallel, epochs, seeds, first, factor, confirm
):
    halving = {"min_epochs": first, "reduction_factor": factor} if first < epochs else None
    confirm = min(confirm, trials)
    steps = steps_of(trials, parallel, epochs, range(seeds), halving, confirm)
    assert sum(step.drawn for step in steps) == trials
    kept = [trials, *(step.kept for step in steps if not step.drawn)]
    assert kept == sorted(kept, reverse=True)
    assert kept[-1] == confirm or seeds == 1 or (halving and kept[-1] >= 1)
    assert kept[-1] >= min(confirm, kept[-1]) >= 1
    reached = [step.epochs for step in steps]
    assert reached == sorted(reached)
    assert reached[-1] == epochs
    assert steps[-1].seeds == list(range(seeds))
    assert len({step.name for step in steps}) == len(steps)


def test_more_trials_leave_the_earlier_rounds_what_they_are():
    fewer, more = search(trials=8), search(trials=20)
    for step in ("trials-0001", "trials-0002"):
        assert fewer.until(step).digest == more.until(step).digest
    assert fewer.until("seeds-0002").digest != more.until("seeds-0002").digest


@pytest.mark.parametrize(
    "change",
    [
        {"sampler": "random"},
        {"seed": 1},
        {"parallel": 3},
        {"space": {**SPACE, "dropout": [0.0, 0.3]}},
        {"with": {"momentum": 0.9}},
        {"halving": {"min_epochs": 1}},
    ],
    ids=str,
)
def test_another_search_has_no_part_of_the_history(change):
    assert search(**change).until("trials-0001").digest != search().until("trials-0001").digest


def history_of(found, trials):
    texts = {}
    for step, drawn, asked in trials:
        texts[step] = Taken(found.until(step).digest, drawn, asked).to_json()
    return lambda name, step: texts.get(step)


def trial(plan, number, **settings):
    [found] = plan.searches
    whole = plan.hyperparameters.complete({**found.settings, **settings})
    run = run_name(whole, "FashionMNIST", plan.validation, plan.model)
    return Trial(number, "trials-0001", settings, run, 9, [0])


@pytest.fixture
def plan() -> Plan:
    return resolve(validated(config(trials=2, confirm=1), "config.yaml"))


def test_a_plan_has_the_runs_of_trials_as_far_as_they_are_asked_for(plan):
    [found] = plan.searches
    drawn = [trial(plan, 0, learning_rate=0.01, dropout=0.2), trial(plan, 1, dropout=0.0)]
    steps = [("trials-0001", drawn, [0, 1]), ("seeds-0002", [], [1])]
    history = history_of(found, steps)
    known = resolve(validated(config(trials=2, confirm=1), "config.yaml"), None, history)
    seeds = {run.run: run.seeds for run in known.runs}
    assert seeds[drawn[0].run] == [0]
    # The second is the baseline, which the experiment on batch sizes trains with all seeds.
    assert seeds[drawn[1].run] == [0, 1, 2]
    assert [each.seeds for each in known.searches[0].trials] == [[0], [0, 1]]
    assert not known.searches[0].is_finished
    assert Plan.from_json(json.loads(known.to_json())) == known


def test_of_what_is_not_taken_yet_the_most_that_it_trains_is_known():
    found = search(parallel=2, halving={"min_epochs": 1, "reduction_factor": 3}, confirm=1)
    # Six trials for one epoch; two go on to three; one to nine, and then with two seeds more.
    assert found.epochs_to_come == 6 + 2 * 2 + 6 + 2 * 9
    assert found.most_trials == 6
    taken = [Taken(found.until(step.name).digest, [], []) for step in found.steps]
    assert replace(found, taken=taken[:4]).epochs_to_come == 6 + 2 * 9
    assert replace(found, taken=taken).epochs_to_come == 0


def test_a_final_model_that_is_a_trial_with_fewer_seeds_is_a_run_of_its_own(plan):
    """When results choose it the trial is trained, and one call trains no run twice."""
    chosen = {"final": "best", **config(trials=2, confirm=1)}
    [found] = plan.searches
    drawn = [trial(plan, 0, learning_rate=0.01, dropout=0.2), trial(plan, 1, dropout=0.0)]
    history = history_of(
        found,
        [("trials-0001", drawn, [0, 1]), ("seeds-0002", [], [1]), ("seeds-0003", [], [1])],
    )
    known = resolve(validated(chosen, "config.yaml"), None, history)
    by = digest(known.experiments, known.seeds, known.searches)
    for one, prefix in zip(drawn, ("final-", ""), strict=True):
        choice = Choice(one.settings, [], by)
        final = resolve(validated(chosen, "config.yaml"), choice, history).final
        assert final.run == f"{prefix}{one.run}"


def test_a_search_s_digest_is_of_all_that_it_is():
    """As it stands in the files of steps: another one would have them all taken anew."""
    found = search(parallel=2, halving={"min_epochs": 3})
    known = asdict(replace(found, taken=[Taken("", [], [])]))
    known["taken"] = []
    del known["earlier"]
    text = json.dumps(known, sort_keys=True)
    assert found.digest == hashlib.sha256(text.encode()).hexdigest()[:16]


def test_a_step_s_file_is_read_again_where_it_is_another(tmp_path):
    history = history_in(tmp_path)
    path = tmp_path / path_of("tuned", "trials-0001")
    assert history("tuned", "trials-0001") is None
    path.parent.mkdir(parents=True)
    for text in ("one", "two"):
        # As the files of steps are written: under another name, and then moved.
        path.with_suffix(".new").write_text(text, encoding="utf-8")
        path.with_suffix(".new").replace(path)
        assert history("tuned", "trials-0001") == text
    path.write_bytes(b"\xff")
    assert history("tuned", "trials-0001") is None


@pytest.mark.parametrize("text", [None, "", "null", "[]", '{"of": 1}', "no JSON", '{"drawn": 3}'])
def test_what_is_no_step_counts_as_not_taken(plan, text):
    [found] = plan.searches
    assert found.with_history(lambda name, step: text, lambda settings: "") == found


def test_a_step_of_other_data_or_of_another_search_counts_as_not_taken(plan):
    [found] = plan.searches
    history = history_of(found, [("trials-0001", [trial(plan, 0, dropout=0.0)], [0])])
    assert found.with_history(history, lambda settings: "another") == found
    other = replace(found, seed=found.seed + 1)
    assert other.with_history(history, lambda settings: trial(plan, 0, dropout=0.0).run) == other


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"space": {"learning_rate": {"low": 0.1, "high": 0.01}}}, "low, 0.1, must be below high"),
        ({"space": {"dropout": {"low": 0.0, "high": 0.5, "log": True}}}, "log needs a low above 0"),
        ({"space": {"dropout": {"low": 0.0, "high": 0.5, "step": 0.2}}}, "the step 0.2 does not"),
        (
            {"space": {"learning_rate": {"low": 0.1, "high": 0.5, "step": 0.1, "log": True}}},
            "both log and step",
        ),
        ({"space": {"learning_rat": [0.1]}}, "did you mean 'learning_rate'"),
        ({"space": {"epochs": [1, 2]}}, "unknown key 'epochs'"),
        ({"space": {"dropout": [0.0, 1.5]}}, "must be at most 0.999"),
        ({"space": {"learning_rate": {"low": 0.1}}}, "key 'high' is missing"),
        ({"space": {"optimizer": {"low": 1, "high": 2}}}, "must be a list"),
        ({"with": {"dropout": 0.1}}, "'dropout' stands under both `space` and `with`"),
        ({"halving": {"min_epochs": 9}}, "leave nothing to halve"),
        ({"halving": {"min_epochs": 1}, "with": {"schedule": "cosine"}}, "under schedule cosine"),
        (
            {"halving": {"min_epochs": 1}, "space": {"schedule": ["constant", "one_cycle"]}},
            "under schedule one_cycle",
        ),
        ({"sampler": "grid"}, "a grid takes lists"),
        ({"sampler": "tpee"}, "did you mean 'tpe'"),
        ({"trials": 0}, "must be at least 1"),
        ({"space": {"momentum": [0.0, 0.9]}, "with": {"optimizer": "adam"}}, "does not use it"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_fit_is_told_with_its_key(change, message):
    text = told(**change)
    assert message in text
    assert "search.tuned" in text


def test_a_name_is_of_a_search_or_of_an_experiment():
    both = config() | {"experiments": {"tuned": {"vary": {"dropout": [0.0]}}}}
    with pytest.raises(StudyError, match="an experiment has this name too"):
        resolve(validated(both, "config.yaml"))


def test_a_small_space_ends_the_search_early_and_says_so():
    small = validated(config(space={"dropout": [0.0, 0.2]}), "config.yaml")
    plan = resolve(small)
    assert sum(step.drawn for step in plan.searches[0].steps) == 2
    assert plan.notes == ["search.tuned: its space has 2 combinations, fewer than 6 trials"]


def test_steps_of_decimal_numbers_are_those_that_were_written():
    assert choices({"low": 0.1, "high": 0.5, "step": 0.1}) == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert list(choices({"low": 16, "high": 64, "step": 16, "log": False})) == [16, 32, 48, 64]
    assert combinations({"dropout": [0.0, 0.2], "batch_size": {"low": 1, "high": 3}}) == 6
    assert combinations(SPACE) is None
