"""Findings follow from the numbers, and say no more than these."""

import math

import pytest

import madeup
from one_experiment import BASELINE, RATES, experiment_of, study_of
from study.results import comparisons, findings, trends
from study.results.findings import Estimate
from study.support.errors import StudyError


class TestBest:
    def test_a_wide_lead_is_clear(self):
        lead = findings.lead(experiment_of(RATES, [0.3, 0.7, 0.8, 0.6]))
        assert (lead.best.text, lead.runner_up.text) == ("0.01", "0.001")
        assert lead.size == pytest.approx(0.1)
        assert lead.is_clear
        assert lead.equals == []

    def test_a_narrow_lead_is_not(self):
        lead = findings.lead(experiment_of(RATES, [0.3, 0.7995, 0.8, 0.7990]))
        assert lead.is_tested
        assert not lead.is_clear
        assert [value.text for value in lead.equals] == ["0.001", "0.1"]

    def test_one_seed_tests_nothing(self):
        lead = findings.lead(experiment_of(RATES, [0.3, 0.7, 0.8, 0.6], seeds=1))
        assert not lead.is_tested
        assert not lead.is_clear
        assert lead.equals == []

    def test_a_lost_value_is_never_the_best(self):
        experiment = experiment_of(RATES, [0.3, 0.7, 0.8, 0.9], diverged={"lr0.1-": 5})
        assert experiment.best.text == "0.01"
        assert [value.text for value in experiment.lost] == ["0.1"]
        assert len(experiment.ranked) == 3

    def test_a_value_with_one_seed_left_is_not_tested(self):
        experiment = experiment_of(RATES, [0.3, 0.7, 0.8, 0.9], diverged={"lr": 4})
        assert [value.n for value in experiment.values] == [1] * 4
        lead = findings.lead(experiment)
        assert lead.best.text == "0.1"
        assert not lead.is_tested

    @pytest.mark.parametrize("lost", [1, 2, 4])
    def test_a_value_that_lost_seeds_is_never_best_over_one_that_lost_none(self, lost):
        """Issue 18, entry 1: the mean of the survivors won, and nothing was said of the others."""
        experiment = experiment_of(RATES, [0.3, 0.7, 0.8, 0.9], diverged={"lr0.1-": lost})
        lead, spread = findings.lead(experiment), findings.spread(experiment)
        assert [value.text for value in experiment.ranked] == ["0.01", "0.001", "0.0001", "0.1"]
        assert (lead.best.text, lead.runner_up.text) == ("0.01", "0.001")
        assert lead.size > 0
        assert (spread.best.text, spread.worst.text, spread.pairs) == ("0.01", "0.0001", 3)
        table = comparisons.compare([experiment]).to_pandas()
        assert set(table.loc[table["is_best"], "value"]) == {"0.01"}
        assert set(table.loc[table["difference"] < 0, "other"]) == {"0.1"}

    def test_where_all_lose_seeds_the_one_that_loses_fewest_is_best(self):
        lost = {"lr0.0001-": 3, "lr0.001-": 1, "lr0.01-": 2, "lr0.1-": 4}
        experiment = experiment_of(RATES, [0.3, 0.7, 0.8, 0.9], diverged=lost)
        assert experiment.best.text == "0.001"
        assert findings.lead(experiment) is None
        assert findings.spread(experiment) is None

    def test_all_lost(self):
        experiment = experiment_of(RATES, [0.3] * 4, diverged={"lr": 5})
        assert experiment.best is None
        for finding in (findings.lead, findings.spread, trends.trend, findings.published_order):
            assert finding(experiment) is None
        assert trends.edges(experiment) == []

    def test_a_single_value_leads_nothing(self):
        experiment = experiment_of({"learning_rate": [0.01]}, [0.8])
        assert findings.lead(experiment) is None
        assert findings.spread(experiment) is None


class TestSpread:
    def test_beside_the_noise(self):
        spread = findings.spread(experiment_of(RATES, [0.3, 0.7, 0.8, 0.8001]))
        assert spread.size == pytest.approx(0.5001)
        assert spread.noise == pytest.approx(madeup.SEED_DEVIATION)
        assert (spread.clear_pairs, spread.pairs) == (5, 6)

    def test_noise_is_pooled_by_degrees_of_freedom(self):
        estimates = [
            Estimate(3, 0.5, 0.01, 0, 1),
            Estimate(5, 0.6, 0.04, 0, 1),
            Estimate(1, 0.7, math.nan, math.nan, math.nan),
        ]
        expected = math.sqrt((2 * 0.01**2 + 4 * 0.04**2) / 6)
        assert findings.noise(estimates) == pytest.approx(expected)

    def test_one_seed_has_no_noise(self):
        spread = findings.spread(experiment_of(RATES, [0.3, 0.7, 0.8, 0.6], seeds=1))
        assert math.isnan(spread.noise)
        assert spread.pairs == 0

    def test_scatter_counts_a_shared_run_once(self):
        study = study_of({"dropout": [0.0, 0.2]}, [0.7, 0.8])
        twice = findings.experiments(study.plan, study.summary) * 2
        scatter = findings.scatter(twice)
        assert scatter.median == pytest.approx(madeup.SEED_DEVIATION)
        assert scatter.apart == pytest.approx(1.96 * math.sqrt(2) * scatter.median, rel=1e-3)


class TestGaps:
    def test_running_accuracy_under_dropout(self):
        """Made-up training accuracies lie 0.2 times the dropout below those of validation."""
        experiment = experiment_of({"dropout": [0.0, 0.2, 0.6]}, [0.8, 0.7, 0.6])
        gap = findings.running_gap(experiment)
        assert [value.text for value in gap.below] == ["0.2", "0.6"]
        assert (gap.count, gap.widest.text) == (3, "0.6")

    def test_running_accuracy_above_that_of_validation(self):
        gap = findings.running_gap(experiment_of({"dropout": [0.0, 0.01]}, [0.8, 0.7]))
        assert gap.below == []
        assert (gap.count, gap.widest.text) == (2, "0.0")

    def test_gap_between_images_seen_and_new(self):
        study = study_of({"dropout": [0.0, 0.6]}, [0.8, 0.7])
        experiment = findings.experiments(study.plan, study.summary)[0]
        value, gap = findings.widest_gap(experiment, study.metrics)
        assert gap.mean == pytest.approx(0.012)
        assert gap.low < gap.mean < gap.high
        assert findings.seen_score(value, study.metrics).mean == pytest.approx(
            value.validation.mean + 0.012
        )

    @pytest.mark.parametrize(
        ("gain", "lowest", "falling", "rising"),
        [(0.01, 3, True, False), (-0.01, 1, False, True)],
    )
    def test_course_of_the_loss(self, gain, lowest, falling, rising):
        study = study_of({"dropout": [0.0, 0.6]}, [0.8, 0.7], gain=gain)
        experiment = findings.experiments(study.plan, study.summary)[0]
        course = findings.course(experiment.best, study.metrics)
        assert (course.lowest_epoch, course.is_falling) == (lowest, falling)
        assert course.gained == pytest.approx(gain)
        assert (course.rise.mean > 0) == rising

    def test_diverged_seeds_do_not_count(self):
        study = study_of({"dropout": [0.0, 0.6]}, [0.8, 0.7], diverged={"dropout0.0": 2})
        experiment = findings.experiments(study.plan, study.summary)[0]
        [value] = [value for value in experiment.values if value.text == "0.0"]
        assert value.n == 3
        assert set(findings.replicates(value, study.metrics)["seed"]) == {2, 3, 4}
        assert findings.course(value, study.metrics).rise.n == 3


PUBLISHED_BASELINE = BASELINE | {"epochs": 10}


class TestPublished:
    @staticmethod
    def order(accuracies, seeds=5):
        config = {
            "seeds": seeds,
            "baseline": PUBLISHED_BASELINE,
            "experiments": {"dropout": {"vary": {"dropout": [0.0, 0.2, 0.4, 0.6]}}},
        }
        study = madeup.make(
            config, lambda settings, _: accuracies[int(settings["dropout"] * 5 + 0.5)]
        )
        return findings.published_order(findings.experiments(study.plan, study.summary)[0])

    def test_the_text_contradicts_its_table_and_us(self):
        """The study names dropout 0.2; its own table has 0.0 ahead."""
        order = self.order([0.75, 0.73, 0.72, 0.69])
        assert (order.best.text, order.named.text, order.foremost.text) == ("0.0", "0.2", "0.0")
        assert order.behind == pytest.approx(0.02)
        assert order.p < findings.LEVEL
        assert (order.agreeing, order.pairs) == (6, 6)

    def test_ours_may_agree_with_the_text(self):
        order = self.order([0.73, 0.75, 0.72, 0.69])
        assert order.claimed is order.best
        assert order.behind == 0
        assert (order.agreeing, order.pairs) == (5, 6)

    def test_ours_may_be_unable_to_tell(self):
        order = self.order([0.7301, 0.7300, 0.72, 0.69])
        assert order.p > findings.LEVEL
        assert order.pairs == 5

    def test_one_seed_tells_no_pair_apart(self):
        order = self.order([0.75, 0.73, 0.72, 0.69], seeds=1)
        assert math.isnan(order.p)
        assert order.pairs == 0

    def test_other_settings_have_no_published_numbers(self):
        assert findings.published_order(experiment_of(RATES, [0.3, 0.5, 0.7, 0.8])) is None

    def test_comparison_needs_a_spread(self):
        config = {
            "seeds": 1,
            "baseline": PUBLISHED_BASELINE,
            "experiments": {"dropout": {"vary": {"dropout": [0.0]}}},
        }
        one = madeup.make(config, lambda *_: 0.75)
        five = madeup.make(config | {"seeds": 5}, lambda *_: 0.75)
        for study, is_there in ((one, False), (five, True)):
            value = findings.experiments(study.plan, study.summary)[0].values[0]
            compared = findings.published_comparison("dropout", value, "validation_accuracy")
            assert bool(compared) is is_there
        assert compared.difference == pytest.approx(0.75 - 0.7501)
        assert compared.inside


class TestFinal:
    def test_beside_each_experiment(self):
        study = study_of({"dropout": [0.0, 0.6]}, [0.8, 0.7], final={"optimizer": "adam"})
        final = findings.final(study.plan, study.summary)
        [found] = findings.against_final(final, findings.experiments(study.plan, study.summary))
        assert found.ahead == pytest.approx(0.1)
        assert found.p < findings.LEVEL

    def test_itself_among_the_experiments_is_not_compared(self):
        study = study_of({"dropout": [0.0, 0.6]}, [0.8, 0.7], final={"dropout": 0.0})
        final = findings.final(study.plan, study.summary)
        [found] = findings.against_final(final, findings.experiments(study.plan, study.summary))
        assert found.ahead == 0
        assert math.isnan(found.p)

    def test_none(self):
        study = study_of({"dropout": [0.0, 0.6]}, [0.8, 0.7])
        assert findings.final(study.plan, study.summary) is None


def test_a_summary_of_another_plan_is_refused():
    study = study_of(RATES, [0.3, 0.5, 0.7, 0.8])
    with pytest.raises(StudyError, match=r"no row for experiment 'learning_rate', value '0\.1'"):
        findings.experiments(study.plan, study.summary.iloc[:3])
