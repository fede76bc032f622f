"""Seeds by need: who gets further ones, that verdicts hold, and what a config may say."""

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from study.results import experiments
from study.results.comparisons import compare
from study.results.summary import summarise
from study.search.by_need import take
from study.spec.config import validated
from study.spec.plan import Plan, runs_of
from study.spec.resolution import resolve
from study.spec.searches import parse, path_of
from study.statistics.estimates import estimate
from study.statistics.significance import LEVEL, is_clear
from study.support.errors import StudyError

FULL = os.environ.get("HYPOTHESIS_PROFILE") == "full"
DRAWS = 2000 if FULL else 100

START, MOST = 3, 20
LOOKS = [3, 6, 11, 20]


def planned(values=3, start=START, most=MOST, vary=None, **others) -> Plan:
    vary = vary or {"dropout": [0.1 * place for place in range(values)]}
    experiment = {"vary": vary, "seeds": {"start": start, "most": most}}
    config = {"baseline": {"epochs": 1}, "experiments": {"one": experiment}, **others}
    return resolve(validated(config, "config.yaml"))


def measured(plan: Plan, samples, lost=()) -> pd.DataFrame:
    """Rows of metrics.parquet: value i under the n-th seed ends at samples[i, n].

    `lost` are the values and places of seeds that diverged.
    """
    [experiment] = plan.experiments
    rows = [
        {
            "run": value.run,
            "seed": seed,
            "epoch": value.epochs,
            **dict.fromkeys(("train_loss", "validation_loss"), 1.0),
            **dict.fromkeys(("train_accuracy", "validation_accuracy"), samples[place][number]),
            "status": "diverged" if (place, number) in lost else "ok",
        }
        for place, value in enumerate(experiment.values)
        for number, seed in enumerate(experiment.seeds)
    ]
    return pd.DataFrame(rows)


def to_its_end(plan: Plan, metrics: pd.DataFrame) -> Plan:
    [experiment] = plan.experiments
    for _ in experiment.steps:
        taken = take(experiment, plan, metrics)
        experiment = replace(experiment, taken=[*experiment.taken, taken])
    return replace(plan, experiments=[experiment])


def counts(plan: Plan) -> list[int]:
    [experiment] = plan.experiments
    return [len(trial.seeds) for trial in experiment.trials]


def found(plan: Plan, metrics: pd.DataFrame) -> experiments.ExperimentResult:
    summary = summarise(plan, metrics, dataset=None).to_pandas()
    return experiments.experiments(plan, summary, metrics)[0]


def drawn(means, sd=0.01, seed=0):
    return np.random.default_rng(seed).normal(np.array(means)[:, None], sd, (len(means), MOST))


def raced(samples) -> experiments.ExperimentResult:
    """What comes of an experiment whose values have these scores, the rest being made up."""
    whole = []
    for place, row in enumerate(samples):
        by_seed = dict(enumerate(row.tolist()))
        known = replace(estimate(row), by_seed=by_seed)
        value = experiments.ValueResult(
            str(place), {"dropout": place}, str(place), 1, MOST, 0, known, known
        )
        whole.append(replace(value, seeds=range(MOST), looks=LOOKS))
    seeds = dict.fromkeys(map(str, range(len(whole))), START)
    result = None
    for count in [*LOOKS[1:], None]:
        most = max(seeds.values())
        values = [
            replace(value.after(seeds[value.text]), left_out=seeds[value.text] < most)
            for value in whole
        ]
        result = experiments.ExperimentResult("one", ["dropout"], {"dropout": None}, values)
        if count:
            seeds |= {value.text: count for value in result.in_question}
    return result


def all_p(experiment):
    return [experiment.p_between(*pair) for pair in experiment.compared] + [experiment.p_slope]


class TestWhoGetsSeeds:
    def test_where_the_best_is_clear_at_once_nobody(self):
        plan = planned()
        ended = to_its_end(plan, measured(plan, drawn([0.9, 0.3, 0.5])))
        assert counts(ended) == [3, 3, 3]
        assert ended.experiments[0].epochs_to_come == 0

    def test_what_may_be_the_best_and_nobody_else(self):
        plan = planned()
        ended = to_its_end(plan, measured(plan, drawn([0.8, 0.3, 0.8])))
        assert counts(ended) == [20, 3, 20]

    def test_what_is_left_out_at_a_later_look_has_the_seeds_of_then(self):
        plan = planned()
        ended = to_its_end(plan, measured(plan, drawn([0.8, 0.75, 0.8])))
        assert counts(ended) == [20, 6, 20]

    def test_it_ends_when_the_best_is_clear(self):
        plan = planned()
        ended = to_its_end(plan, measured(plan, drawn([0.8, 0.3, 0.775])))
        assert counts(ended) == [6, 3, 6]

    def test_what_lost_more_seeds_than_the_best_is_not_in_question(self):
        plan = planned()
        samples = drawn([0.8, 0.3, 0.8])
        ended = to_its_end(plan, measured(plan, samples, lost=[(2, 0)]))
        assert counts(ended) == [3, 3, 3]

    def test_where_every_seed_diverged_nobody(self):
        plan = planned()
        lost = [(value, seed) for value in range(3) for seed in range(MOST)]
        assert counts(to_its_end(plan, measured(plan, drawn([0.8] * 3), lost))) == [3, 3, 3]

    def test_where_seeds_do_not_scatter_all_of_those_ahead(self):
        plan = planned()
        samples = [np.full(MOST, 0.8), np.full(MOST, 0.8), drawn([0.2])[0]]
        assert counts(to_its_end(plan, measured(plan, samples))) == [20, 20, 3]

    def test_records_beyond_what_was_asked_for_are_no_matter(self):
        plan = planned()
        samples = drawn([0.8, 0.3, 0.8])
        metrics = measured(plan, samples)
        ended = to_its_end(plan, metrics)
        asked = runs_of(ended.experiments, [], None, plan.seeds, False)
        kept = {(run.run, seed) for run in asked for seed in run.seeds}
        places = zip(metrics["run"], metrics["seed"], strict=True)
        alone = metrics[[place in kept for place in places]]
        assert to_its_end(plan, alone) == ended
        pd.testing.assert_frame_equal(
            compare([found(ended, alone)]).to_pandas(), compare([found(ended, metrics)]).to_pandas()
        )

    def test_values_of_one_training_are_compared_seed_by_seed(self):
        """Their noise is the training's, so that its seeds show what Welch's test would not."""
        plan = planned(vary={"epochs": [1, 2]})
        noise = np.random.default_rng(0).normal(0, 0.05, MOST)
        samples = [0.7 + noise, 0.72 + noise + np.linspace(0, 0.001, MOST)]
        ended = to_its_end(plan, measured(plan, samples))
        assert counts(ended) == [3, 3]
        [pair] = compare([found(ended, measured(plan, samples))]).to_pylist()
        assert pair["paired"]


class TestVerdicts:
    def test_a_pair_is_tested_on_the_seeds_that_both_have_at_the_part_of_its_look(self):
        plan = planned()
        samples = drawn([0.8, 0.3, 0.8])
        metrics = measured(plan, samples)
        rows = compare([found(to_its_end(plan, metrics), metrics)]).to_pylist()
        row = next(row for row in rows if row["other"] == "0.1" and row["value"] == "0.0")
        both = samples[:2, :3]
        assert row["difference"] == pytest.approx(both[0].mean() - both[1].mean())
        plain = planned(start=3, most=3)
        untouched = compare([found(plain, measured(plain, samples[:, :3]))]).to_pylist()
        same = next(row for row in untouched if row["other"] == "0.1" and row["value"] == "0.0")
        assert row["p"] == pytest.approx(same["p"] * 20 / 3)
        assert row["high"] - row["low"] > same["high"] - same["low"]

    @pytest.mark.parametrize("spread", ["normal", "skewed"])
    @pytest.mark.parametrize("values", [2, 4])
    def test_without_an_effect_at_most_5_percent_end_with_a_clear_verdict(self, values, spread):
        """2,000 draws in full length. Who is left out gets no more seeds."""
        generator = np.random.default_rng(21)
        shape = (DRAWS, values, MOST)
        draws = generator.normal(size=shape)
        if spread == "skewed":
            draws = -generator.exponential(size=shape)
        ended = [raced(0.7 + 0.01 * draw) for draw in draws]
        false = sum(any(map(is_clear, all_p(experiment))) for experiment in ended)
        # Of few draws, more may be false by chance: here in one run of a thousand.
        assert false <= (LEVEL * DRAWS if FULL else stats.binom.ppf(0.999, DRAWS, LEVEL))
        # Most come to all seeds, and it is these looks that the level is for.
        assert sum(len(each.best.seeds) for each in ended) > 0.9 * MOST * DRAWS

    def test_what_is_left_out_is_never_best_however_lucky_its_few_seeds(self):
        plan = planned()
        samples = drawn([0.8, 0.75, 0.8])
        samples[[0, 2], 6:] -= 0.2
        metrics = measured(plan, samples)
        ended = to_its_end(plan, metrics)
        assert counts(ended) == [20, 6, 20]
        result = found(ended, metrics)
        assert result.best is not result.values[1]
        assert result.values[1].validation.mean > result.best.validation.mean


class TestConfig:
    def test_all_begin_with_start_and_the_study_s_seeds_come_first(self):
        plan = planned(seeds=[7, 1])
        assert {tuple(run.seeds) for run in plan.runs} == {(7, 1, 0)}
        [experiment] = plan.experiments
        assert [step.seeds for step in experiment.steps][0] == [7, 1, 0, 2, 3, 4]
        assert [len(step.seeds) for step in experiment.steps] == LOOKS[1:]
        assert experiment.epochs_to_come == 3 * (20 - 3)

    def test_a_run_has_what_any_of_its_askers_wants(self):
        others = {"batch": {"vary": {"batch_size": [50, 100]}}}
        by_need = {"one": {"vary": {"dropout": [0.0, 0.1]}, "seeds": {"start": 3, "most": 4}}}
        plan = planned(seeds=5, experiments={**others, **by_need})
        assert sorted(len(run.seeds) for run in plan.runs) == [3, 5, 5]
        assert {len(run.seeds) for run in plan.only("one").runs} == {3}

    def test_start_alone_is_a_plain_experiment_of_so_many_seeds(self):
        [experiment] = planned(start=4, most=4).experiments
        assert experiment.steps == []
        assert experiment.seeds == [0, 1, 2, 3]

    def test_the_steps_taken_are_those_of_the_same_experiment_alone(self):
        plan = planned()
        ended = to_its_end(plan, measured(plan, drawn([0.8, 0.3, 0.8])))
        files = {
            path_of("one", step.name): taken.to_json()
            for step, taken in zip(
                ended.experiments[0].steps, ended.experiments[0].taken, strict=True
            )
        }

        def again(**changes):
            [experiment] = planned(**changes).experiments
            return experiment.with_history(lambda *step: files.get(path_of(*step)), str).taken

        assert again() == ended.experiments[0].taken
        assert all(parse(text) for text in files.values())
        for other in ({"most": 21}, {"start": 4}, {"values": 4}, {"seeds": [3]}):
            assert again(**other) == []

    @pytest.mark.parametrize(
        ("seeds", "told"),
        [
            ({"start": 5, "most": 3}, "seeds: start, 5, must not be above most, 3"),
            ({"start": 1, "most": 3}, "seeds.start: must be at least 2, is 1"),
            ({"start": 3}, "seeds: key 'most' is missing"),
            ({"start": 3, "most": 9, "mots": 1}, "seeds: unknown key 'mots'; did you mean 'most'"),
            ({"start": 3, "most": 1001}, "seeds.most: must be at most 1000, is 1001"),
            ({"start": 2.5, "most": 9}, "seeds.start: must be a whole number, is 2.5"),
            (5, "seeds: must be keys with values, is 5"),
        ],
        ids=str,
    )
    def test_bad_input_is_named(self, seeds, told):
        config = {"experiments": {"one": {"vary": {"dropout": [0.0, 0.1]}, "seeds": seeds}}}
        with pytest.raises(StudyError) as error:
            resolve(validated(config, "config.yaml"))
        assert f"experiments.one.{told}" in str(error.value)

    def test_one_value_alone_has_no_answer_to_wait_for(self):
        with pytest.raises(
            StudyError, match=r"experiments\.one\.seeds: an experiment of one value"
        ):
            planned(values=1)
