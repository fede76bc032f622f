"""The report's section on each search: its space, its cost, its winner, and what matters."""

import math
from collections.abc import Iterator
from typing import Any

from study.report.data import ReportData
from study.report.part import Part
from study.report.words import Words
from study.results.trends import Definition
from study.search.steps import Scores, winner
from study.search.trials import DIVERGED, ScoredTrial, ranked, scored
from study.spec.searches import Search
from study.spec.settings import Settings
from study.spec.tasks import score_of
from study.support import markdown

# Rows of the table of trials.
MOST_TRIALS = 10

# A winner so near to an end of its range, as a share of it, is told to lie at it.
NEAR = 0.05


class Searches(Part):
    """The section of each search."""

    def __init__(self, study: ReportData, words: Words, figures: str):
        super().__init__(study, words, figures)
        self.scores = Scores(study.metrics)

    def trials(self, search: Search) -> list[ScoredTrial]:
        """Its trials in the order in which they were drawn, with their scores."""
        return scored(search, self.scores)

    def say(self, key: str, **values: Any) -> str:
        """The sentence of a search under `key`."""
        return self.words.language.text(f"search.{key}", **values)

    def heading(self, number: int, search: Search) -> str:
        """The heading of a search's section."""
        return self.say("heading", number=number, name=markdown.escaped(search.name))

    def counted(self, count: int) -> str:
        """`1 trial`, `40 trials`."""
        form = "one" if count == 1 else "other"
        return self.say(f"trials.{form}", n=self.words.number(count))

    def briefly(self) -> Iterator[str]:
        """The winner of each search, and which settings matter, in a sentence each."""
        for search in self.study.plan.searches:
            won = winner(search, self.scores)
            if won:
                drawn = won.trial.settings
                yield self.say(
                    "brief",
                    name=markdown.escaped(search.name),
                    trials=self.counted(len(search.trials)),
                    settings=self.words.settings(drawn, list(drawn)),
                    score=self._score,
                    value=self.words.score(won.score),
                    seeds=self.words.counted("seeds", len(won.trial.seeds)),
                )
                yield from self._matters(search)

    def sentences(self, search: Search) -> Iterator[str]:
        """What was searched, how, at which cost, and what came out."""
        yield self._space(search)
        if not search.is_finished:
            # In a report over what is trained so far: what comes next may change all there is.
            most = self.words.number(search.most_trials)
            yield self.say("unfinished", trials=self.counted(len(search.trials)), most=most)
            return
        yield self._what(search)
        if search.earlier:
            yield self.say("earlier", trials=self.counted(len(search.earlier)))
        yield from self._stages(search)
        yield self._spent(search)
        yield from self._winner(search)
        lost = [each for each in self.trials(search) if each.state == DIVERGED]
        if lost:
            numbers = self.words.listed([str(each.trial.number) for each in lost])
            yield self.say("diverged", trials=self.counted(len(lost)), numbers=numbers)
        yield from self._matters(search)

    def best_trials(self, search: Search) -> str:
        """A table of the best trials."""
        rows = []
        for each in ranked(self.trials(search))[:MOST_TRIALS]:
            trial = each.trial
            rows.append(
                [
                    self.words.number(trial.number),
                    *(self._drawn(key, trial.settings) for key in search.space),
                    self.words.number(trial.epochs),
                    self.words.number(len(trial.seeds)),
                    self.cell("none") if each.value is None else self.words.score(each.value),
                ]
            )
        first, *last = (self.say(f"columns.{key}") for key in ("trial", "epochs", "seeds", "score"))
        titles = [self.words.setting_title(key) for key in search.space]
        return self.rows([first, *titles, *last], rows, "r" * len(rows[0]))

    def note(self, search: Search) -> str:
        """What the table has."""
        return self.say("table_note", score=self._score)

    def figure_of(self, search: Search) -> str:
        """The figure of a search, but where the report begins with it."""
        return self.drawn(search) if self.study.experiments else ""

    def drawn(self, search: Search) -> str:
        """The figure of a search: its history, and its scores by setting."""
        trials = self.counted(len(search.trials))
        name = markdown.escaped(search.name)
        return self.figure(search.name, self.say("alt", trials=trials, name=name))

    @property
    def _score(self) -> str:
        score = score_of("validation", self.study.metrics.columns)
        return self.say(f"scores.{score.removeprefix('validation_')}")

    def _drawn(self, key: str, settings: Settings) -> str:
        return self.words.value_name(key, settings[key]) if key in settings else self.cell("none")

    def _space(self, search: Search) -> str:
        baseline = self.study.plan.baseline
        other = [key for key, value in search.settings.items() if value != baseline[key]]
        start = self.say("start_baseline")
        if other:
            start = self.say("start_other", settings=self.words.settings(search.settings, other))
        forms = [self._form(key, form) for key, form in search.space.items()]
        return self.say("space", settings="; ".join(forms), start=start)

    def _form(self, key: str, form: Any) -> str:
        name = self.words.setting_name(key)
        if isinstance(form, list):
            values = [self.words.value_name(key, value) for value in form]
            return self.say("choices", setting=name, values=", ".join(values))
        low, high = (self.words.value_name(key, form[end]) for end in ("low", "high"))
        kind = "range_log" if form["log"] else "range"
        return self.say(kind, setting=name, low=low, high=high)

    def _what(self, search: Search) -> str:
        rounds = [step for step in search.steps if step.drawn]
        return self.say(
            "what" if len(rounds) > 1 else "what_once",
            trials=self.counted(len(search.trials)),
            sampler=self.say(f"samplers.{search.sampler}"),
            parallel=rounds[0].drawn,
        )

    def _stages(self, search: Search) -> Iterator[str]:
        first = search.steps[0]
        asked = list(zip(search.steps, search.taken, strict=True))
        rungs = [
            (step.epochs, len(taken.asked))
            for step, taken in asked
            if not step.drawn and len(step.seeds) == 1
        ]
        if rungs:
            epochs, counts = zip(*rungs, strict=True)
            yield self.say(
                "halving",
                first=self.words.counted("epochs", first.epochs),
                rungs=self.words.joined([self.words.number(each) for each in epochs]),
                counts=self.words.joined([self.words.number(each) for each in counts]),
            )
        if len(search.seeds) > 1:
            confirmed = self.counted(len(search.taken[-1].asked))
            seeds = self.words.counted("seeds", len(search.seeds))
            yield self.say("seeds", confirmed=confirmed, seeds=seeds)

    def _spent(self, search: Search) -> str:
        spent = 0
        reached: dict[tuple[int, int], int] = {}
        for step, taken in zip(search.steps, search.taken, strict=True):
            for place in ((number, seed) for number in taken.asked for seed in step.seeds):
                spent += step.epochs - reached.get(place, 0)
                reached[place] = step.epochs
        whole = len(search.trials) * search.epochs * len(search.seeds)
        return self.say(
            "spent",
            spent=self.words.number(spent),
            whole=self.words.number(whole),
            share=self.words.language.percent(spent / whole, 0),
        )

    def _winner(self, search: Search) -> Iterator[str]:
        won = winner(search, self.scores)
        if won is None:
            yield self.say("no_winner")
            return
        drawn = won.trial.settings
        told = [
            self.say(
                "winner",
                number=self.words.number(won.trial.number),
                settings=self.words.settings(drawn, list(drawn)),
                score=self._score,
                value=self.words.score(won.score),
                seeds=self.words.counted("seeds", len(won.trial.seeds)),
            ),
            self.say("optimistic", n=self.counted(len(search.trials))),
        ]
        reasons = {reason.experiment for reason in self.study.plan.reasons}
        if self.study.final and search.name in reasons and self.study.plan.validation != "test":
            told.append(self.say("unseen"))
        yield " ".join(told)
        definitions = self.study.plan.hyperparameters.definitions
        for key, value in drawn.items():
            end = end_of(search.space[key], value, definitions[key])
            if end:
                bound = self.words.value_name(key, search.space[key][end])
                name = self.words.setting_name(key)
                value_name = self.words.value_name(key, value)
                yield self.say(f"bound_{end}", setting=name, value=value_name, bound=bound)

    def _matters(self, search: Search) -> Iterator[str]:
        found = self.study.importances[search.name]
        if not found:
            yield self.say("matters_unknown", trials=self.counted(len(search.trials)))
            return
        clear = [each for each in found if each.is_clear]
        unclear = [self.words.setting_name(each.setting) for each in found if not each.is_clear]
        if not clear:
            yield self.say("matters_nothing")
            return
        shares = [
            self.say(
                "matters_share",
                setting=self.words.setting_name(each.setting),
                share=self.words.language.percent(each.share, 0),
                low=self.words.language.percent(each.low, 0),
                high=self.words.language.percent(each.high, 0),
            )
            for each in clear
        ]
        told = self.say("matters", shares="; ".join(shares))
        if unclear:
            told += " " + self.say("matters_not", settings=self.words.joined(unclear))
        yield told


def end_of(form: Any, value: Any, definition: Definition) -> str | None:
    """The end of the space, `low` or `high`, that a value lies at.

    None for a list's, and where `definition`, the setting's schema, allows nothing beyond.
    """
    if isinstance(form, list):
        return None
    scale = math.log if form["log"] else float
    low, high = scale(form["low"]), scale(form["high"])
    share = (scale(value) - low) / (high - low)
    if share < NEAR:
        return "low" if form["low"] != definition.get("minimum") else None
    if share > 1 - NEAR:
        return "high" if form["high"] != definition.get("maximum") else None
    return None
