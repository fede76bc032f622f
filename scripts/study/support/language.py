"""Words and numbers in the report's languages."""

import functools
import operator
import re
from collections.abc import Mapping
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


def available() -> list[str]:
    """The codes of the languages that have catalogues."""
    return sorted(folder.name for folder in LANGUAGES.iterdir() if folder.is_dir())


class Language:
    """The catalogues of one language: resources/languages/<code>/<file>.yaml.

    Their sentences call the data by `noun`, as `Dataset.noun` has it. `settings` are texts of
    settings that no catalogue has, as settings.yaml has them, each with its `phrase` too.
    """

    def __init__(
        self,
        code: str,
        noun: str = GARMENTS,
        settings: Mapping[str, Mapping[str, str]] | None = None,
    ):
        if code not in available():
            raise StudyError(f"no catalogue for language {code!r}; there are {available()}")
        self.code = code
        self._settings = settings or {}
        self._catalogues: dict[str, Any] = {}
        self._nouns: dict[str, str] = {}
        if noun != GARMENTS:
            words = self._catalogue("nouns")
            self._nouns = {words["words"][key]: word for key, word in words[noun].items()}
            del self._catalogues["nouns"]

    def _catalogue(self, name: str) -> Any:
        """One of the files, read when it is first asked for: reading all takes half a second."""
        if name not in self._catalogues:
            path = LANGUAGES / self.code / f"{name}.yaml"
            content = YAML(typ="safe", pure=False).load(path)
            self._catalogues[name] = _renamed(content, self._nouns) if self._nouns else content
        return self._catalogues[name]

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
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        text = format_decimal(abs(value), format=pattern, locale=self.code)
        # What rounds to zero has no sign.
        return f"−{text}" if value < 0 and text.strip("0.,") else text

    def percent(self, fraction: float, digits: int = 2) -> str:
        """A fraction as a percentage: 0.736 is `73.60 %`."""
        return f"{self.number(100 * fraction, digits)}\N{NO-BREAK SPACE}%"

    def value(self, text: str) -> str:
        """A language-neutral value text (`0.001`, `128-64`, `dropout=0.2`) in this language."""
        sign = self.number(0.5, 1)[1]
        return _NUMBER.sub(lambda number: number[0].replace(".", sign), text)


def _renamed(content: Any, nouns: Mapping[str, str]) -> Any:
    """A catalogue's content with other nouns in its texts; {fields} and keys stay."""
    if isinstance(content, dict):
        return {key: _renamed(each, nouns) for key, each in content.items()}
    if isinstance(content, list):
        return [_renamed(each, nouns) for each in content]
    if not isinstance(content, str):
        return content

    def other(found: re.Match[str]) -> str:
        word = nouns[found[0].lower()]
        return word.capitalize() if found[0][0].isupper() else word

    return re.sub(rf"(?<![{{\w])({'|'.join(nouns)})(?![}}\w])", other, content, flags=re.IGNORECASE)
