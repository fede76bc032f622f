"""What the figure of an experiment shows: its settings, values, curves and colours."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from study.data import datasets
from study.data.base import Classes, Data
from study.figures import drawing
from study.figures.drawing import MUTED, Curve
from study.results.metrics import collect as collect_records
from study.results.summary import summarise
from study.spec.plan import Plan
from study.spec.tasks import score_of, task_of
from study.statistics import classes
from study.statistics.classes import ClassCounts
from study.statistics.scales import scale_of
from study.support.errors import StudyError
from study.support.language import Language

# With more curves or ranks than this, only the best and the worst of them are drawn.
MOST_CURVES = 40
EXTREMES = 20

LINESTYLES = ("-", "--", ":", "-.")


def _place(value: Any) -> Any:
    return (sum(value), value) if isinstance(value, list) else value


@dataclass(frozen=True)
class VariedSetting:
    """One varied setting: its distinct values in the order shown, as values and as texts."""

    key: str
    values: list[Any]
    texts: list[str]

    @property
    def scale(self) -> str:
        """As `scale_of` has it."""
        return scale_of(self.values)

    @property
    def is_numeric(self) -> bool:
        """Whether the values lie on an axis of numbers."""
        return self.scale not in ("names", "sizes")

    @property
    def colours(self) -> list[tuple[float, float, float]]:
        """A colour for each value, in an ordered scale if the values have an order."""
        palette = drawing.unordered if self.scale == "names" else drawing.sequential
        return palette(len(self.values))

    def title(self, language: Language) -> str:
        """The setting's name as a heading."""
        return language.text(f"settings.{self.key}.title")

    def names(self, language: Language) -> list[str]:
        """The values' names in a language."""
        known = language.entry(f"settings.{self.key}").get("values", {})
        booleans = {"true": language.text("values.true"), "false": language.text("values.false")}
        return [
            known[text]["name"]
            if text in known
            else booleans.get(text.lower(), language.value(text))
            for text in self.texts
        ]


@dataclass(frozen=True)
class Line:
    """One run as drawn: its curves by measure, its look, and the table's rows read off it."""

    rows: list[int]
    curves: dict[str, Curve]
    colour: tuple[float, float, float] | str
    linestyle: str

    @property
    def longest(self) -> int:
        """The row that asks for all of the run that is drawn."""
        return self.rows[-1]


@dataclass(frozen=True)
class Frequent:
    """The most frequent class among the validation images, or several, and its share of them."""

    classes: Classes
    counts: ClassCounts

    def told(self, language: Language) -> str:
        """The sentence under a figure of accuracies."""
        names = self.classes.in_language(language.code)
        return language.text(
            "figures.unbalanced",
            classes=" / ".join(names[label] for label in self.counts.most_frequent),
            share=language.percent(self.counts.share),
        )


@dataclass(frozen=True)
class FigureData:
    """All that the figure of an experiment shows, the same in every language.

    `table` has a row for each value, in the order shown: the columns of summary.parquet, and for
    each varied setting `place of <key>`, the index of its value in the setting's `values`. `seeds`
    are how few and how many a value has.
    `metrics` has the rows of metrics.parquet of the experiment's runs. `frequent` is told beside
    accuracies where the classes are not equally frequent.
    """

    name: str
    seeds: tuple[int, int]
    settings: list[VariedSetting]
    table: pd.DataFrame
    metrics: pd.DataFrame
    frequent: Frequent | None = None

    @cached_property
    def score(self) -> str:
        """The metric that values are compared by."""
        return task_of(self.metrics.columns).score

    @property
    def measures(self) -> tuple[str, str]:
        """What is drawn by epoch."""
        return "validation_loss", f"validation_{self.score}"

    def final(self, part: str, statistic: str) -> np.ndarray:
        """A statistic, such as the mean, of each value's score after its last epoch, (values,)."""
        return self.table[f"{part}_{self.score}_{statistic}"].to_numpy(float)

    @property
    def places(self) -> np.ndarray:
        """(values, settings): which value of each setting a row of the table has."""
        return self.table[[f"place of {setting.key}" for setting in self.settings]].to_numpy()

    @cached_property
    def _colour_by(self) -> int:
        def rank(i: int) -> tuple[bool, bool, int]:
            setting = self.settings[i]
            return setting.key != "epochs", setting.scale != "names", len(setting.values)

        return max(range(len(self.settings)), key=rank)

    @property
    def colour_setting(self) -> VariedSetting:
        """The setting that the colours of the lines tell."""
        return self.settings[self._colour_by]

    @property
    def style_setting(self) -> VariedSetting | None:
        """The setting that dashes tell, in a grid of two where there are enough kinds of them."""
        if len(self.settings) != 2:
            return None
        other = self.settings[1 - self._colour_by]
        return other if other.key != "epochs" and len(other.values) <= len(LINESTYLES) else None

    @cached_property
    def colours(self) -> list[tuple[float, float, float]]:
        """A colour for each row of the table; in grids of three or more settings, by rank."""
        if len(self.settings) > 2:
            return drawing.sequential(len(self.table))
        colours = self.colour_setting.colours
        return [colours[place] for place in self.places[:, self._colour_by]]

    @cached_property
    def runs(self) -> dict[str, list[int]]:
        """Each run's rows of the table, whatever number of values are read off it, longest last."""
        grouped = self.table.groupby("run", sort=False).indices
        epochs = self.table["epochs"].to_numpy()
        return {run: sorted(rows, key=lambda row: epochs[row]) for run, rows in grouped.items()}

    @cached_property
    def drawn(self) -> list[Line]:
        """A line for each run; of very many, the best and the worst by final score."""
        runs = list(self.runs)
        if len(runs) > MOST_CURVES:
            final = np.nan_to_num(self.final("validation", "mean"), nan=-np.inf)
            lost = self.table["diverged"].to_numpy()
            last = {run: rows[-1] for run, rows in self.runs.items()}
            ranked = sorted(runs, key=lambda run: (lost[last[run]], -final[last[run]]))
            runs = ranked[:EXTREMES] + ranked[-EXTREMES:]
        records = dict(list(self.metrics[self.metrics["run"].isin(runs)].groupby("run")))
        return [self._line(self.runs[run], records[run]) for run in runs]

    def _line(self, rows: list[int], record: pd.DataFrame) -> Line:
        epochs = int(self.table["epochs"][rows[-1]])
        one_colour = len({self.colours[row] for row in rows}) == 1
        style = self.places[rows[-1], 1 - self._colour_by] if self.style_setting else 0
        return Line(
            rows=rows,
            curves={measure: drawing.curve(record, measure, epochs) for measure in self.measures},
            colour=self.colours[rows[-1]] if one_colour else MUTED,
            linestyle=LINESTYLES[style],
        )

    def row_names(self, language: Language) -> list[str]:
        """Name each row of the table by its values."""
        return self._names(language, self.settings)

    def line_names(self, language: Language) -> list[str]:
        """Name each row's line: by its values, but not by how far along the line they are."""
        return self._names(language, [each for each in self.settings if each.key != "epochs"])

    def _names(self, language: Language, settings: list[VariedSetting]) -> list[str]:
        parts = [
            [setting.names(language)[place] for place in self.table[f"place of {setting.key}"]]
            for setting in settings
        ]
        return [" · ".join(texts) for texts in zip(*parts, strict=True)]


def measured(plan: Plan, runs: Path, data: Path, name: str) -> FigureData:
    """What the records in the folder `runs` say of the plan's experiment `name`.

    `data` is the folder of the data set's files.
    """
    own = plan.only(name)
    dataset = datasets.describe(plan.dataset)
    metrics = collect_records(own.runs, runs, plan.hyperparameters).to_pandas()
    summary = summarise(own, metrics, dataset.name).to_pandas()
    found = collect(own, metrics, summary, name)
    return replace(found, frequent=frequent(dataset.load(data), plan.validation))


def frequent(data: Data, validation: str | Mapping[str, Any]) -> Frequent | None:
    """What is to be told of the validation images' classes.

    None where they are balanced, and of quantities.
    """
    if not isinstance(data.targets, Classes):
        return None
    by_part = classes.by_part(data.train.y, data.test.y, len(data.targets), validation)
    counts = by_part["validation"]
    return Frequent(data.targets, counts) if counts.is_unbalanced else None


def collect(plan: Plan, metrics: pd.DataFrame, summary: pd.DataFrame, name: str) -> FigureData:
    """Put together what the plan, metrics.parquet and summary.parquet say of experiment `name`.

    Raises StudyError when the plan has no such experiment, or the summary lacks one of its values.
    """
    own = plan.only(name)
    [experiment] = own.experiments
    keys, planned = experiment.keys, experiment.values
    table = summary[summary["experiment"] == name].set_index("value")
    for value in planned:
        if value.value not in table.index:
            raise StudyError(
                f"the summary has no row for {value.value!r} of experiment {name!r}: "
                "make it again for this plan"
            )
    table = table.loc[[value.value for value in planned]].reset_index()
    settings = []
    for key in keys:
        texts = [_text_of(value.value, key, keys) for value in planned]
        values = dict(zip(texts, (value.settings[key] for value in planned), strict=True))
        if scale_of(list(values.values())) != "names":
            values = dict(sorted(values.items(), key=lambda item: _place(item[1])))
        settings.append(VariedSetting(key, list(values.values()), list(values)))
        places = {text: place for place, text in enumerate(values)}
        table[f"place of {key}"] = [places[text] for text in texts]
    if len(keys) <= 2:
        table = table.sort_values([f"place of {key}" for key in keys], ignore_index=True)
    else:
        table = table.sort_values(
            f"{score_of('validation', metrics)}_mean",
            ascending=False,
            kind="stable",
            ignore_index=True,
        )
    metrics = metrics[metrics["run"].isin(table["run"])]
    asked = {(trial.run, seed) for trial in experiment.trials for seed in trial.seeds}
    places = zip(metrics["run"], metrics["seed"], strict=True)
    metrics = metrics[[place in asked for place in places]]
    return FigureData(name, own.seeds_of_values, settings, table, metrics)


def _text_of(value: str, key: str, keys: list[str]) -> str:
    if len(keys) == 1:
        return value
    return dict(part.split("=", 1) for part in value.split(", "))[key]
