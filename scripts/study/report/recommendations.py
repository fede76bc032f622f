"""Which values to take, in sentences."""

from collections.abc import Mapping
from typing import Any

from study.report.sentences import verdict_on
from study.report.to_paste import to_paste
from study.report.words import Words
from study.results import findings, trends
from study.results.experiments import ExperimentResult


def recommendation(experiment: ExperimentResult, words: Words) -> str:
    """The best value of an experiment, with how sure one can be of it."""
    title = words.title(experiment)
    if not experiment.best:
        tried = words.part("values", len(experiment.values), len(experiment.values))
        return words.text("conclusions.nothing", experiment=title, values=tried)
    best = experiment.best
    values = {"accuracy": words.score(best.validation.mean)}
    lead = findings.lead(experiment)
    if lead is None:
        verdict = "only" if len(experiment.ranked) > 1 else "alone"
    elif len(experiment.bests) > 1 and not lead.is_tested:
        verdict = "level"
        values["values"] = words.joined(list(map(words.phrase, experiment.bests[1:])))
    else:
        verdict = verdict_on(lead, experiment)
        values |= {"runner_up": words.phrase(lead.runner_up), "lead": words.points(lead.size)}
        if lead.equals:
            verdict = "unclear"
            values["values"] = words.phrases(lead.equals)
        elif lead.is_clear:
            values["p"] = words.p(lead.p)
    named = words.text("conclusions.recommended", experiment=title, best=words.short(best))
    return f"{named} {words.text(f'conclusions.{verdict}', **values)}"


def beyond(experiment: ExperimentResult, words: Words) -> list[str]:
    """The best values at an edge of those tried, each with those to try beyond it."""
    found = []
    for edge in trends.edges(experiment):
        name = words.setting_phrase(edge.key, edge.best.varied[edge.key])
        found.append(f"{name} ({to_paste(edge.key, edge.to_try)})" if edge.to_try else name)
    return found


def followed(final: Mapping[str, Any], best: Mapping[str, Any], words: Words) -> str:
    """Which of the best values of single settings the final model takes."""
    taken = [words.setting_phrase(key, best[key]) for key in best if final[key] == best[key]]
    others = [words.setting_phrase(key, final[key]) for key in best if final[key] != best[key]]
    key = "final_follows" if taken and others else "final_follows_all"
    key = key if taken else "final_follows_none"
    if not (taken and others):
        key += ".one" if len(best) == 1 else ".other"
    return words.text(
        f"conclusions.{key}",
        taken=words.joined(taken),
        others=words.joined(others),
    )
