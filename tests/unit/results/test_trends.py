"""What follows from the order of values: trends, best values at an edge, and what to try next."""

import itertools
import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import madeup
from one_experiment import RATES, drawn, experiment_of
from study.report.to_paste import to_paste
from study.results import trends as ordered
from study.results.experiments import is_ordered
from study.spec import config
from study.spec.schemas import definitions
from study.statistics.significance import LEVEL


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

    @pytest.mark.parametrize(
        ("accuracies", "rises"), [([0.3, 0.8, 0.5, 0.7], 2), ([0.8, 0.3, 0.3, 0.3], 0)]
    )
    def test_exceptions_make_it_uneven(self, accuracies, rises):
        trend = ordered.trend(experiment_of(RATES, accuracies))
        assert (trend.shape, trend.rises, trend.steps) == ("uneven", rises, 3)

    def test_a_trend_may_be_clear_where_no_step_is(self):
        """Ten steps of half a deviation each: no neighbours are told apart, the ends are."""
        rates = {"learning_rate": [0.001 * (k + 1) for k in range(11)]}
        half = madeup.SEED_DEVIATION / 2
        trend = ordered.trend(experiment_of(rates, [0.7 + half * k for k in range(11)]))
        assert trend.clear_steps == 0
        assert trend.p < LEVEL
        assert trend.slope.size == pytest.approx(half)

    def test_its_slope_is_that_of_a_straight_line_over_the_ranks(self):
        accuracies = [0.3, 0.8, 0.5, 0.7]
        slope = ordered.trend(experiment_of(RATES, accuracies)).slope
        assert slope.size == pytest.approx(stats.linregress(range(4), accuracies).slope)

    def test_one_seed_has_a_shape_but_no_test(self):
        trend = ordered.trend(experiment_of(RATES, [0.3, 0.5, 0.7, 0.8], seeds=1))
        assert trend.shape == "rising"
        assert math.isnan(trend.p)

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
        assert is_ordered(items) is ordered


class TestEdges:
    @pytest.mark.parametrize(
        ("accuracies", "edges"),
        [
            ([0.3, 0.5, 0.7, 0.8], ["largest"]),
            ([0.8, 0.5, 0.7, 0.3], ["smallest"]),
            ([0.3, 0.8, 0.7, 0.5], []),
        ],
    )
    def test_where_the_best_is(self, accuracies, edges):
        found = ordered.edges(experiment_of(RATES, accuracies))
        assert [edge.side for edge in found] == edges

    def test_one_that_ties_with_another_is_not_at_the_edge(self):
        samples = [[0.7, 0.71], [0.72, 0.73], [0.72, 0.73]]
        assert ordered.edges(drawn(samples)) == []
        assert [edge.side for edge in ordered.edges(drawn(samples[:2]))] == ["largest"]

    def test_a_single_value_has_two_sides(self):
        [edge] = ordered.edges(experiment_of({"learning_rate": [0.01]}, [0.7]))
        assert (edge.side, edge.to_try) == ("only", [0.001, 0.1])

    def test_a_bound_of_the_setting_is_no_edge(self):
        """There is no dropout below 0."""
        assert ordered.edges(experiment_of({"dropout": [0.0, 0.2]}, [0.8, 0.7])) == []
        assert ordered.edges(experiment_of({"dropout": [0.0, 0.2]}, [0.7, 0.8])) != []

    def test_each_setting_of_a_grid(self):
        vary = {"learning_rate": [0.01, 0.1], "batch_size": [32, 100, 200]}
        found = ordered.edges(experiment_of(vary, [0.1, 0.2, 0.3, 0.4, 0.8, 0.5]))
        assert [(edge.key, edge.side) for edge in found] == [("learning_rate", "largest")]

    def test_beyond_a_value_that_diverges_nothing_is_to_be_tried(self):
        for lost, to_try in (({}, [1.0, 10.0]), ({"lr": 1}, [])):
            [edge] = ordered.edges(experiment_of(RATES, [0.3, 0.5, 0.7, 0.8], diverged=lost))
            assert edge.to_try == to_try
        lost = {"lr0.1-": 1}
        assert ordered.edges(experiment_of(RATES, [0.3, 0.5, 0.7, 0.8], diverged=lost)) == []

    def test_words_have_no_edge(self):
        assert ordered.edges(experiment_of({"optimizer": ["sgd", "adam"]}, [0.3, 0.5])) == []


class TestToTry:
    @pytest.mark.parametrize(
        ("key", "items", "expected"),
        [
            ("learning_rate", [0.0001, 0.001, 0.01], [0.1, 1.0]),
            ("learning_rate", [0.01, 0.001, 0.0001], [0.00001, 0.000001]),
            ("batch_size", [256, 128, 100, 64, 32], [16, 8]),
            ("weight_decay", [0.0, 0.001, 0.01, 0.1], [1.0, 10.0]),
            ("learning_rate", [0.01, 0.1], [1.0, 10.0]),
            ("learning_rate", [0.01, 0.03], [0.09, 0.27]),
            ("learning_rate", [0.001, 0.002, 0.004], [0.008, 0.016]),
            ("learning_rate", [0.01, 0.02, 0.03, 0.04], [0.05, 0.06]),
            ("batch_size", [256, 1024], [4096, 16384]),
            ("batch_size", [1024, 256], [64, 16]),
            ("batch_size", [64, 128, 512], [2048, 8192]),
            ("batch_size", [100, 200], [400, 800]),
            ("weight_decay", [0.0, 0.01], [0.1, 1.0]),
            ("momentum", [0.9, 0.99], [0.999, 0.9999]),
            ("dropout", [0.1, 0.2], [0.3, 0.4]),
            ("epochs", [10, 20], [30, 40]),
            ("epochs", [5, 10, 15, 20, 30], [40, 50]),
            ("dropout", [0.0, 0.2, 0.4], [0.6, 0.8]),
            ("hidden", [[64, 32], [512, 256]], [[1024, 512], [2048, 1024]]),
            ("hidden", [[64, 32], [16, 8]], [[8, 4], [4, 2]]),
        ],
    )
    def test_goes_on_as_the_values_do(self, key, items, expected):
        assert ordered.to_try(key, items, definitions()[key]) == expected

    @pytest.mark.parametrize(
        ("key", "items", "expected"),
        [
            ("dropout", [0.0, 0.3, 0.6], [0.9, 0.95]),
            ("momentum", [0.5, 0.9], [0.98, 0.996]),
            ("learning_rate", [0.3, 0.2, 0.1], [0.05, 0.025]),
            ("epochs", [15, 10, 5], [3, 1]),
            ("learning_rate_decay", [0.8, 0.9], [1.0]),
            ("batch_size", [4, 2, 1], []),
            ("hidden", [[8, 8], [4, 2]], []),
        ],
    )
    def test_stays_within_the_settings_bounds(self, key, items, expected):
        assert ordered.to_try(key, items, definitions()[key]) == expected

    @pytest.mark.parametrize(
        ("key", "item", "expected"),
        [
            ("learning_rate", 0.01, [0.001, 0.1]),
            ("batch_size", 64, [32, 128]),
            ("hidden", [128, 64], [[64, 32], [256, 128]]),
            ("momentum", 0.9, [0.8, 0.95]),
            ("dropout", 0.2, [0.1, 0.4]),
            ("dropout", 0.0, []),
            ("learning_rate_decay", 1.0, [0.5]),
        ],
    )
    def test_a_single_item_has_one_value_on_either_side(self, key, item, expected):
        assert ordered.to_try(key, [item], definitions()[key]) == expected

    @given(
        st.sampled_from(["learning_rate", "momentum", "dropout", "weight_decay", "batch_size"]),
        st.lists(st.integers(1, 998), min_size=2, max_size=5, unique=True),
        st.booleans(),
    )
    def test_is_beyond_the_end_and_loads_from_a_config(self, key, numbers, is_rising):
        items = sorted(numbers if key == "batch_size" else [n / 1000 for n in numbers])
        items = items if is_rising else items[::-1]
        found = ordered.to_try(key, items, definitions()[key])
        beyond = [items[-1], *found]
        assert all((b > a) is is_rising and a != b for a, b in itertools.pairwise(beyond))
        if found:
            pasted = to_paste(key, found).strip("`")
            written = f"experiments: {{beyond: {{vary: {{{pasted}}}}}}}"
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(written)
                file.flush()
                [loaded] = config.load([Path(file.name)])["experiments"].values()
            assert loaded["vary"][key] == found
