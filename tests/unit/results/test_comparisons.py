"""Every pair that is compared has its row, whose numbers are those that the report tells."""

import itertools
import math
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import madeup
from one_experiment import BASELINE, RATES, drawn, experiment_of, study_of
from study.results import comparisons, experiments, summary
from study.runs import records
from study.spec.plan import Plan
from study.statistics import significance
from study.statistics.significance import LEVEL

ROOT = Path(__file__).parents[3]


def rows(*found):
    return comparisons.compare(found).to_pandas()


def normal(seed, means, sd=0.01, n=5):
    return np.random.default_rng(seed).normal(np.array(means)[:, None], sd, (len(means), n))


class TestPairs:
    def test_two_values_have_welchs_test_and_interval(self):
        """With degrees of freedom rounded down."""
        samples = normal(0, [0.70, 0.72], sd=np.array([[0.01], [0.002]]))
        [row] = rows(drawn(samples)).to_dict("records")
        better, worse = sorted(samples, key=lambda sample: -sample.mean())
        exact = stats.ttest_ind(better, worse, equal_var=False)
        freedom = int(exact.df)
        p = 2 * stats.t.sf(abs(exact.statistic), freedom)
        assert row["p"] == row["p_corrected"] == pytest.approx(p)
        assert row["difference"] == pytest.approx(better.mean() - worse.mean())
        error = row["difference"] / exact.statistic
        half = stats.t.isf(0.025, freedom) * error
        assert (row["low"], row["high"]) == pytest.approx(
            (row["difference"] - half, row["difference"] + half)
        )

    def test_correction_is_over_all_pairs_and_the_slope(self):
        """Holm: the least of m p-values times m, the next times m - 1, never below the last."""
        experiment = drawn(normal(1, [0.70, 0.705, 0.71]))
        assert experiment.family == 4
        found = rows(experiment)
        p = [*found["p"], float(experiment.slope.p)]
        corrected = [*found["p_corrected"], experiment.p_slope]
        least = 0.0
        for factor, k in zip((4, 3, 2, 1), np.argsort(p), strict=True):
            least = max(least, min(1.0, factor * p[k]))
            assert corrected[k] == pytest.approx(least)

    def test_values_without_an_order_have_pairs_alone(self):
        words = ["sgd", "adam", "adamw"]
        assert drawn(normal(1, [0.70, 0.705, 0.71]), "optimizer", words).family == 3

    def test_the_better_comes_first(self):
        found = rows(drawn(normal(2, [0.72, 0.70, 0.71, 0.73])))
        assert len(found) == 6
        assert (found["difference"] >= 0).all()
        assert not found[["value", "other"]].apply(frozenset, axis=1).duplicated().any()

    def test_columns_follow_from_each_other(self):
        found = rows(drawn(normal(3, [0.70, 0.71, 0.73])))
        correction = 1 - 3 / (4 * 10 - 9)
        expected = correction * found["difference"] / found["noise"]
        assert found["effect_size"].to_numpy() == pytest.approx(expected.to_numpy())
        assert found["probability_of_improvement"].between(0.5, 1).all()
        assert (found["p_corrected"] >= found["p"]).all()

    def test_seeds_are_needed_only_where_nothing_is_clear(self):
        experiment = drawn(normal(4, [0.70, 0.701, 0.75]))
        found = rows(experiment)
        clear = found["p_corrected"] < LEVEL
        assert clear.tolist() == [True, True, False]
        assert found["seeds_needed"].notna().tolist() == [False, False, True]
        expected = significance.seeds_needed(
            found.loc[2:, "effect_size"].to_numpy(), LEVEL / experiment.family
        )
        assert found.loc[2, "seeds_needed"] == expected[0] > 5

    def test_with_the_seeds_needed_it_is_clear_four_times_in_five(self):
        """Of values that differ truly as much as was seen, by simulation."""
        [n] = significance.seeds_needed(np.array([1.2]), LEVEL).astype(int)
        samples = np.random.default_rng(5).normal(size=(20_000, 2, n)) + [[1.2], [0.0]]
        weights = np.array([1.0, -1.0])
        numbers = samples.mean(-1), samples.std(-1, ddof=1), np.full(2, n)
        share = (significance.contrast(*numbers, weights).p < LEVEL).mean()
        assert 0.79 < share < 0.86

    def test_best_and_baseline_are_marked(self):
        found = rows(experiment_of(RATES, [0.3, 0.5, 0.7, 0.6]))
        best = found[found["is_best"]]
        assert set(best["value"]) == {"0.01"}
        assert set(best["other"]) == {"0.0001", "0.001", "0.1"}
        baseline = found[found["is_baseline"]]
        assert ((baseline["value"] == "0.001") | (baseline["other"] == "0.001")).all()
        assert len(baseline) == 3

    def test_a_baseline_that_was_not_tried_marks_nothing(self):
        vary = {"learning_rate": [0.01, 0.1]}
        assert not rows(experiment_of(vary, [0.7, 0.8]))["is_baseline"].any()

    def test_one_replicate_is_no_test(self):
        found = rows(experiment_of(RATES, [0.3, 0.5, 0.7, 0.6], diverged={"lr0.1-": 4}))
        alone = found[(found["value"] == "0.1") | (found["other"] == "0.1")]
        assert alone["difference"].notna().all()
        assert (
            alone[["low", "p", "p_corrected", "effect_size", "seeds_needed"]].isna().all(axis=None)
        )
        assert found.drop(alone.index)["p"].notna().all()

    def test_lost_values_have_no_rows(self):
        found = rows(experiment_of(RATES, [0.3, 0.5, 0.7, 0.6], diverged={"lr0.1-": 5}))
        assert "0.1" not in {*found["value"], *found["other"]}
        assert len(found) == 3

    def test_without_spread_nothing_is_clear(self):
        found = rows(drawn([[0.1, 0.1, 0.1], [1.0, 1.0, 1.0]]))
        assert np.isnan(found.loc[0, "p_corrected"])
        assert found[["low", "high", "effect_size", "seeds_needed"]].isna().all(axis=None)

    def test_nothing_to_compare(self):
        assert rows(drawn([[0.1, 0.2]])).empty
        assert comparisons.compare([]).schema == comparisons.COMPARISONS


@pytest.fixture(scope="module")
def many():
    rates = [0.001 * (i + 1) for i in range(1000)]
    samples = normal(6, np.linspace(0.7, 0.72, 1000))
    return drawn(samples, items=rates, baseline=rates[400])


class TestManyValues:
    def test_pairs_stay_in_proportion(self, many):
        """With the best, with the baseline's, and of neighbours: some of these are the same."""
        best = many.values.index(many.best)
        pairs = {frozenset((many.values.index(a), many.values.index(b))) for a, b in many.compared}
        expected = {frozenset((best, i)) for i in range(1000) if i != best}
        expected |= {frozenset((400, i)) for i in range(1000) if i != 400}
        expected |= {frozenset((i, i + 1)) for i in range(999)}
        assert pairs == expected
        assert len(many.compared) == len(expected)

    def test_correction_is_over_all_pairs_all_the_same(self, many):
        assert many.family == 1000 * 999 // 2 + 1

    def test_pairs_that_have_no_row_are_corrected_too(self, many):
        one, other = many.values[0], many.values[990]
        assert (one, other) not in many.compared
        assert (other, one) not in many.compared
        p = many.difference(one, other).p
        assert many.p_between(one, other) == pytest.approx(min(1, p * many.family))

    def test_fewer_rows_never_make_anything_clearer(self, monkeypatch):
        experiment = drawn(normal(7, np.linspace(0.70, 0.75, 12)))
        monkeypatch.setattr(experiments, "EVERY_PAIR", 5)
        some = drawn(normal(7, np.linspace(0.70, 0.75, 12)))
        assert len(some.compared) < 66 == len(experiment.values) * 11 // 2
        monkeypatch.undo()
        for (a, b), (c, d) in zip(
            itertools.combinations(experiment.values, 2),
            itertools.combinations(some.values, 2),
            strict=True,
        ):
            assert some.p_between(c, d) >= experiment.p_between(a, b) * (1 - 1e-9)


class TestDifference:
    def test_the_other_way_round(self):
        experiment = drawn(normal(8, [0.70, 0.72, 0.73]))
        one, other, _ = experiment.values
        there, back = experiment.differences([(one, other), (other, one)])
        assert (there.size, there.low, there.high) == pytest.approx(
            (-back.size, -back.high, -back.low)
        )
        assert there.superiority == pytest.approx(1 - back.superiority)
        assert (there.p_corrected, there.seeds_needed) == pytest.approx(
            (back.p_corrected, back.seeds_needed), nan_ok=True
        )

    def test_small_is_what_one_seed_each_could_not_show(self):
        """Twenty seeds tell apart what is less than the deviation between two trainings."""
        experiment = drawn(normal(9, [0.70, 0.715], n=20))
        difference = experiment.difference(experiment.best, experiment.ranked[1])
        assert difference.is_clear
        assert difference.is_small
        wide = drawn(normal(9, [0.70, 0.75], n=20))
        assert not wide.difference(wide.best, wide.ranked[1]).is_small


class TestSeedBySeed:
    """Issue 18, entry 8: averaged and plain weights of one training are pairs, not two samples."""

    GAIN = 0.002

    @staticmethod
    def study(samples):
        """Weight averaging off and on, whose seeds end with the accuracies in `samples` (2, n)."""
        config = {
            "seeds": samples.shape[1],
            "baseline": BASELINE,
            "experiments": {"averaging": {"vary": {"weight_averaging": [0.0, 0.99]}}},
        }
        made = madeup.make(config, lambda settings, epoch: 0.8)
        metrics = made.metrics.copy()
        is_last = metrics["epoch"] == BASELINE["epochs"]
        values = made.plan.experiments[0].values
        for value, accuracies in zip(values, samples, strict=True):
            metrics.loc[is_last & (metrics["run"] == value.run), "validation_accuracy"] = accuracies
        summarised = summary.summarise(made.plan, metrics, "Fashion-MNIST").to_pandas()
        return experiments.experiments(made.plan, summarised, metrics)[0]

    @pytest.fixture
    def samples(self):
        """Seeds scatter by 1 point; averaging gains 0.2 of a point in each, give or take 0.05."""
        random = np.random.default_rng(0)
        plain = 0.8 + 0.01 * random.normal(size=5)
        return np.stack([plain, plain + self.GAIN + 0.0005 * random.normal(size=5)])

    def test_is_scipys_paired_test(self, samples):
        experiment = self.study(samples)
        found = experiment.difference(experiment.best, experiment.ranked[1])
        expected = stats.ttest_rel(samples[1], samples[0])
        assert found.paired
        assert found.p == pytest.approx(expected.pvalue)
        assert found.is_clear
        ends = expected.confidence_interval()
        assert (found.low, found.high) == pytest.approx((ends.low, ends.high))
        assert found.superiority > 0.99

    def test_apart_they_would_take_very_many_seeds(self, samples):
        experiment = self.study(samples)
        values = [
            replace(value, validation=replace(value.validation, by_seed={}))
            for value in experiment.values
        ]
        apart = replace(experiment, values=values)
        found = apart.difference(apart.best, apart.ranked[1])
        assert not found.paired
        assert not found.is_clear
        assert found.seeds_needed > 50

    def test_the_table_says_so(self, samples):
        table = comparisons.compare([self.study(samples)]).to_pandas()
        assert table["paired"].tolist() == [True]

    def test_where_no_difference_scatters_there_is_no_test(self, samples):
        experiment = self.study(np.stack([samples[0], samples[0] + 0.1]))
        found = experiment.difference(*experiment.ranked)
        assert found.paired
        assert math.isnan(found.p)
        assert experiment.family == 0

    def test_epochs_of_one_run_are_pairs_and_other_settings_are_not(self):
        config = {
            "seeds": 5,
            "baseline": BASELINE,
            "experiments": {
                "epochs": {"vary": {"epochs": [1, 2, 3]}},
                "dropout": {"vary": {"dropout": [0.0, 0.2]}},
            },
        }
        made = madeup.make(config, lambda settings, epoch: 0.8 + 0.01 * epoch)
        epochs, dropout = experiments.experiments(made.plan, made.summary, made.metrics)
        assert all(each.paired for each in epochs.differences(epochs.compared))
        assert not any(each.paired for each in dropout.differences(dropout.compared))
        ends = made.metrics.pivot(index="seed", columns=["run", "epoch"])["validation_accuracy"]
        by_epoch = ends[epochs.values[0].run].to_numpy()
        slopes = (by_epoch[:, 2] - by_epoch[:, 0]) / 2
        assert epochs.slope.p == pytest.approx(stats.ttest_1samp(slopes, 0).pvalue)


class TestProgram:
    def test_writes_the_table(self, monkeypatch, tmp_path):
        study = study_of(RATES, [0.3, 0.5, 0.7, 0.6])
        madeup.write(study, tmp_path)
        summary = tmp_path / "summary.parquet"
        arguments = ["--plan", str(tmp_path / "plan.json"), "--summary", str(summary)]
        arguments += ["--metrics", str(tmp_path / "metrics.parquet")]
        output = tmp_path / "comparisons.parquet"
        words = ["compare_values.py", *arguments, "--output", str(output)]
        monkeypatch.setattr(sys, "argv", words)
        runpy.run_path(str(ROOT / "scripts" / "compare_values.py"), run_name="__main__")
        plan = Plan.read(tmp_path / "plan.json")
        measured = experiments.experiments(plan, study.summary, study.metrics)
        expected = comparisons.compare(measured)
        pd.testing.assert_frame_equal(pd.read_parquet(output), expected.to_pandas())
        assert {"commit", "versions", "machine"} <= set(records.read_metadata(output))
