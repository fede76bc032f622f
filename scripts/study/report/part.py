"""What all parts of the report share."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from study.data.base import Classes
from study.report.data import ReportData
from study.report.words import Words
from study.results import findings
from study.results.experiments import ExperimentResult
from study.spec import settings
from study.statistics.uncertainty import Interval
from study.support import markdown

# A reader sees so many rows of a table at once, and unfolds the others.
MOST_SEEN = 12

# Of longer tables only the first and the last rows are shown.
MOST_ROWS = 40
EXTREMES = 20


class Part:
    """What all parts share: the study, the words, and how figures, tables and cells are written."""

    def __init__(self, study: ReportData, words: Words, figures: str):
        self.study = study
        self.words = words
        self.figures = figures
        self.text = words.text

    def figure(self, name: str, alternative: str) -> str:
        """A figure of the study with its alternative text."""
        alternative = re.sub(r"\\?[\[\]]", "", alternative)
        return f"![{alternative}]({self.figures}/{name}.{self.words.language.code}.png)"

    def table(self, columns: Mapping[str, Sequence[str]], alignment: str) -> str:
        """A table of named columns."""
        return self.rows(list(columns), list(zip(*columns.values(), strict=True)), alignment)

    def rows(self, headings: Sequence[str], rows: Sequence[Sequence[str]], alignment: str) -> str:
        """A table, folded after its first MOST_SEEN rows."""
        table = markdown.table(headings, rows, alignment)
        if len(rows) <= MOST_SEEN:
            return table
        return markdown.folded(
            table, MOST_SEEN, self.words.counted("more_rows", len(rows) - MOST_SEEN)
        )

    def headings(self, *keys: str) -> list[str]:
        """The headings of a table's columns."""
        return [self.text(f"columns.{key}") for key in keys]

    def cell(self, key: str) -> str:
        """A word that stands alone in a cell."""
        return self.text(f"cells.{key}")

    def yes_or_no(self, is_so: bool) -> str:
        """A truth value in a cell."""
        return self.cell("yes" if is_so else "no")

    def points(self, accuracy: float) -> str:
        """A score in a cell, without a sign of per cent; a dash where there is none."""
        return self.cell("none") if np.isnan(accuracy) else self.words.points(accuracy)

    def signed(self, difference: float) -> str:
        """A difference in a cell, in points; a dash where there is none."""
        return self.cell("none") if np.isnan(difference) else self.words.signed(difference)

    def p(self, p: float) -> str:
        """A p-value in a cell; a dash where there is none."""
        return self.words.p_alone(p)

    def is_clear(self, p: float) -> str:
        """Whether a p-value makes a difference clear, in a cell; a dash where there is none."""
        return self.cell("none") if np.isnan(p) else self.yes_or_no(findings.is_clear(p))

    @property
    def dataset(self) -> str:
        """The name of the data set."""
        return markdown.escaped(self.study.data.dataset.name)

    @property
    def is_of_classes(self) -> bool:
        """Whether classes are told apart, and not quantities predicted."""
        return isinstance(self.study.data.targets, Classes)

    @property
    def classes(self) -> list[str]:
        """The names of the classes."""
        names = self.study.data.targets.in_language(self.words.language.code)
        return [markdown.escaped(name) for name in names]

    @property
    def quantities(self) -> list[str]:
        """The names of the quantities predicted, with their units."""
        targets = self.study.data.targets
        return [
            markdown.escaped(f"{name} ({unit})" if unit else name)
            for name, unit in zip(targets.names, targets.units, strict=True)
        ]

    @property
    def outputs(self) -> list[str]:
        """The names of what the networks' outputs are of: classes or quantities."""
        return self.classes if self.is_of_classes else self.quantities

    @property
    def n_seeds(self) -> str:
        """`5 seeds`."""
        return self.words.counted("seeds", self.study.n_seeds)

    @property
    def seeds_of_values(self) -> str:
        """The same of the values of experiments, which may have more or fewer."""
        return self.words.seeds(*self.study.plan.seeds_of_values)

    @property
    def adds_seeds(self) -> bool:
        """Whether an experiment adds seeds where they are needed."""
        return any(experiment.looks for experiment in self.study.plan.experiments)

    @property
    def validation_note(self) -> str:
        """What the validation images are, to be said beside every table."""
        return self.text(f"method.validation.{self._validated_from}.note", test_part=self.test_part)

    @property
    def test_part(self) -> str:
        """What the test images are called: official, where they were not drawn from the data."""
        drawn = self.study.data.fitted.get("test")
        return self.text(f"method.test_part.{'drawn' if drawn else 'official'}")

    def is_unbalanced(self, part: str) -> bool:
        """Whether naming the most frequent class of a part of the images is often right."""
        return part in self.study.class_counts and self.study.class_counts[part].is_unbalanced

    def most_frequent(self, part: str) -> dict[str, str]:
        """The most frequent class of a part of the images, or several, and its share."""
        counts = self.study.class_counts[part]
        names = [self.classes[place] for place in counts.most_frequent]
        return {"classes": " / ".join(names), "share": self.words.percent(counts.share)}

    @property
    def _validated_from(self) -> str:
        """The part of the data set that the validation images come from."""
        validation = self.study.plan.validation
        return validation if validation == "test" else validation["from"]

    def worth_naming(self, chosen: Mapping[str, Any], without: Sequence[str] = ()) -> list[str]:
        """The settings that the optimizer uses and that are not left at a neutral default."""
        plan = self.study.plan
        known = plan.hyperparameters
        # A model's own are all told: their defaults are its file's.
        always = {*settings.ALWAYS_NAMED, "epochs", *(plan.model.parameters or {})}
        return [
            key
            for key in known.names
            if key not in without
            and settings.is_used(key, chosen["optimizer"])
            and (key in always or chosen[key] != known.default(key))
        ]

    def spreads(self) -> list[tuple[ExperimentResult, float]]:
        """Experiments with the distance between their best and worst value, the largest first."""
        found = [(each, findings.spread(each)) for each in self.study.experiments]
        sizes = [(experiment, spread.size) for experiment, spread in found if spread]
        return sorted(sizes, key=lambda item: -item[1])


def side_of_zero(interval: Interval) -> str:
    """On which side of 0 an interval lies: `above`, `below`, or `open` where it holds 0."""
    return "above" if interval.low > 0 else "below" if interval.high < 0 else "open"
