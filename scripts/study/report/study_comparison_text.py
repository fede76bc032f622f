"""What differs between two studies, as Markdown and as a page, in the report's languages."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from study.data.datasets import as_word
from study.report.words import Words
from study.results import study_comparison
from study.results.study_comparison import FINAL, Outcome, SharedValue, StudyResults
from study.support import markdown
from study.support.language import Language
from study.support.resources import resource

TEMPLATE = resource("resources/comparison.html.jinja")


def render(a: StudyResults, b: StudyResults, language: Language) -> str:
    """All that differs between the studies, in Markdown."""
    return _Comparison(a, b, language).render()


def page(text: str, language: Language) -> str:
    """Markdown as a page that asks for no other file."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE.parent), autoescape=True, undefined=StrictUndefined
    )
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    title = text.partition("\n")[0].removeprefix("# ")
    return environment.get_template(TEMPLATE.name).render(
        code=language.code, title=title, body=Markup(body)
    )


class _Comparison:
    def __init__(self, a: StudyResults, b: StudyResults, language: Language):
        self.a, self.b = a, b
        self.language = language
        self.words = Words(language)
        self.rows = []
        if a.plan.dataset == b.plan.dataset:
            self.rows = study_comparison.rows(a, b)

    def text(self, key: str, **values: Any) -> str:
        return self.language.text(f"comparison.{key}", **values)

    def names(self) -> list[str]:
        return [markdown.escaped(study.name) for study in (self.a, self.b)]

    def render(self) -> str:
        a, b = self.names()
        parts = [
            f"# {self.text('title', a=a, b=b)}",
            *self.brief(),
            *self.settings(),
            *self.experiments(),
            *self.results(),
            *self.best(),
        ]
        return "\n\n".join(parts) + "\n"

    def brief(self) -> Iterator[str]:
        """What it comes to, and what to keep in mind."""
        one, other = self.a.plan, self.b.plan
        if one.dataset != other.dataset:
            names = {"one": as_word(one.dataset), "other": as_word(other.dataset)}
            yield self.text("other_data", **names)
            return
        if not self.rows:
            yield self.text("nothing")
            return
        counts = Counter(row.outcome for row in self.rows)
        found = {outcome.value: counts[outcome] for outcome in Outcome}
        yield self.text("brief", count=len(self.rows), **found)
        if one.validation != other.validation:
            yield self.text("other_validation")
        if one.seeds != other.seeds:
            yield self.text("other_seeds")
        if any(row.a.epochs != row.b.epochs for row in self.rows):
            yield self.text("other_epochs")

    def settings(self) -> Iterator[str]:
        """A table of all that is set otherwise."""
        described = [dict(self._described(study)) for study in (self.a, self.b)]
        missing = self.words.text("cells.none")
        names = dict.fromkeys([*described[0], *described[1]])
        rows = [[name, *(each.get(name, missing) for each in described)] for name in names]
        rows = [row for row in rows if row[1] != row[2]]
        yield f"## {self.text('settings.title')}"
        yield self._table(["setting", *self.names()], rows) if rows else self.text("settings.none")

    def _described(self, study: StudyResults) -> Iterator[tuple[str, str]]:
        plan, made_by = study.plan, study.made_by
        yield self.text("settings.dataset"), markdown.escaped(as_word(plan.dataset))
        yield self.text("settings.validation"), self._validation(plan.validation)
        yield self.text("settings.seeds"), _spans(plan.seeds)
        complete = plan.hyperparameters.complete
        yield from self._chosen("baseline", complete(plan.baseline))
        if plan.final:
            yield from self._chosen("final", complete(plan.final.settings))
        yield self.text("settings.commit"), markdown.escaped(str(made_by.get("commit", "")))
        yield (
            self.text("settings.torch"),
            markdown.escaped(str(made_by.get("versions", {}).get("torch", ""))),
        )
        yield (
            self.text("settings.devices"),
            markdown.escaped(", ".join(map(str, made_by.get("devices", [])))),
        )

    def _chosen(self, whose: str, chosen: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for name, value in chosen.items():
            title = self.text(f"settings.{whose}", setting=self.words.setting_name(name))
            yield title, self.words.value_name(name, value)

    def _validation(self, described: str | Mapping[str, Any]) -> str:
        if isinstance(described, str):
            return self.text("settings.test")
        size = self.words.number(described["size"])
        return self.text("settings.held_out", size=size, seed=described["seed"])

    def experiments(self) -> Iterator[str]:
        """What one study has and the other has not."""
        rows = [*self._only(self.a, self.b), *self._only(self.b, self.a)]
        yield f"## {self.text('experiments.title')}"
        yield self._table(["what", "where"], rows) if rows else self.text("experiments.none")

    def _only(self, study: StudyResults, other: StudyResults) -> Iterator[list[str]]:
        where = self.text("experiments.only", study=markdown.escaped(study.name))
        shared = {key[:2] for key in other.values}
        for name, keys in dict.fromkeys(key[:2] for key in study.values):
            if (name, keys) in shared:
                continue
            if (name, keys) == FINAL[:2]:
                yield [self.text("experiments.final"), where]
            else:
                yield [self.text("experiments.experiment", experiment=self._name(name)), where]
        for key in study.values.keys() - other.values.keys():
            if key[:2] in shared:
                value = self.language.value(key[2])
                name = self._name(key[0])
                yield [self.text("experiments.value", experiment=name, value=value), where]

    def results(self) -> Iterator[str]:
        """The table of all values in both studies."""
        if not self.rows:
            return
        tests = sum(row.outcome in (Outcome.CLEAR, Outcome.OPEN) for row in self.rows)
        a, b = self.names()
        yield f"## {self.text('results.title')}"
        yield self.text("results.note", a=a, b=b, tests=tests, level=self.words.level())
        headings = ["experiment", "value", "epochs", a, b, "difference", "p", "verdict"]
        yield self._table(headings, map(self._cells, self.rows), "llrrrrrl")

    def _cells(self, row: SharedValue) -> list[str]:
        epochs = dict.fromkeys(self.words.number(each.epochs) for each in (row.a, row.b))
        none = self.words.text("cells.none")
        is_tested = row.outcome in (Outcome.CLEAR, Outcome.OPEN)
        difference = (row.size, row.low, row.high)
        return [
            self._name(row.key[0]) if row.key != FINAL else self.text("experiments.final"),
            self.language.value(row.key[2]) if row.key != FINAL else "",
            " / ".join(epochs),
            *(
                self.words.with_half(each.validation) + self.words.lost(each)
                for each in (row.a, row.b)
            ),
            self.words.with_interval(*difference, self.words.signed),
            self.words.p_alone(row.p) if is_tested else none,
            self.text(f"verdicts.{row.outcome}"),
        ]

    def best(self) -> Iterator[str]:
        """The experiments in which another value is best."""
        shared = [
            (ours, self.b.experiments[name])
            for name, ours in self.a.experiments.items()
            if name in self.b.experiments and ours.keys == self.b.experiments[name].keys
        ]
        if not (self.rows and shared):
            return
        rows = [
            [self._name(ours.name), *(self.words.short(each.best) for each in (ours, theirs))]
            for ours, theirs in shared
            if ours.best and theirs.best and ours.best.text != theirs.best.text
        ]
        yield f"## {self.text('best.title')}"
        yield self.text("best.other" if rows else "best.same")
        if rows:
            yield self._table(["experiment", *self.names()], rows)

    def _name(self, experiment: str) -> str:
        return markdown.escaped(experiment)

    def _table(
        self, headings: Sequence[str], rows: Iterable[Sequence[str]], alignment: str = ""
    ) -> str:
        known = self.language.entry("comparison.columns")
        titles = [known.get(heading, heading) for heading in headings]
        return markdown.table(titles, list(rows), alignment or "l" * len(headings))


def _spans(seeds: Sequence[int]) -> str:
    """`0–4, 7` for the seeds 0 to 4 and 7."""
    ordered = sorted(seeds)
    breaks = [place + 1 for place, (a, b) in enumerate(pairwise(ordered)) if b != a + 1]
    bounds = [0, *breaks, len(ordered)]
    spans = [ordered[start:end] for start, end in pairwise(bounds)]
    return ", ".join(f"{span[0]}–{span[-1]}" if len(span) > 1 else str(span[0]) for span in spans)
