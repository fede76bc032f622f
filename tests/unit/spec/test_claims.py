"""Every claim of the published study is judged rightly, whatever the numbers turn out to be."""

import gc
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

import madeup
from study.commands import door, show_claims
from study.results import experiments, published, summary, verdicts
from study.spec import claims, config, predicates, schemas
from study.spec.predicates import All, Greater, Not, Quantity, Some, Verdict
from study.spec.resolution import resolve
from study.spec.tasks import CLASSIFICATION
from study.statistics import significance
from study.support.errors import StudyError
from study.support.language import Language, available

HOLDS, FAILS, OPEN = Verdict.HOLDS, Verdict.FAILS, Verdict.OPEN

DEFAULT = schemas.SCHEMAS.parents[1] / "config.yaml"

LEDGER = {form["id"]: form for form in claims.ledger()}

# What the document's own tables say of each claim, worked out from them by hand; what is missing
# here they do not print.
BY_ITS_OWN_NUMBERS = {
    HOLDS: """
        lr-0.0001-slow dropout-0.4-0.6-undertrains larger-more-capacity few-epochs-undertrain
        lr-0.0001-barely-learns lr-0.01-works-well adam-more-accurate
        dropout-0.0-train-above-validation dropout-difference-grows
        dropout-0.4-validation-above-train dropout-0.6-undertrains 64-32-least-capacity 128-64-good
        256-128-better every-step-of-epochs-helps 30-epochs-best validation-still-improves
        batch-32-best medium-batches-between batch-256-worst lr-0.01-best lr-0.01-accuracy
        dropout-0.2-accuracy 512-256-accuracy 30-epochs-accuracy batch-32-accuracy adam-far-better
        adam-accuracy larger-better small-batches-better adam-best-single final-accuracy
        final-train-accuracy final-settles-at-88 final-difference-of-2-points final-similar-to-adam
        final-far-above-epochs final-far-above-batch 30-epochs-suffice final-in-expected-range
        """,
    FAILS: """
        lr-0.001-optimal dropout-0.2-best lr-0.001-good-start dropout-0.2-0.4-balance
        dropout-0.2-0.4-prevents-overfitting final-above-every-experiment final-improves-to-25
        final-better-than-adam synergy small-batch-helps-adam
        """,
}


@pytest.fixture(autouse=True, scope="module")
def _little_garbage():
    """statsmodels collects garbage at every call: what is there by now need not be looked at."""
    gc.freeze()
    yield
    gc.unfreeze()


def planned(path=DEFAULT, **changes):
    return resolve(config.validated(config.load([path]) | changes, "made up"))


@pytest.fixture(scope="module")
def default():
    return planned()


# The ledger.


def test_the_ledger_has_the_form_that_the_schema_describes():
    assert [
        str(error) for error in schemas.errors(list(LEDGER.values()), schemas.schema("claims"))
    ] == []


def test_the_ledger_has_at_least_thirty_claims_each_with_a_name_of_its_own():
    assert len(claims.ledger()) == len(LEDGER) >= 30


@pytest.mark.parametrize("form", LEDGER.values(), ids=LEDGER)
def test_a_claim_is_stated_in_every_language(form):
    assert set(form["statement"]) == set(claims.LANGUAGES) == set(available())
    es, en = form["statement"]["es"], form["statement"]["en"]
    assert es.endswith(".")
    assert en.endswith(".")
    # The same numbers in both, written as the language does.
    numbers = [sorted(Language("es").value(text).replace(",", ".").split()) for text in (en, es)]
    digits = [[word for word in words if any(map(str.isdigit, word))] for words in numbers]
    assert [word.strip(".;") for word in digits[0]] == [word.strip(".;") for word in digits[1]]


def test_at_most_ten_claims_only_compare_one_number_with_its_printed_value():
    plain = [
        form["id"]
        for form in LEDGER.values()
        if "between" in form["predicate"]
        or isinstance(form["predicate"].get("close", {}).get("right"), float)
    ]
    assert len(plain) <= 10


def test_sections_of_experiments_are_the_published_ones():
    titles = {each.section for each in published.load().experiments}
    sections = {form["section"] for form in LEDGER.values()}
    assert titles <= sections
    assert {each for each in sections if each.startswith("Experimento")} == titles


def test_every_section_has_a_name_in_english():
    assert published.load().sections.keys() == {"en"}
    sections = {form["section"] for form in LEDGER.values()}
    assert published.load().sections["en"].keys() == sections


def test_extremes_are_among_the_documents_own_values():
    """A value more in somebody's study changes nothing that the document says."""
    text = json.dumps([form["predicate"] for form in LEDGER.values()])
    forms = text.count('"highest"') + text.count('"lowest"')
    assert forms == text.count('"among"') > 10


def test_every_claim_applies_to_the_default_study(default):
    assert [claim.id for claim in claims.asked(default)] == list(LEDGER)


# Made-up numbers.

MEASURES = [*verdicts.columns(CLASSIFICATION)[3:-1]]
LARGEST = {"train_loss": 3.0, "validation_loss": 3.0, "seconds": 3.0}
USUAL = 0.4


def place(numbers, quantity):
    """Where a quantity's number stands in metrics.parquet."""
    value = numbers.value(quantity)
    epoch = 0 if quantity.measure == "seconds" else quantity.epoch or value.epochs
    return value.run, epoch


def signs(predicate, wanted):
    """Comparisons that make a predicate true or false, each with what it must come to."""
    match predicate:
        case Greater():
            return {predicate: wanted}
        case Not(part):
            return signs(part, not wanted)
        case All(parts) | Some(parts):
            needs_all = isinstance(predicate, All) == wanted
            chosen = parts if needs_all else parts[-1:]
            return {key: sign for part in chosen for key, sign in signs(part, wanted).items()}


def solved(predicate, wanted, numbers):
    """Means of run, epoch and measure under which the predicate is true, or false, at its widest.

    A linear programme: every comparison must be won, or lost, by a margin as large as can be.
    """
    places: dict[tuple, int] = {}

    def terms(side, sign):
        if not isinstance(side, Quantity):
            return [], sign * side
        run, epoch = place(numbers, side)
        found = [(places.setdefault((run, epoch, side.measure), len(places)), sign)]
        if side.minus:
            found.append((places.setdefault((run, epoch, side.minus), len(places)), -sign))
        return found, 0.0

    rows = []
    for comparison, sign in signs(predicate, wanted).items():
        way = 1 if sign else -1
        (left, bare_left), (right, bare_right) = (
            terms(comparison.left, way),
            terms(comparison.right, -way),
        )
        rows.append((left + right, bare_left + bare_right - way * comparison.by))
    margin = len(places)
    matrix, bounds = np.zeros((len(rows), margin + 1)), np.zeros(len(rows))
    for i, (found, constant) in enumerate(rows):
        for column, sign in found:
            matrix[i, column] -= sign
        matrix[i, margin] = 1.0
        bounds[i] = constant
    limits = [(0.05, LARGEST.get(measure, 0.95)) for _, _, measure in places] + [(None, 0.2)]
    result = linprog(-np.eye(margin + 1)[margin], matrix, bounds, bounds=limits)
    assert result.status == 0
    assert result.x[margin] > 0.001, "no numbers can make it so"
    return dict(zip(places, result.x[:margin], strict=True)), result.x[margin]


def made_up(planned, means, deviation):
    """metrics.parquet with these means and a deviation between replicates, and the summary."""
    generator = np.random.default_rng(0)
    frames = []
    for run in planned.runs:
        epochs, seeds = run.epochs, run.seeds
        noise = generator.normal(size=(len(MEASURES), len(seeds), epochs))
        if len(seeds) > 1:
            noise -= noise.mean(axis=1, keepdims=True)
            noise /= noise.std(axis=1, ddof=1, keepdims=True)
        numbers = USUAL + deviation * noise
        # The seeds of a run share its time; it differs from epoch to epoch.
        jitter = generator.normal(size=epochs)
        jitter = (jitter - jitter.mean()) / jitter.std(ddof=1)
        numbers[MEASURES.index("seconds")] = USUAL + deviation * jitter
        for (name, epoch, measure), mean in means.items():
            if name == run.run:
                epochs_of_it = slice(None) if measure == "seconds" else epoch - 1
                numbers[MEASURES.index(measure), :, epochs_of_it] += mean - USUAL
        index = pd.MultiIndex.from_product([seeds, range(1, epochs + 1)], names=["seed", "epoch"])
        frame = pd.DataFrame(numbers.reshape(len(MEASURES), -1).T, index, MEASURES).reset_index()
        frames.append(frame.assign(run=run.run, status="ok"))
    metrics = pd.concat(frames, ignore_index=True)
    return summary.summarise(planned, metrics, "FashionMNIST").to_pandas(), metrics


def narrowed(planned, claim):
    """The part of a plan that a claim is about, which is made up in less time."""
    quantities = [each for c in predicates.comparisons(claim.predicate) for each in c.quantities]
    named = {quantity.experiment for quantity in quantities}
    found = [each for each in planned.experiments if each.name in named]
    return planned.with_own_runs(found, planned.final if "final" in named else None)


def judged(claim, planned, means, deviation):
    planned = narrowed(planned, claim)
    [row] = verdicts.judge([claim], planned, *made_up(planned, means, deviation)).to_pylist()
    return row


@pytest.fixture(scope="module")
def numbers(default):
    return verdicts.Quantities(default, *made_up(default, {}, 0.01))


@pytest.mark.parametrize("name", LEDGER)
def test_a_claim_is_judged_rightly_where_it_is_true_false_and_open(default, numbers, name):
    """Any claim can be open: where replicates spread as wide as this, nothing can be told."""
    claim = next(claim for claim in claims.asked(default) if claim.id == name)
    for wanted, expected in ((True, HOLDS), (False, FAILS)):
        means, margin = solved(claim.predicate, wanted, numbers)
        row = judged(claim, default, means, margin / 50)
        assert row["verdict"] == expected
        assert {each["verdict"] for each in row["evidence"] if each["decides"]} <= {HOLDS, FAILS}
        assert judged(claim, default, means, 20.0)["verdict"] == OPEN


@pytest.fixture(scope="module")
def single():
    return planned(seeds=1)


@pytest.mark.parametrize("name", LEDGER)
def test_one_seed_proves_nothing(numbers, single, name):
    claim = next(claim for claim in claims.asked(single) if claim.id == name)
    means, _ = solved(claim.predicate, True, numbers)
    row = judged(claim, single, means, 1e-4)
    assert row["verdict"] == OPEN
    assert {each["p"] for each in row["evidence"]} == {None}


def test_the_documents_own_numbers_are_judged_as_by_hand(default):
    expected = {
        name: str(key) for key, names in BY_ITS_OWN_NUMBERS.items() for name in names.split()
    }
    assert expected.keys() <= LEDGER.keys()
    rows = verdicts.judge(claims.asked(default), default, *made_up(default, {}, 0.01)).to_pylist()
    assert {row["id"]: row["published_verdict"] for row in rows} == dict.fromkeys(LEDGER) | expected


def test_rows_have_the_numbers_behind_them(default, numbers):
    claim = next(claim for claim in claims.asked(default) if claim.id == "final-better-than-adam")
    final, adam = claim.predicate.left, claim.predicate.right
    means = {
        (*place(numbers, each), each.measure): 0.6 + i / 10 for i, each in enumerate([adam, final])
    }
    row = judged(claim, default, means, 0.01)
    assert row["source"] == "published"
    assert (row["verdict"], row["published_verdict"], row["agrees"]) == (HOLDS, FAILS, False)
    [evidence] = row["evidence"]
    assert evidence["decides"]
    assert evidence["p"] < 0.05
    left = evidence["left"]
    assert (left["experiment"], left["n"], left["published"]) == ("final", 5, 0.8799)
    assert left["mean"] == pytest.approx(0.7)
    half = 2.776445 * 0.01 / 5**0.5
    assert [left["low"], left["high"]] == pytest.approx([0.7 - half, 0.7 + half])


# What a claim is judged by.


def small(values=(0.0, 0.1, 0.2), **other):
    """The plan of a study of dropout on other images, and of its own claims."""
    experiments = {"dropout": {"vary": {"dropout": list(values)}}}
    study = {"experiments": experiments, "baseline": {"epochs": 4}, "seeds": 5} | other
    return resolve(config.validated(study, "made up"))


def table(planned, means, deviations):
    """summary.parquet of the means and deviations of its first experiment's validation accuracy."""
    n = len(planned.seeds)
    half = 2.776445 / n**0.5 * np.array(deviations)
    values = planned.experiments[0].values
    rows = {"experiment": "dropout", "n": n, "diverged": 0}
    frame = pd.DataFrame([{**rows, **vars(value)} for value in values]).drop(columns="settings")
    for measure in summary.measures(CLASSIFICATION):
        numbers = {"mean": means, "sd": deviations, "low": means - half, "high": means + half}
        for part, content in numbers.items():
            frame[f"{measure}_{part}"] = content
        frame[f"{measure}_published"] = np.nan
    return frame


def verdict_of(form, planned, means, deviations):
    predicate = predicates.read_predicate(form, claims.vocabulary_of(planned), "predicate")
    claim = claims.Claim(claims.OWN, "x", None, {}, predicate)
    numbers = table(planned, np.array(means), np.array(deviations))
    [row] = verdicts.judge([claim], planned, numbers, NO_METRICS).to_pylist()
    return row


def value(number):
    return {"experiment": "dropout", "value": number}


# Where all that is asked stands in the summary.
NO_METRICS = pd.DataFrame(columns=verdicts.columns(CLASSIFICATION))

SMALL = small()

FORMS = [
    {"greater": {"left": value(0.1), "right": value(0.0)}},
    {"greater": {"left": value(0.1), "right": value(0.0), "by": 0.02}},
    {"greater": {"left": value(0.2), "right": 0.5}},
    {"close": {"left": value(0.1), "right": value(0.2), "within": 0.03}},
    {"between": {"quantity": value(0.0), "low": 0.4, "high": 0.6}},
    {"highest": value(0.1)},
    {"rising": {"experiment": "dropout", "over": {"values": [0.2, 0.1, 0.0]}}},
    {"not": {"lowest": value(0.2)}},
    {"any": [{"highest": value(0.0)}, {"highest": value(0.2)}]},
]
MEANS = st.lists(st.integers(300, 700).map(lambda n: n / 1000), min_size=3, max_size=3)
DEVIATIONS = st.lists(st.integers(1, 100).map(lambda n: n / 1000), min_size=3, max_size=3)


@given(st.sampled_from(FORMS), MEANS, DEVIATIONS, st.floats(1, 50))
def test_a_wider_spread_never_decides(form, means, deviations, factor):
    """All spreads widened alike: what was open stays so, and what was decided at most opens."""
    narrow = verdict_of(form, SMALL, means, deviations)["verdict"]
    wide = verdict_of(form, SMALL, means, np.array(deviations) * factor)["verdict"]
    assert wide in (narrow, OPEN)


@given(MEANS, DEVIATIONS, st.sampled_from([0.0, 0.02]))
def test_swapping_both_sides_swaps_the_verdict(means, deviations, by):
    one = {"greater": {"left": value(0.0), "right": value(0.1), "by": by}}
    other = {"greater": {"left": value(0.1), "right": value(0.0), "by": -by}}
    found = [
        Verdict(verdict_of(form, SMALL, means, deviations)["verdict"]) for form in (one, other)
    ]
    assert found[0] is found[1].opposite


@given(MEANS, DEVIATIONS, st.permutations(range(3)))
def test_the_names_of_values_do_not_matter(means, deviations, order):
    """Values that exchange their numbers exchange their verdicts."""
    names = [0.0, 0.1, 0.2]
    before = verdict_of({"highest": value(names[order[0]])}, SMALL, means, deviations)
    moved = [means[i] for i in order], [deviations[i] for i in order]
    after = verdict_of({"highest": value(names[0])}, SMALL, *moved)
    assert before["verdict"] == after["verdict"]


@given(MEANS, DEVIATIONS)
def test_values_of_an_experiment_are_told_apart_as_in_the_report(means, deviations):
    planned = SMALL
    found = experiments.experiments(planned, table(planned, np.array(means), np.array(deviations)))
    p = found[0].p_between(*(found[0].values[i] for i in (1, 0)))
    row = verdict_of(FORMS[0], planned, means, deviations)
    assert row["evidence"][0]["p"] == pytest.approx(p)
    ahead = HOLDS if means[1] > means[0] else FAILS
    assert row["verdict"] == (ahead if p < significance.LEVEL else OPEN)


@pytest.mark.parametrize(
    ("deviation", "expected"), [(0.009, HOLDS), (0.011, OPEN), (0.0, OPEN)], ids=str
)
def test_a_number_is_held_against_the_interval_of_the_mean(deviation, expected):
    """By hand: half the interval of n = 5 is 1.2417 deviations, and the mean is 0.0125 above."""
    row = verdict_of(FORMS[2], SMALL, [0.5, 0.5, 0.5125], [deviation] * 3)
    assert row["verdict"] == expected
    assert row["evidence"][0]["p"] is None


def test_comparisons_beyond_an_experiments_pairs_are_corrected_within_the_claim():
    """By hand: 0.03 less 0.01 with deviations of 0.01 is t = 2 * sqrt(5 / 2) = 3.1623 at
    8 degrees of freedom, and p = 0.0133; two of these, by Holm, are 0.0267 each."""
    ahead = {"greater": {"left": value(0.1), "right": value(0.0), "by": 0.01}}
    twice = {"greater": {"left": value(0.2), "right": value(0.0), "by": 0.01}}
    means, deviations = [0.5, 0.53, 0.53], [0.01] * 3
    alone = verdict_of(ahead, SMALL, means, deviations)["evidence"]
    both = verdict_of({"all": [ahead, twice, ahead]}, SMALL, means, deviations)["evidence"]
    assert [each["p"] for each in alone] == pytest.approx([0.01332], abs=1e-4)
    assert [each["p"] for each in both] == pytest.approx([0.02664] * 2, abs=2e-4)


def test_one_training_under_two_names_needs_no_test():
    both = {"dropout": {"vary": {"dropout": [0.0, 0.1]}}, "batch": {"vary": {"batch_size": [100]}}}
    planned = small(experiments=both, seeds=1)
    study = claims.vocabulary_of(planned)
    form = {"greater": {"left": value(0.0), "right": {"experiment": "batch", "value": 100}}}
    predicate = predicates.read_predicate(form, study, "predicate")
    metrics = pd.DataFrame(
        {
            "run": [run.run for run in planned.runs for _ in range(4)],
            "seed": 0,
            "epoch": [1, 2, 3, 4] * 2,
            "status": "ok",
            **dict.fromkeys(MEASURES, 0.5),
        }
    )
    numbers = summary.summarise(planned, metrics, "FashionMNIST").to_pandas()
    claim = claims.Claim(claims.OWN, "x", None, {}, predicate)
    [row] = verdicts.judge([claim], planned, numbers, metrics).to_pylist()
    assert row["verdict"] == FAILS


def test_what_diverged_leaves_its_comparisons_open(default):
    """At every replicate of learning rate 0.01, and no other value."""
    numbers, metrics = made_up(default, {}, 0.01)
    run = numbers.loc[numbers["value"] == "0.01", "run"].item()
    metrics = metrics[(metrics["run"] != run) | (metrics["epoch"] == 1)].copy()
    metrics.loc[metrics["run"] == run, "status"] = "diverged"
    numbers = summary.summarise(default, metrics, "FashionMNIST").to_pandas()
    rows = verdicts.judge(claims.asked(default), default, numbers, metrics).to_pylist()
    found = {row["id"]: row for row in rows}
    for name in ("lr-0.01-best", "lr-0.01-accuracy", "lr-0.01-oscillates", "lr-0.01-works-well"):
        assert found[name]["verdict"] == OPEN
        assert None in [each["left"]["mean"] for each in found[name]["evidence"]]


def level(settings, epoch):
    """Validation accuracies that put the values of every experiment far apart."""
    return (
        0.6
        + 0.05 * np.log10(settings["learning_rate"] / 0.001)
        + 0.1 * (settings["optimizer"] == "adam")
        - 0.1 * settings["dropout"]
        + 0.02 * np.log2(settings["hidden"][0] / 128)
        - 0.04 * np.log2(settings["batch_size"] / 100)
        + 0.005 * epoch
    )


def verdicts_of(study):
    return {row["id"]: row["verdict"] for row in madeup.judged(study).to_pylist()}


@pytest.fixture(scope="module")
def ordered():
    """The default study with values far apart, and its verdicts."""
    study = madeup.make(config.load([DEFAULT]), level)
    return study, verdicts_of(study)


@pytest.mark.parametrize(
    ("name", "one", "other", "claim"),
    [
        ("learning_rate", "0.01", "0.001", "lr-0.01-best"),
        ("optimizer", "adam", "sgd", "adam-more-accurate"),
        ("dropout", "0.0", "0.6", "dropout-0.6-undertrains"),
        ("hidden", "64-32", "512-256", "larger-better"),
        ("epochs", "5", "30", "30-epochs-best"),
        ("batch_size", "32", "256", "batch-256-worst"),
    ],
)
def test_a_flipped_order_in_the_summary_flips_the_verdict(ordered, name, one, other, claim):
    study, before = ordered
    after = verdicts_of(study.swap(name, one, other))
    assert (before[claim], after[claim]) == (HOLDS, FAILS)


# Which claims a study has.


def test_claims_of_the_document_apply_where_the_study_has_their_values():
    loaded = config.load([DEFAULT])
    part = {"dropout": {"vary": {"dropout": [0.0, 0.05, 0.2]}}}
    asked = claims.asked(planned(experiments=part, final={"optimizer": "adam", "epochs": 3}))
    assert {claim.id for claim in asked} >= {"dropout-0.2-accuracy", "dropout-0.0-overfits"}
    assert not {"dropout-0.2-best", "synergy"} & {claim.id for claim in asked}
    assert loaded["claims"] == []


@pytest.mark.parametrize(
    "baseline", [{"momentum": 0.9}, {"epochs": 11}, {"hidden": [128, 64, 32]}], ids=str
)
def test_claims_of_the_document_need_its_settings_too(baseline):
    """The same names and values with another baseline are other experiments."""
    loaded = config.load([DEFAULT])
    other = planned(
        baseline=loaded["baseline"] | baseline,
        experiments={"dropout": loaded["experiments"]["dropout"]},
    )
    other = replace(other, final=None)
    asked = claims.asked(other)
    assert asked
    assert verdicts.judge(asked, other, *made_up(other, {}, 0.01)).num_rows == 0


def test_a_study_with_nothing_to_judge_reads_no_numbers():
    other = small(experiments={"mine": {"vary": {"dropout": [0.0, 0.1]}}})
    assert claims.asked(other) == []
    assert verdicts.judge([], other, None, None).schema == claims.CLAIMS


OWN = {
    "id": "less-is-more",
    "statement": "Less dropout is better.",
    "predicate": {"greater": {"left": value(0.0), "right": value(0.2)}},
}


def test_ones_own_claims_are_in_the_plan_and_judged(tmp_path):
    planned = small(claims=[OWN])
    assert planned.claims == [OWN]
    [claim] = [each for each in claims.asked(planned) if each.source == claims.OWN]
    assert claim.statement == {"es": OWN["statement"], "en": OWN["statement"]}
    numbers = table(planned, np.array([0.7, 0.6, 0.5]), np.array([0.01] * 3))
    [row] = verdicts.judge([claim], planned, numbers, NO_METRICS).to_pylist()
    assert (row["verdict"], row["published_verdict"], row["section"]) == (HOLDS, None, None)


def test_a_partial_plan_leaves_out_what_it_lacks():
    planned = small(claims=[OWN])
    planned.experiments[0].values.pop()
    assert not [claim for claim in claims.asked(planned) if claim.source == claims.OWN]


# What is wrong in a config's claims.


def complaint(**changes):
    study = {
        "experiments": {"rates": {"vary": {"learning_rate": [0.1, 0.01]}}},
        "final": {"epochs": 30},
        "claims": [
            {
                "id": "one",
                "statement": "A claim.",
                "predicate": {"highest": {"experiment": "rates", "value": 0.1}},
                **changes,
            }
        ],
    }
    try:
        config.validated(study, "my.yaml")
    except StudyError as error:
        return str(error)
    return None


def test_a_right_claim_is_taken():
    assert complaint() is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"predicate": {"highest": {"experiment": "rate", "value": 0.1}}},
            "claims[0].predicate.highest.experiment: unknown experiment 'rate'; did you mean",
        ),
        (
            {"predicate": {"highest": {"experiment": "rates", "value": 0.2}}},
            "claims[0].predicate.highest.value: unknown value 0.2; did you mean '0.1'?",
        ),
        (
            {"predicate": {"highest": {"experiment": "rates", "value": 0.1, "measure": "acuracy"}}},
            "claims[0].predicate.highest.measure: unknown value 'acuracy'; did you mean",
        ),
        (
            {"predicate": {"highest": {"experiment": "rates", "value": 0.1, "epoch": 11}}},
            "claims[0].predicate.highest.epoch: must be at most 10, the value's last, is 11",
        ),
        (
            {"predicate": {"rising": {"experiment": "final", "over": {"epochs": [1, 31]}}}},
            "claims[0].predicate.rising.over.epochs[1].epoch: must be at most 30",
        ),
        (
            {"predicate": {"higest": {}}},
            "claims[0].predicate: unknown key 'higest'; did you mean 'highest'?",
        ),
        ({"predicate": {}}, "claims[0].predicate: must not be empty"),
        (
            {
                "predicate": {
                    key: [{"highest": {"experiment": "rates", "value": 0.1}}]
                    for key in ("all", "any")
                }
            },
            "claims[0].predicate: must have one key alone, has all, any",
        ),
        (
            {"predicate": {"greater": {"left": {"experiment": "rates", "value": 0.1}}}},
            "claims[0].predicate.greater: key 'right' is missing",
        ),
        (
            {"predicate": {"greater": {"left": 1, "right": 2}}},
            "claims[0].predicate.greater: compares two numbers",
        ),
        (
            {"predicate": {"not": {"greater": {"left": "much", "right": 2}}}},
            "claims[0].predicate.not.greater.left: must be keys with values or a number",
        ),
        ({"statment": "x"}, "claims[0]: unknown key 'statment'; did you mean 'statement'?"),
        ({"statement": ""}, "claims[0].statement: must not be empty"),
        (
            {"statement": {"en": "x"}},
            "claims[0].statement: 'es', a language of the report, is missing",
        ),
    ],
)
def test_a_wrong_claim_is_told_in_one_line_with_file_and_key(changes, message):
    told = complaint(**changes)
    assert told.startswith(f"my.yaml: {message}")
    assert len(told.splitlines()) == 1


def test_two_claims_are_not_called_alike():
    study = {"experiments": {"dropout": {"vary": {"dropout": [0.0, 0.2]}}}, "claims": [OWN, OWN]}
    with pytest.raises(StudyError, match=r"claims\[1\].id: another claim is called 'less-is-more'"):
        config.validated(study, "my.yaml")


def test_a_final_model_that_is_chosen_may_be_claimed_about():
    study = {
        "experiments": {"epochs": {"vary": {"epochs": [5, 20]}}},
        "final": "best",
        "claims": [
            OWN | {"predicate": {"greater": {"left": {"experiment": "final"}, "right": 0.9}}}
        ],
    }
    config.validated(study, "my.yaml")


def described(part, place=""):
    """Every key of the schema of claims, with its part of the schema."""
    definitions = schemas.schema("claims")["$defs"]
    for key, inner in part.get("properties", {}).items():
        reference = inner.get("$ref", "").removeprefix("#/$defs/")
        yield f"{place}.{key}", {**definitions.get(reference, {}), **inner}
        yield from described(inner, f"{place}.{key}")


@pytest.mark.parametrize("name", schemas.schema("claims")["$defs"])
def test_every_key_of_a_claim_is_described(name):
    part = schemas.schema("claims")["$defs"][name]
    for key, inner in described(part, name):
        assert len(inner["description"]) > 10, key
        assert {"type", "enum", "$ref"} & inner.keys(), key
    if "properties" in part:
        assert part["additionalProperties"] is False


def test_counts_of_the_columns_are_what_the_program_prints(default, tmp_path, monkeypatch, capsys):
    rows = verdicts.judge(claims.asked(default), default, *made_up(default, {}, 0.01))
    pq.write_table(rows, tmp_path / "claims.parquet")
    for language in claims.LANGUAGES:
        monkeypatch.setattr(
            "sys.argv",
            [
                "show_claims.py",
                "--claims",
                str(tmp_path / "claims.parquet"),
                "--language",
                language,
            ],
        )
        door.enter(show_claims)
        out = capsys.readouterr().out
        counts = Counter(rows["verdict"].to_pylist())
        assert f"{len(LEDGER)} claims: {counts[HOLDS]} holds, {counts[FAILS]} fails" in out
        for name, form in LEDGER.items():
            assert name in out
            assert form["statement"][language].split()[0] in out


def test_a_file_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["show_claims.py", "--claims", str(Path("none.parquet"))])
    with pytest.raises(SystemExit, match=r"none\.parquet: No such file"):
        door.enter(show_claims)
