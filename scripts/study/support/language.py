"""Words and numbers in the report's languages."""

import functools
import math
import operator
import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from babel.numbers import format_decimal
from ruamel.yaml import YAML

from study.support.errors import StudyError
from study.support.resources import resource

LANGUAGES = resource("resources/languages")

# Numbers with more digits, as a loss on its way out has, are written with a power of ten: babel
# cannot write 30 digits, and no reader counts 20.
HUGE = 15

# A number within a value text: not part of a word, so that `128-64` is two whole numbers.
_NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(?:e[+-]?\d+)?(?![\w.])")

# What the catalogues call the data where nothing else is said: nouns.yaml has the other words.
GARMENTS = "garments"

# The task that the catalogues speak of: another one's <task>.yaml has what it says otherwise.
CLASSIFICATION = "classification"

# Decimals of a share in per cent, and of a score that is no share, such as R²; of differences too.
PERCENT_DIGITS, SCORE_DIGITS = 2, 3


def available() -> list[str]:
    """The codes of the languages that have catalogues."""
    return sorted(folder.name for folder in LANGUAGES.iterdir() if folder.is_dir())


def rounded(value: float, digits: int) -> Decimal:
    """The number of `digits` decimals that stands for a finite `value` wherever it is told.

    It is the nearest to what Python writes of `value`; of two as near, the even one.
    """
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)


def for_browser(value: float, digits: int) -> float:
    """A finite `value` to two decimals more, which a browser rounds to what `rounded` gives.

    A browser rounds the binary number: 70.025 to 70.03, and 70.02 is told beside it. Where the two
    decimals are a half, they are made a hundredth more or less.
    """
    if abs(value) >= 10**HUGE:
        return value
    told, finer = rounded(value, digits), rounded(value, digits + 2)
    beyond = finer - told
    if abs(beyond) == Decimal(5).scaleb(-digits - 1):
        finer -= Decimal(1).scaleb(-digits - 2).copy_sign(beyond)
    return float(finer)


@functools.cache
def _told(value: float, digits: int, code: str) -> str:
    """The digits of `value`, without its sign; a figure asks for those of a tick many times."""
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    told: float | Decimal = value if math.isnan(value) else rounded(value, digits)
    return str(format_decimal(told, format=pattern, locale=code).lstrip("-"))


class Language:
    """The catalogues of one language: resources/languages/<code>/<file>.yaml.

    Their sentences call the data by `noun`, as `Dataset.noun` has it, and the scores as the `task`
    does. `settings` are texts of settings that no catalogue has, as settings.yaml has them, each
    with its `phrase` too.
    """

    def __init__(
        self,
        code: str,
        noun: str = GARMENTS,
        settings: Mapping[str, Mapping[str, str]] | None = None,
        task: str = CLASSIFICATION,
    ):
        if code not in available():
            raise StudyError(f"no catalogue for language {code!r}; there are {available()}")
        self.code = code
        self.task = task
        self._settings = settings or {}
        self._catalogues: dict[str, Any] = {}
        self._words: dict[str, str] = {}
        self._left_out = ""
        self._others: dict[str, Any] = {}
        if noun != GARMENTS:
            nouns = self._read("nouns")
            self._words = {nouns["words"][key]: word for key, word in nouns[noun].items()}
        if task != CLASSIFICATION:
            others = self._read(task)
            self._others = _renamed(others["instead"], self._words)
            self._words |= {
                others["words"][key]: word for key, word in others["other_words"].items()
            }
            self._left_out = others["left_out"]

    @property
    def scores_in_percent(self) -> bool:
        """Whether scores are shares, told in per cent, and their differences in points."""
        return self.task == CLASSIFICATION

    def _catalogue(self, name: str) -> Any:
        """One of the files, read when it is first asked for: reading all takes half a second."""
        if name not in self._catalogues:
            content = _renamed(self._read(name), self._words, self._left_out)
            self._catalogues[name] = _replaced(content, self._others.get(name, {}))
        return self._catalogues[name]

    def _read(self, name: str) -> Any:
        return YAML(typ="safe", pure=False).load(LANGUAGES / self.code / f"{name}.yaml")

    def entry(self, key: str) -> Any:
        """The catalogue's entry under a dotted key such as `settings.dropout.name`."""
        name, *parts = key.split(".")
        try:
            if name == "settings" and parts[0] in self._settings:
                entry: Any = self._settings
                return functools.reduce(operator.getitem, parts, entry)
            if key.startswith("report.phrases.") and parts[-1] in self._settings:
                return self._settings[parts[-1]]["phrase"]
            entry = self._catalogue(name)
            for part in parts:
                entry = entry[part]
        except (FileNotFoundError, KeyError, TypeError):
            raise StudyError(f"resources/languages/{self.code}: no entry {key!r}") from None
        return entry

    def text(self, key: str, **values: Any) -> str:
        """The sentence under `key`, its {fields} filled in from `values`."""
        return str(self.entry(key)).format(**values).strip()

    def number(self, value: float, digits: int = 0) -> str:
        """`value` with exactly `digits` decimals, the language's decimal sign and a real minus."""
        if abs(value) >= 10**HUGE:
            text = f"{value:.1e}".replace("+", "").replace("-", "−")
            return text.replace(".", self.number(0.5, 1)[1])
        text = _told(value, digits, self.code)
        # What rounds to zero has no sign.
        return f"−{text}" if value < 0 and text.strip("0.,") else text

    def percent(self, fraction: float, digits: int = PERCENT_DIGITS) -> str:
        """A fraction as a percentage: 0.736 is `73.60 %`."""
        return f"{self.number(100 * fraction, digits)}\N{NO-BREAK SPACE}%"

    def score(self, score: float) -> str:
        """A score with its sign of per cent, where it is a share."""
        return self.percent(score) if self.scores_in_percent else self.number(score, SCORE_DIGITS)

    def value(self, text: str) -> str:
        """A language-neutral value text (`0.001`, `128-64`, `dropout=0.2`) in this language."""
        sign = self.number(0.5, 1)[1]
        return _NUMBER.sub(lambda number: number[0].replace(".", sign), text)


def _renamed(content: Any, words: Mapping[str, str], left_out: str = "") -> Any:
    """A catalogue's content with other words in its texts; {fields} and keys stay.

    `left_out` is a regular expression of what is left out of texts.
    """
    if not words:
        return content
    if isinstance(content, dict):
        return {key: _renamed(each, words, left_out) for key, each in content.items()}
    if isinstance(content, list):
        return [_renamed(each, words, left_out) for each in content]
    if not isinstance(content, str):
        return content

    def other(found: re.Match[str]) -> str:
        word = words[found[0].lower()]
        return word.capitalize() if found[0][0].isupper() else word

    content = re.sub(left_out, "", content)
    return re.sub(rf"(?<![{{\w])({'|'.join(words)})(?![}}\w])", other, content, flags=re.IGNORECASE)


def _replaced(content: Any, others: Mapping[str, Any]) -> Any:
    """A catalogue's content with the entries of `others` in place of its own, or beside them."""
    if not isinstance(content, dict):
        return content
    found = dict(content)
    for key, other in others.items():
        found[key] = _replaced(found.get(key, {}), other) if isinstance(other, dict) else other
    return found
