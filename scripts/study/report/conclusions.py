"""The report's conclusions: the best settings, and what the experiments say together."""

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from study.report.accuracy_tables import Results
from study.report.recommendations import beyond, followed, recommendation
from study.report.to_paste import final_to_paste
from study.results import costs, findings
from study.results.experiments import ExperimentResult
from study.spec import settings
from study.spec.tasks import score_of
from study.statistics.significance import is_clear


class Conclusions(Results):
    """The best settings, and what the experiments say together."""

    def best_settings(self) -> str:
        """A table with the best value of each experiment."""
        keys = ["experiment", "best", "validation", "runner_up", "lead", "p", "clear"]
        sides = "llrlrrl"
        if any(map(findings.published_order, self.study.experiments)):
            keys += ["published_best", "published_validation"]
            sides += "lr"
        rows = [self._best_row(each)[: len(keys)] for each in self.study.experiments]
        return self.rows(self.headings(*keys), rows, sides)

    def _best_row(self, experiment: ExperimentResult) -> list[str]:
        words, none = self.words, self.cell("none")
        title = words.title(experiment)
        if not experiment.best:
            return [title, self.cell("diverged"), *[none] * 7]
        row = [title, words.short(experiment.best), self.accuracy(experiment.best.validation)]
        lead = findings.lead(experiment)
        if lead:
            row += [words.short(lead.runner_up), words.points(lead.size)]
            row += [self.p(lead.p), self.is_clear(lead.p)]
        else:
            row += [none] * 4
        order = findings.published_order(experiment)
        if not order:
            return [*row, none, none]
        claimed = order.claimed
        return [*row, words.short(claimed), words.points(claimed.validation.published)]

    def best_note(self) -> str:
        """What the table has."""
        return self.text("best.note", validation=self.validation_note)

    def overall(self) -> Iterator[str]:
        """Effects, noise, and where the best value is at an edge."""
        words, study = self.words, self.study
        yield from self.behind_measured()
        spreads = self.spreads()
        if len(spreads) > 1:
            effects = [
                self.text(
                    "conclusions.effect", experiment=words.label(each), size=words.points(size)
                )
                for each, size in spreads
            ]
            yield self.text("conclusions.effects", effects="; ".join(effects))
        scatter = findings.scatter(study.experiments)
        if scatter:
            yield self.text(
                "conclusions.noise",
                median=words.points(scatter.median),
                largest=words.points(scatter.largest.validation.sd),
                value=words.phrase(scatter.largest),
                apart=words.points(scatter.apart),
            )
        yield from self._cheapest()
        edges = [edge for experiment in study.experiments for edge in beyond(experiment, words)]
        if edges:
            yield self.text("conclusions.edges", values="; ".join(dict.fromkeys(edges)))

    def cost_figure(self) -> str:
        """The figure of scores over costs; nothing where there are no experiments."""
        if not self.study.experiments:
            return ""
        count = self.words.number(len(self.study.values))
        told = " ".join(self._cheapest())
        return self.figure("glance_cost", self.text("conclusions.cost_alt", count=count, told=told))

    def _cheapest(self) -> Iterator[str]:
        """The cheapest setting that is not clearly worse than the best, where that was tested."""
        study, words = self.study, self.words
        devices = {device for made_by in study.made_by for device in made_by["devices"]}
        found = costs.costs(study.experiments, study.metrics, devices)
        if found is None or not found.is_tested:
            return
        cheapest, p = found.cheapest
        unit = "seconds" if found.in_seconds else "epochs"

        def cost(each: costs.Cost) -> str:
            number = words.number(each.cost, 1 if found.in_seconds else 0)
            return self.text(f"conclusions.cost.{unit}", n=number)

        yield self.text(
            f"conclusions.{'best_is_cheapest' if cheapest is found.best else 'cheapest'}",
            best=words.phrase(found.best.value),
            accuracy=words.score(found.best.score),
            cost=cost(found.best),
            value=words.phrase(cheapest.value),
            other_accuracy=words.score(cheapest.score),
            other_cost=cost(cheapest),
            p="" if math.isnan(p) else words.p(p),
        )

    def behind_measured(self) -> Iterator[str]:
        """Whether a value that was measured is ahead of the final model, and how to take it."""
        ahead = findings.ahead_of_final(self.study.final, self.study.experiments)
        if ahead is None:
            return
        words, final, best = self.words, self.study.final, ahead.experiment.best
        verdict = "untested" if math.isnan(ahead.p) else "clear" if is_clear(ahead.p) else "open"
        yield self.text(
            f"conclusions.final_behind_{verdict}",
            final=words.score(final.validation.mean) + words.lost(final),
            accuracy=words.score(best.validation.mean),
            value=words.phrase(best),
            experiment=words.label(ahead.experiment),
            difference=words.points(-ahead.ahead),
            p="" if math.isnan(ahead.p) else words.p(ahead.p),
        )
        if self.study.plan.chooses_final:
            yield self.text(
                "conclusions.take_measured",
                config=final_to_paste(ahead.experiment.settings_of(best), self.study.plan.baseline),
            )

    def recommendations(self) -> Iterator[str]:
        """What to choose, experiment by experiment."""
        for experiment in self.study.experiments:
            yield recommendation(experiment, self.words)

    @cached_property
    def _single(self) -> list[ExperimentResult]:
        """The first experiment with a best value for each setting that is varied alone."""
        found: dict[str, ExperimentResult] = {}
        for experiment in self.study.experiments:
            if len(experiment.keys) == 1 and experiment.best:
                found.setdefault(experiment.keys[0], experiment)
        return list(found.values())

    def together(self) -> Iterator[str]:
        """What is known of the recommended values taken together."""
        best = {key: value for each in self._single for key, value in each.best.varied.items()}
        if len(best) > 1:
            yield self._combination(best)
        if best and self.study.final:
            yield followed(self.study.final.varied, best, self.words)
        yield self._other_optimizer()

    def _combination(self, best: Mapping[str, Any]) -> str:
        words, study = self.words, self.study
        chosen = {**study.plan.baseline, **best}
        named = words.joined([words.setting_phrase(key, value) for key, value in best.items()])
        accuracy = self._accuracy_of(chosen)
        if accuracy is not None:
            return self.text(
                "conclusions.combination_trained",
                settings=named,
                accuracy=accuracy,
                epochs=words.counted("epochs", chosen["epochs"]),
            )
        final = study.final.varied if study.final else {}
        if study.final and study.final.n and all(final[key] == best[key] for key in best):
            return self.text(
                "conclusions.combination_final",
                settings=named,
                others=words.joined(
                    [
                        words.setting_phrase(key, value)
                        for key, value in final.items()
                        if value != chosen[key]
                    ]
                ),
                accuracy=words.score(study.final.validation.mean) + words.lost(study.final),
            )
        return self.text("conclusions.combination_untrained", settings=named)

    def _accuracy_of(self, chosen: Mapping[str, Any]) -> str | None:
        """The mean validation accuracy with these settings, if any run was trained with them."""
        wanted = settings.identity(chosen)
        named = [run.run for run in self.study.plan.runs if run.settings == wanted]
        metrics = self.study.metrics
        rows = metrics[metrics["run"].isin(named) & (metrics["epoch"] <= chosen["epochs"])]
        is_end = (rows["epoch"] == chosen["epochs"]) & (rows["status"] == "ok")
        score = score_of("validation", rows)
        scores = rows.loc[is_end, ["seed", score]].drop_duplicates("seed")
        if scores.empty:
            return None
        told = self.words.score(float(scores[score].mean()))
        lost = rows.loc[rows["status"] == "diverged", "seed"].nunique()
        return told + self.words.lost_of(lost, lost + len(scores))

    def _other_optimizer(self) -> str:
        """A reminder of what was found with another optimizer than the recommended one."""
        best = next((each.best for each in self._single if each.keys == ["optimizer"]), None)
        if best is None:
            return ""
        optimizer = best.varied["optimizer"]
        others = {
            self.words.label(each): self.words.value_name("optimizer", each.settings["optimizer"])
            for each in self._single
            if each.keys != ["optimizer"] and each.settings["optimizer"] != optimizer
        }
        if not others:
            return ""
        return self.text(
            "conclusions.other_optimizer",
            trained=self.words.joined(list(dict.fromkeys(others.values()))),
            best=self.words.value_name("optimizer", optimizer),
            experiments=self.words.joined(list(others)),
        )
