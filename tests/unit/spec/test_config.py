"""A faulty configuration is told in few lines naming file and key; a right one is completed."""

import json
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from examples import MANY
from study.spec import config
from study.spec.config import load, read_yaml, validated
from study.spec.resolution import resolve
from study.spec.schemas import SCHEMAS, definitions, schema
from study.support.errors import StudyError

DEFAULT = SCHEMAS.parents[1] / "config.yaml"
FURTHER = sorted((SCHEMAS.parents[1] / "configs").glob("*.yaml"))
EXPERIMENTS = "experiments: {rates: {vary: {learning_rate: [0.1, 0.2]}}}\n"


@pytest.fixture
def write(tmp_path):
    def write_config(text, name="config.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_config


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("config")


def complaint(path, overrides=None):
    """The message that loading `path` ends with, which is short and names the file."""
    with pytest.raises(StudyError) as caught:
        load([path], overrides)
    message = str(caught.value)
    lines = message.splitlines()
    assert len(lines) <= 10
    assert all(len(line) < 300 + len(str(path)) for line in lines)
    assert str(path) in lines[0]
    assert "$ref" not in message
    assert "additionalProperties" not in message
    return message


def fault(read, *arguments):
    """The message of the StudyError that reading ends with, or None where it ends well."""
    try:
        read(*arguments)
    except StudyError as error:
        return str(error)
    return None


def vary(text):
    return f"experiments: {{rates: {{vary: {{{text}}}}}}}\n"


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("seads: 3\n", "top level", "unknown key 'seads'; did you mean 'seeds'?"),
        ("baseline: {optimizer: AdamW}\n", "baseline.optimizer", "did you mean 'adamw'?"),
        ("baseline: {lerning_rate: 1}\n", "baseline", "did you mean 'learning_rate'?"),
        ("baseline: {colour: 1}\n", "baseline", "unknown key 'colour'; known are optimizer, "),
        ("baseline: {left: 1, by: 2}\n", "baseline", "unknown key 'left', 'by'; known are optim"),
        ("final: {dropuot: 0.1}\n", "final", "did you mean 'dropout'?"),
        ("data: {datset: x}\n", "data", "did you mean 'dataset'?"),
        ("data: {validation: tset}\n", "data.validation", "'tset'; did you mean 'test'?"),
        ("data: {validation: {from: train}}\n", "data.validation", "key 'size' is missing"),
        (
            "data: {validation: {from: trian, size: 9}}\n",
            "data.validation.from",
            "did you mean 'train'?",
        ),
        (
            "data: {validation: {from: train, size: 0}}\n",
            "data.validation.size",
            "must be at least 1, is 0",
        ),
        ("data: {validation: 5}\n", "data.validation", "must be keys with values or text, is 5"),
        ("final: bset\n", "final", "'bset'; did you mean 'best'?"),
        ("baseline: {flip: 1}\n", "baseline.flip", "must be true or false, is 1"),
        ("baseline: {shift: -1}\n", "baseline.shift", "must be at least 0, is -1"),
        ("baseline: {weight_averaging: 1}\n", "baseline.weight_averaging", "must be below 1"),
        ("report: {language: [en]}\n", "report", "did you mean 'languages'?"),
        ("true: 1\n", "top level", "unknown key True"),
        ("baseline: {dropout: much}\n", "baseline.dropout", "must be a number, is 'much'"),
        ("baseline: {dropout: true}\n", "baseline.dropout", "must be a number, is True"),
        ("baseline: {nesterov: 1}\n", "baseline.nesterov", "must be true or false, is 1"),
        ("baseline: {hidden: 128}\n", "baseline.hidden", "must be a list, is 128"),
        ("baseline: {hidden: [a]}\n", "baseline.hidden[0]", "must be a whole number, is 'a'"),
        ("baseline:\n", "baseline", "must be keys with values, is None"),
        ("seeds: many\n", "seeds", "must be a whole number or a list, is 'many'"),
        ("data: {dataset: 3}\n", "data.dataset", "must be keys with values or text, is 3"),
        ("baseline: {dropout: 1.0}\n", "baseline.dropout", "must be at most 0.999, is 1.0"),
        ("baseline: {dropout: -0.1}\n", "baseline.dropout", "must be at least 0, is -0.1"),
        ("baseline: {learning_rate: -1}\n", "baseline.learning_rate", "must be above 0, is -1"),
        ("baseline: {learning_rate: 0}\n", "baseline.learning_rate", "must be above 0, is 0"),
        ("baseline: {batch_size: 0}\n", "baseline.batch_size", "must be at least 1, is 0"),
        ("baseline: {batch_size: 2000000}\n", "baseline.batch_size", "must be at most 1000000"),
        ("baseline: {epochs: 1.5}\n", "baseline.epochs", "must be a whole number, is 1.5"),
        ("baseline: {epochs: 0}\n", "baseline.epochs", "must be at least 1, is 0"),
        ("baseline: {hidden: []}\n", "baseline.hidden", "must not be empty"),
        ("baseline: {hidden: [0]}\n", "baseline.hidden[0]", "must be at least 2, is 0"),
        (f"baseline: {{hidden: {[8] * 101}}}\n", "baseline.hidden", "at most 100 entries, has 101"),
        ("baseline: {optimizer: adm}\n", "baseline.optimizer", "'adm'; did you mean 'adam'?"),
        ("baseline: {activation: swish}\n", "baseline.activation", "known are relu, leaky_relu"),
        ("baseline: {dropout: .nan}\n", "baseline.dropout", "must be a finite number"),
        ("baseline: {weight_decay: .inf}\n", "baseline.weight_decay", "must be a finite number"),
        ("baseline: {weight_decay: 1e999}\n", "baseline.weight_decay", "must be a finite number"),
        ("seeds: 0\n", "seeds", "must be at least 1, is 0"),
        ("seeds: []\n", "seeds", "must not be empty"),
        ("seeds: [1, 2, 1]\n", "seeds", "has the same value twice: 1"),
        ("seeds: [-1]\n", "seeds[0]", "must be at least 0, is -1"),
        ("seeds: [4294967296]\n", "seeds[0]", "must be at most 4294967295"),
        ("device: gpu\n", "device", "unknown value 'gpu'"),
        ("data: {validation: train}\n", "data.validation", "unknown value 'train'"),
        ("data: {sources: []}\n", "data.sources", "must not be empty"),
        ('data: {dataset: ""}\n', "data.dataset", "must not be empty"),
        ('data: {dataset: "a\\ud800"}\n', "data.dataset", "is not valid Unicode"),
        ('report: {"\\udfff": 1}\n', "report", "the key '\\udfff' is not valid Unicode"),
        ("report: {languages: [fr]}\n", "report.languages[0]", "unknown value 'fr'; known are"),
        ("report: {languages: [es, es]}\n", "report.languages", "the same value twice: 'es'"),
    ],
)
def test_a_wrong_key_is_named_with_its_reason(write, text, place, reason):
    path = write(EXPERIMENTS + text)
    lines = complaint(path).splitlines()
    assert any(line.startswith(f"{path}: {place}: ") and reason in line for line in lines)


@pytest.mark.parametrize("path", ["--help", "-x", "a{run}", "{}", "a\nb", "a\x1b[31m"])
@pytest.mark.parametrize(
    ("place", "form"),
    [
        ("data.dataset", "data: {dataset: %s}\n"),
        ("data.sources[0]", "data: {sources: [%s]}\n"),
        ("report.beside", "report: {beside: %s}\n"),
    ],
)
def test_a_path_that_a_program_or_snakemake_would_read_otherwise_is_refused(
    write, place, form, path
):
    """Issue 18, entries 22 and 30."""
    file = write(EXPERIMENTS + form % json.dumps(path))
    assert complaint(file).startswith(f"{file}: {place}: ")


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("experiments: {}\n", "experiments", "must not be empty"),
        ("experiments:\n", "experiments", "must be keys with values, is None"),
        ("experiments: [rates]\n", "experiments", "must be keys with values, is ['rates']"),
        ("seeds: 2\n", "experiments", "must not be empty where there is no `search`"),
        ("experiments: {rates: {}}\n", "experiments.rates", "key 'vary' is missing"),
        ("experiments: {rates: }\n", "experiments.rates", "must be keys with values, is None"),
        ("experiments: {rates: {vari: {}}}\n", "experiments.rates", "did you mean 'vary'?"),
        (vary(""), "experiments.rates.vary", "must not be empty"),
        (vary("dropout: []"), "experiments.rates.vary.dropout", "must not be empty"),
        (vary("dropout: 0.1"), "experiments.rates.vary.dropout", "must be a list, is 0.1"),
        (vary("droput: [0.1]"), "experiments.rates.vary", "did you mean 'dropout'?"),
        (vary("dropout: [0.1, 1.0]"), "experiments.rates.vary.dropout[1]", "must be at most 0.999"),
        (vary("dropout: [0.1, .nan]"), "experiments.rates.vary.dropout[1]", "must be a finite"),
        (vary("dropout: [0.1, 0.10]"), "experiments.rates.vary.dropout", "same value twice: 0.1"),
        (vary("learning_rate: [1, 1.0]"), "experiments.rates.vary.learning_rate", "twice"),
        (vary("learning_rate: [0.001, 1e-3]"), "experiments.rates.vary.learning_rate", "twice"),
        (vary("hidden: [[8, 4], [8, 4]]"), "experiments.rates.vary.hidden", "twice: [8, 4]"),
        (vary("hidden: [8, 4]"), "experiments.rates.vary.hidden[1]", "must be a list, is 4"),
        (vary("hidden: [[]]"), "experiments.rates.vary.hidden[0]", "must not be empty"),
        (vary("epochs: [5, 1.5]"), "experiments.rates.vary.epochs[1]", "a whole number, is 1.5"),
    ],
)
def test_a_wrong_experiment_is_named_with_its_reason(write, text, place, reason):
    path = write(text)
    lines = complaint(path).splitlines()
    assert any(line.startswith(f"{path}: {place}: ") and reason in line for line in lines)


@pytest.mark.parametrize(
    "name",
    ["final", "final_x", "glance", "glance_x", "mosaic", "report", "a/b", "../x", "", "."]
    + ["a b", "1a", "_a", "ñ", "a.b", "a" * 65]
    + ["a\n", 2024, 1.5, None],
)
def test_an_experiment_name_that_is_reserved_or_unsafe_as_a_file_name_is_refused(tmp_path, name):
    path = tmp_path / "config.yaml"
    YAML().dump({"experiments": {name: {"vary": {"dropout": [0.1]}}}}, path)
    message = complaint(path)
    assert "experiments: " in message
    assert "cannot name an experiment" in message


@pytest.mark.parametrize("name", ["a", "Rates-2_b", "finally", "finals", "reports", "a" * 64])
def test_other_experiment_names_are_taken(tmp_path, name):
    path = tmp_path / "config.yaml"
    YAML().dump({"experiments": {name: {"vary": {"dropout": [0.1]}}}}, path)
    assert list(load([path])["experiments"]) == [name]


def test_several_wrong_keys_are_told_at_once(write):
    path = write(EXPERIMENTS + "seeds: 0\nbaseline: {dropout: 2, epochs: x}\nseads: 1\n")
    message = complaint(path)
    assert [line.split(": ")[1] for line in message.splitlines()] == [
        "baseline.dropout",
        "baseline.epochs",
        "seeds",
        "top level",
    ]


def test_all_unknown_keys_of_one_place_are_told_at_once(write):
    message = complaint(write(EXPERIMENTS + "baseline: {lerning_rate: 1, dropuot: 2}\n"))
    assert "lerning_rate" in message
    assert "dropuot" in message


def test_more_wrong_values_than_fit_the_screen_are_counted(write):
    message = complaint(write(vary(f"dropout: {list(range(2, 52))}")))
    assert len(message.splitlines()) == config.SHOWN + 1
    assert message.endswith(f"and {50 - config.SHOWN} more")


def test_a_long_wrong_value_is_cut(write):
    assert "x" * 100 not in complaint(write(EXPERIMENTS + f"seeds: {'x' * 5000}\n"))


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (EXPERIMENTS + "seeds: 1\ndevice: cpu\nseeds: 2\n", 4, "key 'seeds' is given twice"),
        (EXPERIMENTS + "baseline:\n  epochs: 1\n  epochs: 2\n", 4, "key 'epochs' is given twice"),
        (EXPERIMENTS + '"a\\nb": 1\n"a\\nb": 2\n', 3, r"key 'a\nb' is given twice"),
        (EXPERIMENTS + "seeds: [1, 2\ndevice: cpu\n", 3, "not valid YAML"),
        (EXPERIMENTS + "seeds: 1\n\tdevice: cpu\n", 3, "not valid YAML"),
        (EXPERIMENTS + 'seeds: "1\n', 3, "not valid YAML"),
        (EXPERIMENTS + "seeds: !!python/name:os.system 1\n", 2, "not valid YAML"),
        (EXPERIMENTS + "baseline: *other\n", 2, "not valid YAML"),
        (EXPERIMENTS + "--- \nseeds: 1\n", 2, "not valid YAML"),
    ],
)
def test_what_is_not_yaml_or_given_twice_is_told_with_its_line(write, text, line, reason):
    path = write(text)
    message = complaint(path)
    assert message.startswith(f"{path}, line {line}: {reason}")
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n", "word\n", "3\n"])
def test_a_file_without_keys_is_refused(write, text):
    assert "must hold keys" in complaint(write(text))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    assert "No such file" in complaint(tmp_path / "none.yaml")
    assert "Is a directory" in complaint(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("experiments: {caf\xe9: 1}".encode("latin-1"))
    assert "not valid YAML" in complaint(tmp_path / "latin.yaml")
    (tmp_path / "nul.yaml").write_bytes(b"seeds: \0")
    assert "not valid YAML" in complaint(tmp_path / "nul.yaml")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("seeds: 2001-13-45", id="no such day"),
        pytest.param("seeds: " + "9" * 5000, id="a number of 5000 digits"),
        pytest.param("experiments: &a {a: *a}", id="an alias within itself"),
        pytest.param("[" * 5000, id="deep nesting"),
    ],
)
def test_strange_yaml_is_told_in_a_message_too(write, text):
    complaint(write(text))


_YAML_PIECES = st.sampled_from(
    list(" \n\t:-{}[],&*!|>'\"#%@`?~\\<=") + ["a", "1e-3", "0o7", ".nan", "<<", "---", "é", "\x07"]
)


@MANY
@given(st.lists(_YAML_PIECES, max_size=30).map("".join))
def test_whatever_stands_in_a_file_is_read_or_told_in_one_line(shared_folder, text):
    path = shared_folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    message = fault(read_yaml, path)
    assert message is None or message.startswith(str(path))
    assert message is None or len(message.splitlines()) == 1


_NUMBERS = st.one_of(st.integers(-2, 20), st.floats(), st.integers())
_SCALARS = st.one_of(st.none(), st.booleans(), _NUMBERS, st.text(max_size=9))
_ANYTHING = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=5,
)
_SETTINGS = sorted(definitions())


_PLACES = st.one_of(
    st.sampled_from(
        [("seeds",), ("device",), ("claims",), ("report", "languages"), ("data", "dataset")]
    ),
    st.tuples(st.sampled_from(["baseline", "final"]), st.sampled_from(_SETTINGS)),
    st.tuples(
        *map(st.just, ("experiments", "one")),
        st.sampled_from(["vary", "with"]),
        st.sampled_from(_SETTINGS),
    ),
)


@MANY
@given(_PLACES, st.one_of(_ANYTHING, st.lists(_ANYTHING, min_size=1, max_size=3)))
def test_whatever_one_value_is_the_study_is_planned_or_the_fault_told(place, value):
    # The test below is about seeds such as 5.0.
    assume(place != ("seeds",) or not re.search(r"\d\.0\b", repr(value)))
    config = {
        "baseline": {"momentum": 0.5},
        "experiments": {"one": {"vary": {"dropout": [0.1]}, "with": {}}},
        "final": {"optimizer": "adam"},
        "report": {},
        "data": {},
    }
    part = config
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    before = repr(config)
    message = fault(lambda: resolve(validated(config, "config.yaml")))
    assert message is None or 1 <= len(message.splitlines()) <= 10
    assert repr(config) == before


@pytest.mark.parametrize("seeds", [3.0, [0.0, 1.0, 2.0]])
def test_seeds_written_with_a_point_are_whole_numbers_or_refused(write, seeds):
    path = write(EXPERIMENTS + f"seeds: {seeds}\n")
    try:
        planned = resolve(load([path])).seeds
    except StudyError:
        return
    assert repr(planned) == "[0, 1, 2]"


@pytest.mark.parametrize("number", ["1e-3", "1E-3", ".001", "0.001", "+1e-3", "1.0e-3"])
def test_all_ways_to_write_a_number_are_numbers(write, number):
    path = write(f"baseline: {{learning_rate: {number}}}\n{EXPERIMENTS}")
    assert load([path])["baseline"]["learning_rate"] == 0.001


@pytest.mark.parametrize("number", ["1e-3", "1E-3", ".001", "1.e-3"])
def test_numbers_that_snakemake_took_for_words_are_numbers(write, number):
    """Snakemake reads --config and --configfile by YAML 1.1, where 1e-3 is text."""
    loaded = load([write(EXPERIMENTS)], {"baseline": {"learning_rate": number}})
    assert loaded["baseline"]["learning_rate"] == 0.001


def test_numbers_are_found_in_an_experiment_called_data_too(write):
    experiment = {"vary": {"learning_rate": ["1e-3"]}}
    load([write(EXPERIMENTS)], {"experiments": {"data": experiment}})


def test_a_data_set_named_like_a_number_stays_text(write):
    assert load([write(EXPERIMENTS)], {"data": {"dataset": "1"}})["data"]["dataset"] == "1"


def test_overrides_change_their_keys_alone(write):
    path = write(EXPERIMENTS + "seeds: 4\nbaseline: {dropout: 0.1, epochs: 3}\n")
    loaded = load([path], {"seeds": 1, "baseline": {"epochs": 2}})
    assert loaded["seeds"] == 1
    assert loaded["baseline"] == {"dropout": 0.1, "epochs": 2}


def test_a_wrong_override_is_told_as_such(write):
    assert "with --config: seeds: must be at least 1" in complaint(write(EXPERIMENTS), {"seeds": 0})


def test_of_several_files_the_later_ones_win_key_by_key(write):
    first = write(EXPERIMENTS + "seeds: 4\nbaseline: {dropout: 0.1, epochs: 3}\n")
    second = write("baseline: {epochs: 2}\n", "second.yaml")
    loaded = load([first, second])
    assert loaded["seeds"] == 4
    assert loaded["baseline"] == {"dropout": 0.1, "epochs": 2}
    third = write("seeds: 0\n", "third.yaml")
    with pytest.raises(StudyError, match=re.escape(f"{first} and {third}: seeds: ")):
        load([first, third])


def test_an_override_changes_nothing_that_an_alias_stands_for(write):
    path = write(EXPERIMENTS + "baseline: &same {dropout: 0.1}\nfinal: *same\n")
    assert load([path], {"baseline": {"dropout": 0.5}})["final"] == {"dropout": 0.1}


def test_defaults_are_filled_in(write):
    assert load([write(EXPERIMENTS)]) == {
        "experiments": {"rates": {"vary": {"learning_rate": [0.1, 0.2]}}},
        "model": "mlp",
        "data": {
            "dataset": "FashionMNIST",
            "validation": "test",
            "sources": ["data/FashionMNIST/raw", "torchvision", "debian"],
        },
        "seeds": 5,
        "baseline": {},
        "claims": [],
        "arithmetic": "auto",
        "device": "auto",
        "job_minutes": 0,
        "partial": False,
        "report": {
            "languages": ["es", "en"],
            "early_stopping": {"metric": "validation_loss", "patience": 5},
        },
    }


def test_a_part_that_is_given_is_completed(write):
    loaded = load([write(EXPERIMENTS + "data: {sources: [here]}\n")])
    assert loaded["data"] == {
        "sources": ["here"],
        "dataset": "FashionMNIST",
        "validation": "test",
    }


@pytest.mark.parametrize("path", FURTHER, ids=lambda path: path.stem)
def test_the_further_studies_are_complete_and_right(path):
    plan = resolve(load([path]))
    assert plan.runs or plan.searches


def test_the_default_study_says_all_but_how_it_is_run():
    assert set(load([DEFAULT])) - set(read_yaml(DEFAULT)) == {
        "arithmetic",
        "claims",
        "device",
        "job_minutes",
        "partial",
    }


def resolved(part):
    name = part.get("$ref", "").rpartition("#/$defs/")[2]
    known = schema("claims")["$defs"] | schema()["$defs"]
    return known[name] | part if name else part


def described_parts(part, path=""):
    """Every key of the configuration that the schema knows, with its own part of the schema."""
    for key, inner in resolved(part).get("properties", {}).items():
        yield f"{path}.{key}", inner
        yield from described_parts(inner, f"{path}.{key}")
    if isinstance(part.get("additionalProperties"), dict):
        inner = part["additionalProperties"]
        yield f"{path}.<name>", inner
        yield from described_parts(inner, f"{path}.<name>")


PARTS = dict(described_parts(schema()))


@pytest.mark.parametrize("key", PARTS)
def test_every_key_is_described_and_typed(key):
    part = resolved(PARTS[key])
    values = resolved(part.get("items", {}))
    assert len(part.get("description", "") or values["description"]) > 10
    assert "type" in part or "enum" in part
    if part.get("type") == "object" and "properties" in part:
        assert part["additionalProperties"] is False


@pytest.mark.parametrize("name", _SETTINGS)
def test_every_setting_is_bounded_and_has_a_default_that_is_valid(name):
    part = definitions()[name]
    lowest = {"minimum", "exclusiveMinimum", "minItems"} & part.keys()
    highest = {"maximum", "exclusiveMaximum", "maxItems"} & part.keys()
    assert (lowest and highest) or "enum" in part or part["type"] == "boolean"
    experiments = {"one": {"vary": {name: [part["default"]]}}}
    validated({"baseline": {name: part["default"]}, "experiments": experiments}, "defaults")


def test_every_setting_can_be_varied_and_set_for_the_baseline_an_experiment_and_the_final():
    properties = schema()["properties"]
    experiment = properties["experiments"]["additionalProperties"]["properties"]
    varied = experiment["vary"]["properties"]
    assert list(varied) == list(definitions())
    for name, part in varied.items():
        assert part["items"] is definitions()[name]
    for part in (properties["baseline"], properties["final"]["then"], experiment["with"]):
        assert part["$ref"] == "#/$defs/settings"
