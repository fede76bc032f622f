"""Findings follow from the numbers, and say no more than these."""

import gc
import itertools
import math

import numpy as np
import pytest
from scipy import stats

import madeup
from study import analysis
from study.analysis import Estimate
from study.errors import StudyError

BASELINE = {"learning_rate": 0.001, "dropout": 0.2, "hidden": [128, 64], "epochs": 3}


@pytest.fixture(autouse=True, scope="module")
def _little_garbage():
    """statsmodels collects garbage at every call: what is there by now need not be looked at."""
    gc.freeze()
    yield
    gc.unfreeze()


def study_of(vary, accuracies, seeds=5, diverged=None, gain=0.01, name=None, final=None):
    """A study of one experiment whose n-th value ends at the n-th of `accuracies`.

    Each epoch before the last is `gain` lower than the next.
    """
    config = {
        "seeds": seeds,
        "baseline": BASELINE,
        "experiments": {name or "-".join(vary): {"vary": vary}},
    }
    if final:
        config["final"] = final
    combinations = [
        dict(zip(vary, combination, strict=True))
        for combination in itertools.product(*vary.values())
    ]

    def level(settings, epoch):
        last = BASELINE["epochs"]
        for combination, accuracy in zip(combinations, accuracies, strict=True):
            if all(settings.get(key) == value for key, value in combination.items()):
                return accuracy - gain * (last - epoch)
        return 0.9 - gain * (last - epoch)

    return madeup.make(config, level, diverged)


def experiment_of(*arguments, **options):
    study = study_of(*arguments, **options)
    return analysis.experiments(study.plan, study.summary)[0]


def drawn(samples):
    """Estimates of the rows of `samples`."""
    return [analysis.estimate(row) for row in samples]


RATES = {"learning_rate": [0.0001, 0.001, 0.01, 0.1]}


class TestPValues:
    def test_two_values_have_welchs_p(self):
        samples = np.random.default_rng(0).normal([[0.7], [0.72]], [[0.01], [0.002]], (2, 5))
        p = analysis.corrected_p_values(drawn(samples))
        expected = stats.ttest_ind(*samples, equal_var=False).pvalue
        assert p[0, 1] == p[1, 0] == pytest.approx(expected)
        assert np.isnan(np.diag(p)).all()

    def test_more_values_are_corrected_over_all_pairs(self):
        """Holm: the least of m p-values times m, the next times m - 1, never below the last."""
        samples = np.random.default_rng(1).normal([[0.7], [0.71], [0.74]], 0.01, (3, 5))
        p = analysis.corrected_p_values(drawn(samples))
        pairs = list(itertools.combinations(range(3), 2))
        raw = [stats.ttest_ind(samples[i], samples[j], equal_var=False).pvalue for i, j in pairs]
        least = 0.0
        for factor, k in zip((3, 2, 1), np.argsort(raw), strict=True):
            least = max(least, min(1.0, factor * raw[k]))
            assert p[pairs[k]] == pytest.approx(least)

    def test_one_replicate_is_no_test(self):
        estimates = drawn([[0.7, 0.71, 0.72]]) + [analysis.estimate(np.array([0.9]))]
        assert np.isnan(analysis.corrected_p_values(estimates)).all()

    def test_without_spread_nothing_is_clear(self):
        """Two networks that always reach 10 % and 100 % have no noise to compare them with."""
        p = analysis.corrected_p_values(drawn([[0.1, 0.1, 0.1], [1.0, 1.0, 1.0]]))
        assert p[0, 1] == 1.0

    def test_noise_is_rarely_called_clear(self):
        generator = np.random.default_rng(2)
        false_alarms = sum(
            bool(np.nanmin(analysis.corrected_p_values(drawn(samples))) < analysis.LEVEL)
            for samples in generator.normal(0.7, 0.01, (1000, 5, 5))
        )
        assert false_alarms <= 50

    def test_a_large_effect_is_called_clear(self):
        generator = np.random.default_rng(3)
        means = np.array([[0.70], [0.75], [0.80]])
        found = sum(
            bool(np.nanmax(analysis.corrected_p_values(drawn(samples))) < analysis.LEVEL)
            for samples in generator.normal(means, 0.01, (300, 3, 5))
        )
        assert found >= 285


class TestBest:
    def test_a_wide_lead_is_clear(self):
        lead = analysis.lead(experiment_of(RATES, [0.3, 0.7, 0.8, 0.6]))
        assert (lead.best.text, lead.runner_up.text) == ("0.01", "0.001")
        assert lead.size == pytest.approx(0.1)
        assert lead.is_clear
        assert lead.equals == []

    def test_a_narrow_lead_is_not(self):
        lead = analysis.lead(experiment_of(RATES, [0.3, 0.7995, 0.8, 0.7990]))
        assert lead.is_tested
        assert not lead.is_clear
        assert [value.text for value in lead.equals] == ["0.001", "0.1"]

    def test_one_seed_tests_nothing(self):
        lead = analysis.lead(experiment_of(RATES, [0.3, 0.7, 0.8, 0.6], seeds=1))
        assert not lead.is_tested
        assert not lead.is_clear
        assert lead.equals == []

    def test_a_lost_value_is_never_the_best(self):
        experiment = experiment_of(RATES, [0.3, 0.7, 0.8, 0.9], diverged={"lr0.1-": 5})
        assert experiment.best.text == "0.01"
        assert [value.text for value in experiment.lost] == ["0.1"]
        assert len(experiment.ranked) == 3

    def test_a_value_with_one_seed_left_is_not_tested(self):
        lead = analysis.lead(experiment_of(RATES, [0.3, 0.7, 0.8, 0.9], diverged={"lr0.1-": 4}))
        assert lead.best.text == "0.1"
        assert not lead.is_tested

    def test_all_lost(self):
        experiment = experiment_of(RATES, [0.3] * 4, diverged={"lr": 5})
        assert experiment.best is None
        for finding in (analysis.lead, analysis.spread, ordered.trend, analysis.published_order):
            assert finding(experiment) is None
        assert ordered.edges(experiment) == []

    def test_a_single_value_leads_nothing(self):
        experiment = experiment_of({"learning_rate": [0.01]}, [0.8])
        assert analysis.lead(experiment) is None
        assert analysis.spread(experiment) is None


class TestSpread:
    def test_beside_the_noise(self):
        spread = analysis.spread(experiment_of(RATES, [0.3, 0.7, 0.8, 0.8001]))
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
        assert analysis.noise(estimates) == pytest.approx(expected)

    def test_one_seed_has_no_noise(self):
        spread = analysis.spread(experiment_of(RATES, [0.3, 0.7, 0.8, 0.6], seeds=1))
        assert math.isnan(spread.noise)
        assert spread.pairs == 0

    def test_scatter_counts_a_shared_run_once(self):
        study = study_of({"dropout": [0.0, 0.2]}, [0.7, 0.8])
        twice = analysis.experiments(study.plan, study.summary) * 2
        scatter = analysis.scatter(twice)
        assert scatter.median == pytest.approx(madeup.SEED_DEVIATION)
        assert scatter.apart == pytest.approx(1.96 * math.sqrt(2) * scatter.median, rel=1e-3)


class TestTrend:
    @pytest.mark.parametrize(
        ("accuracies", "shape"),
        [
            ([0.3, 0.5, 0.7, 0.8], "rising"),
            ([0.8, 0.7, 0.5, 0.3], "falling"),
            ([0.3, 0.8, 0.7, 0.5], "peak"),
        ],
    )
    def test_shapes(self, accuracies, shape):
        trend = ordered.trend(experiment_of(RATES, accuracies))
        assert trend.shape == shape
        assert (trend.clear_steps, trend.steps) == (3, 3)
        assert trend.peak.validation.mean == max(accuracies)

    @pytest.mark.parametrize("accuracies", [[0.3, 0.8, 0.5, 0.7], [0.8, 0.3, 0.5, 0.7]])
    def test_exceptions_make_it_none(self, accuracies):
        assert ordered.trend(experiment_of(RATES, accuracies)) is None

    def test_steps_within_noise_are_not_clear(self):
        trend = ordered.trend(experiment_of(RATES, [0.3, 0.7, 0.7001, 0.7002]))
        assert trend.shape == "rising"
        assert (trend.clear_steps, trend.steps) == (1, 3)

    def test_words_have_no_order(self):
        vary = {"optimizer": ["sgd", "adam", "adamw"]}
        assert ordered.trend(experiment_of(vary, [0.3, 0.5, 0.7])) is None

    def test_the_plans_order_does_not_matter(self):
        experiment = experiment_of({"learning_rate": [0.1, 0.001, 0.01]}, [0.8, 0.3, 0.5])
        assert [value.text for value in experiment.values] == ["0.001", "0.01", "0.1"]
        assert ordered.trend(experiment).shape == "rising"

    @pytest.mark.parametrize(
        ("items", "ordered"),
        [
            ([1, 2.5, 3], True),
            ([[64, 32], [128, 64]], True),
            ([[64], [128]], True),
            ([[64, 32], [64, 64]], True),
            ([[128], [64, 32]], False),
            ([[128, 16], [64, 128]], False),
            ([False, True], False),
            (["relu", "tanh"], False),
        ],
    )
    def test_what_has_an_order(self, items, ordered):
        assert analysis.is_ordered(items) is ordered


class TestEdges:
    @pytest.mark.parametrize(
        ("accuracies", "edges"),
        [
            ([0.3, 0.5, 0.7, 0.8], [True]),
            ([0.8, 0.5, 0.7, 0.3], [False]),
            ([0.3, 0.8, 0.7, 0.5], []),
        ],
    )
    def test_where_the_best_is(self, accuracies, edges):
        found = ordered.edges(experiment_of(RATES, accuracies))
        assert [edge.is_largest for edge in found] == edges

    def test_a_bound_of_the_setting_is_no_edge(self):
        """There is no dropout below 0."""
        assert ordered.edges(experiment_of({"dropout": [0.0, 0.2]}, [0.8, 0.7])) == []
        assert ordered.edges(experiment_of({"dropout": [0.0, 0.2]}, [0.7, 0.8])) != []

    def test_each_setting_of_a_grid(self):
        vary = {"learning_rate": [0.01, 0.1], "batch_size": [32, 100, 200]}
        found = ordered.edges(experiment_of(vary, [0.1, 0.2, 0.3, 0.4, 0.8, 0.5]))
        assert [(edge.key, edge.is_largest) for edge in found] == [("learning_rate", True)]

    def test_words_have_no_edge(self):
        assert ordered.edges(experiment_of({"optimizer": ["sgd", "adam"]}, [0.3, 0.5])) == []


class TestGaps:
    def test_running_accuracy_under_dropout(self):
        """Made-up training accuracies lie 0.2 times the dropout below those of validation."""
        experiment = experiment_of({"dropout": [0.0, 0.2, 0.6]}, [0.8, 0.7, 0.6])
        gap = analysis.running_gap(experiment)
        assert [value.text for value in gap.below] == ["0.2", "0.6"]
        assert (gap.count, gap.widest.text) == (3, "0.6")

    def test_no_running_gap(self):
        assert analysis.running_gap(experiment_of({"dropout": [0.0]}, [0.8])) is None

    def test_gap_between_images_seen_and_new(self):
        study = study_of({"dropout": [0.0, 0.6]}, [0.8, 0.7])
        experiment = analysis.experiments(study.plan, study.summary)[0]
        value, gap = analysis.widest_gap(experiment, study.metrics)
        assert gap.mean == pytest.approx(0.012)
        assert gap.low < gap.mean < gap.high
        assert analysis.seen_accuracy(value, study.metrics).mean == pytest.approx(
            value.validation.mean + 0.012
        )

    @pytest.mark.parametrize(
        ("gain", "lowest", "falling", "rising"),
        [(0.01, 3, True, False), (-0.01, 1, False, True)],
    )
    def test_course_of_the_loss(self, gain, lowest, falling, rising):
        study = study_of({"dropout": [0.0, 0.6]}, [0.8, 0.7], gain=gain)
        experiment = analysis.experiments(study.plan, study.summary)[0]
        course = analysis.course(experiment.best, study.metrics)
        assert (course.lowest_epoch, course.is_falling) == (lowest, falling)
        assert course.gained == pytest.approx(gain)
        assert (course.rise.mean > 0) == rising

    def test_diverged_seeds_do_not_count(self):
        study = study_of({"dropout": [0.0, 0.6]}, [0.8, 0.7], diverged={"dropout0.0": 2})
        experiment = analysis.experiments(study.plan, study.summary)[0]
        assert experiment.best.n == 3
        assert set(analysis.replicates(experiment.best, study.metrics)["seed"]) == {2, 3, 4}
        assert analysis.course(experiment.best, study.metrics).rise.n == 3


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
        return analysis.published_order(analysis.experiments(study.plan, study.summary)[0])

    def test_the_text_contradicts_its_table_and_us(self):
        """The study names dropout 0.2; its own table has 0.0 ahead."""
        order = self.order([0.75, 0.73, 0.72, 0.69])
        assert (order.best.text, order.named.text, order.foremost.text) == ("0.0", "0.2", "0.0")
        assert order.behind == pytest.approx(0.02)
        assert order.p < analysis.LEVEL
        assert (order.agreeing, order.pairs) == (6, 6)

    def test_ours_may_agree_with_the_text(self):
        order = self.order([0.73, 0.75, 0.72, 0.69])
        assert order.claimed is order.best
        assert order.behind == 0
        assert (order.agreeing, order.pairs) == (5, 6)

    def test_ours_may_be_unable_to_tell(self):
        order = self.order([0.7301, 0.7300, 0.72, 0.69])
        assert order.p > analysis.LEVEL
        assert order.pairs == 5

    def test_one_seed_tells_no_pair_apart(self):
        order = self.order([0.75, 0.73, 0.72, 0.69], seeds=1)
        assert math.isnan(order.p)
        assert order.pairs == 0

    def test_other_settings_have_no_published_numbers(self):
        assert analysis.published_order(experiment_of(RATES, [0.3, 0.5, 0.7, 0.8])) is None

    def test_comparison_needs_a_spread(self):
        config = {
            "seeds": 1,
            "baseline": PUBLISHED_BASELINE,
            "experiments": {"dropout": {"vary": {"dropout": [0.0]}}},
        }
        one = madeup.make(config, lambda *_: 0.75)
        five = madeup.make(config | {"seeds": 5}, lambda *_: 0.75)
        for study, is_there in ((one, False), (five, True)):
            value = analysis.experiments(study.plan, study.summary)[0].values[0]
            compared = analysis.published_comparison("dropout", value, "validation_accuracy")
            assert bool(compared) is is_there
        assert compared.difference == pytest.approx(0.75 - 0.7501)
        assert compared.inside


class TestFinal:
    def test_beside_each_experiment(self):
        study = study_of({"dropout": [0.0, 0.6]}, [0.8, 0.7], final={"optimizer": "adam"})
        final = analysis.final(study.plan, study.summary)
        [found] = analysis.against_final(final, analysis.experiments(study.plan, study.summary))
        assert found.ahead == pytest.approx(0.1)
        assert found.p < analysis.LEVEL

    def test_itself_among_the_experiments_is_not_compared(self):
        study = study_of({"dropout": [0.0, 0.6]}, [0.8, 0.7], final={"dropout": 0.0})
        final = analysis.final(study.plan, study.summary)
        [found] = analysis.against_final(final, analysis.experiments(study.plan, study.summary))
        assert found.ahead == 0
        assert math.isnan(found.p)

    def test_none(self):
        study = study_of({"dropout": [0.0, 0.6]}, [0.8, 0.7])
        assert analysis.final(study.plan, study.summary) is None


def test_a_summary_of_another_plan_is_refused():
    study = study_of(RATES, [0.3, 0.5, 0.7, 0.8])
    with pytest.raises(StudyError, match=r"no row for experiment 'learning_rate', value '0\.1'"):
        analysis.experiments(study.plan, study.summary.iloc[:3])
