"""The catalogues are complete: no reader meets a missing word or half a sentence."""

import re
from string import Formatter

import pytest
from ruamel.yaml import YAML

from study.support.language import LANGUAGES, Language, available

CODES = available()
FILES = sorted({path.name for path in LANGUAGES.glob("*/*.yaml")})
SETTINGS = [
    "optimizer",
    "learning_rate",
    "learning_rate_decay",
    "momentum",
    "nesterov",
    "weight_decay",
    "label_smoothing",
    "dropout",
    "hidden",
    "activation",
    "batch_size",
    "epochs",
]
OPTIMIZERS = ["sgd", "adam", "adamw", "rmsprop", "adagrad", "adadelta", "adamax", "nadam", "radam"]
ACTIVATIONS = ["relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid"]
VALUES = {"optimizer": OPTIMIZERS, "activation": ACTIVATIONS}


def flat(entry, path=()):
    """Each text of a catalogue under its key path."""
    if isinstance(entry, dict):
        children = entry.items()
    elif isinstance(entry, list):
        children = enumerate(entry)
    else:
        return {path: entry}
    return {
        key: text for name, child in children for key, text in flat(child, (*path, name)).items()
    }


def catalogue(code, file):
    return flat(YAML(typ="safe").load(LANGUAGES / code / file))


def fields(text):
    """The names of a text's str.format fields; raises ValueError where a brace stands alone."""
    return {field for _, field, _, _ in Formatter().parse(str(text)) if field is not None}


@pytest.mark.parametrize("file", FILES)
def test_languages_have_the_same_keys(file):
    """A key in one language alone fails only the report of the other, and only when it is used."""
    first, *others = [set(catalogue(code, file)) for code in CODES]
    for other in others:
        assert other == first


@pytest.mark.parametrize("file", FILES)
def test_languages_have_the_same_fields(file):
    """A field that one language drops is a number its readers never see."""
    first, *others = [catalogue(code, file) for code in CODES]
    for other in others:
        differing = {key for key in first if fields(first[key]) != fields(other[key])}
        assert differing == set()


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("file", FILES)
def test_every_entry_is_a_text_under_text_keys(code, file):
    """YAML reads a bare `true:` as a boolean key, which no dotted path finds, and an entry left
    empty as null, which the report would print as `None`."""
    for path, text in catalogue(code, file).items():
        assert all(isinstance(part, str | int) and not isinstance(part, bool) for part in path)
        assert isinstance(text, str), path
        assert text.strip(), path


# Of these there may be a single one. A mosaic always has several.
PLURAL = re.compile(r"\{\w+\} (\w+ )?(images|accuracies|im\xe1genes|exactitudes)\b")
SEVERAL = ("mosaic",)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("file", FILES)
def test_what_may_be_one_is_no_plural(code, file):
    """'1 images', 'all 1 accuracies': a noun stands behind its number only where it has a form."""
    found = [
        text
        for path, text in catalogue(code, file).items()
        if PLURAL.search(text) and path[-1] not in ("other", *SEVERAL)
    ]
    assert found == []


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("file", FILES)
def test_p_and_its_level_stay_on_one_line(code, file):
    assert [text for text in catalogue(code, file).values() if re.search(r"\bp [<=]", text)] == []


@pytest.mark.parametrize("code", CODES)
def test_what_is_said_otherwise_of_quantities_has_the_fields_of_what_it_replaces(code):
    """A field that the sentence on classes has not is never filled in."""
    strange = {}
    for (kind, *path), text in catalogue(code, "regression.yaml").items():
        if kind == "instead":
            known = catalogue(code, f"{path[0]}.yaml").get(tuple(path[1:]), text)
            strange |= dict.fromkeys(fields(text) - fields(known), path)
    assert strange == {}


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_has_every_text(code, setting):
    """Any setting may be varied, and its section of the report needs all five."""
    language = Language(code)
    for part in ("name", "title", "what", "intuition", "why"):
        assert language.text(f"settings.{setting}.{part}")


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("setting", VALUES)
def test_every_named_value_has_a_name_and_a_sentence(code, setting):
    language = Language(code)
    assert list(language.entry(f"settings.{setting}.values")) == VALUES[setting]
    for value in VALUES[setting]:
        assert language.text(f"settings.{setting}.values.{value}.name")
        assert language.text(f"settings.{setting}.values.{value}.what").endswith(".")


@pytest.mark.parametrize("code", CODES)
def test_truth_values_have_words(code):
    language = Language(code)
    assert language.text("values.true") != language.text("values.false")


def test_spanish_texts_on_settings_have_decimal_commas():
    texts = catalogue("es", "settings.yaml").values()
    assert [text for text in texts if re.search(r"\d\.\d", text)] == []


@pytest.mark.parametrize("code", CODES)
def test_names_fit_into_a_sentence(code):
    """Names stand within sentences: lower case, unless the language writes a proper name."""
    language = Language(code)
    for setting in SETTINGS:
        name = language.text(f"settings.{setting}.name")
        assert name[0].islower() or name.startswith("Nesterov")
