"""Altered files of models: each is a model, or is told with its file in one line; none runs."""

import ast
import random
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import own_models
from fuzzing import INPUTS, in_time, told
from study.spec import schemas
from study.spec.model_file import read
from study.spec.settings import Hyperparameters
from study.support.errors import StudyError

WHOLE = own_models.CNN.replace(
    "rate: float = 0.0,",
    'rate: float = 0.0, pooling: Literal["max", "mean"] = "max", name: str = "x",',
)

# What may stand in the place of an annotation or a default.
PARTS = [
    *("int", "float", "bool", "str", "list[int]", "tuple[float, ...]", "Literal['a', 'b']"),
    *("None", "-1", "1e400", "10**9", "[[1]]", "{}", "...", "lambda: 0", "f'{x}'", "'int'", "list"),
    *("nn.Module", "int | None", "Literal[1]", "Literal[()]", "Optional[int]", "b'x'", "1j", "''"),
    "'\ud800'".encode("unicode_escape").decode(),
]


@st.composite
def altered(draw):
    """The text of a model's file with some of its words, lines or letters changed."""
    text = WHOLE
    for _ in range(draw(st.integers(1, 4))):
        match draw(st.sampled_from(["part", "cut", "letter", "line", "name"])):
            case "part":
                places = ["list[int]", "bool", "float", "True", "0.0", "[3, 4]"]
                found = draw(st.sampled_from(places))
                text = text.replace(found, draw(st.sampled_from(PARTS)), 1)
            case "cut":
                text = text[: draw(st.integers(0, len(text)))]
            case "letter":
                place = draw(st.integers(0, max(0, len(text) - 1)))
                letter = draw(st.characters(codec="utf-8"))
                text = text[:place] + letter + text[place + 1 :]
            case "line":
                lines = text.splitlines()
                random.Random(draw(st.integers(0, 99))).shuffle(lines)
                text = "\n".join(lines)
            case "name":
                word = draw(st.sampled_from(["channels", "rate", "inputs", "SmallCnn", "self"]))
                other = draw(st.text(string.ascii_letters + "_é ", min_size=1, max_size=9))
                text = text.replace(word, other)
    return text


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "my_model.py"


@INPUTS
@given(altered())
@example("raise SystemExit(1)\n" + WHOLE)
@example("\ufeff" + WHOLE)
@example("# coding: latin-1\n" + WHOLE)
def test_any_altered_file_is_a_model_or_told_in_a_line(path, text):
    path.write_bytes(text.encode("utf-8"))
    try:
        with in_time():
            found = read(path)
    except StudyError as error:
        told(error, str(path))
        return
    ast.parse(path.read_bytes())
    known = Hyperparameters.with_model(found.parameters)
    chosen = known.complete({})
    for name, schema in found.parameters.items():
        assert not list(schemas.errors(chosen[name], schema)), name
        assert known.complete({name: schema["default"]})[name] == chosen[name]
