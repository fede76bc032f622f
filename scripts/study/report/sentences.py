"""What an experiment's numbers say: sentences, chosen by the numbers that they state."""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from study.report.to_paste import to_paste
from study.report.training_sentences import course_of, gap_of, running
from study.report.words import Words
from study.results import findings, trends
from study.results.experiments import Difference, ExperimentResult
from study.results.findings import Lead, PublishedOrder
from study.statistics.estimates import repeatability


def analysis_of(
    experiment: ExperimentResult, metrics: pd.DataFrame, words: Words, images: int | None = None
) -> list[str]:
    """All that can be said of an experiment's numbers, a paragraph for each finding.

    `images` is the number of validation images, where one of them is worth telling.
    """
    if not experiment.ranked:
        values = words.part("values", len(experiment.values), len(experiment.values))
        return [words.text("analysis.all_diverged", values=values)]
    paragraphs = [
        *compared(experiment, words, images),
        running(experiment, metrics, words),
        gap_of(experiment, metrics, words),
        course_of(experiment.best, metrics, words),
        *_diverged(experiment, words),
    ]
    return [paragraph for paragraph in paragraphs if paragraph]


def compared(experiment: ExperimentResult, words: Words, images: int | None = None) -> list[str]:
    """What the differences between the values say: all that tests are made for."""
    paragraphs = [
        _best(experiment, words, images),
        _spread(experiment, words),
        _trend(experiment, words),
        *_edges(experiment, words),
        _published(findings.published_order(experiment), experiment, words),
    ]
    return [paragraph for paragraph in paragraphs if paragraph]


def _best(experiment: ExperimentResult, words: Words, images: int | None) -> str:
    best = experiment.best
    values = {"best": words.phrase(best), "accuracy": words.score(best.validation.mean)}
    lead = findings.lead(experiment)
    if lead is None:
        key = "best_only" if len(experiment.ranked) > 1 else "best_alone"
        return words.text(f"analysis.{key}", **values)
    sentences = [*_lead(lead, experiment, values, words), *_not_counted(experiment, words)]
    if verdict_on(lead, experiment) == "flat" and images:
        sentences.append(words.text("analysis.one_image", points=words.one_image(images)))
    return " ".join(sentences)


def _lead(
    lead: Lead, experiment: ExperimentResult, values: dict[str, str], words: Words
) -> Iterator[str]:
    if len(experiment.bests) > 1:
        first, *others = map(words.phrase, experiment.bests)
        values["values"] = words.joined([f"**{first}**", *others])
        yield words.text("analysis.best_level", **values)
        return
    values |= {"runner_up": words.phrase(lead.runner_up), "lead": words.points(lead.size)}
    verdict = verdict_on(lead, experiment)
    if lead.is_tested:
        values |= _in_words(lead.difference, words)
    yield words.text(f"analysis.best_{verdict}", **values)
    if verdict == "unclear" and not math.isnan(lead.difference.high):
        yield words.text("analysis.open", **values)
    others = [value for value in lead.equals if value is not lead.runner_up]
    if others:
        key = "equals_though" if lead.is_clear else "equals_also"
        yield words.text(f"analysis.{key}", values=words.phrases(others))


def _not_counted(experiment: ExperimentResult, words: Words) -> Iterator[str]:
    """The values that are left out of best and worst because more of their replicates diverged."""
    left_out = experiment.ranked[len(experiment.contenders) :]
    if left_out:
        yield words.text("analysis.not_counted", values=words.phrases(left_out))


def _in_words(difference: Difference, words: Words) -> dict[str, str]:
    """What a sentence may tell of a difference that was tested."""
    return {
        "p": words.p(difference.p_corrected),
        "low": words.signed(difference.low),
        "high": words.signed(difference.high),
        "widest": words.points(difference.high),
        "apart": words.points(repeatability(difference.noise)),
        "chance": words.chance(difference.superiority),
        "seeds": words.counted("seeds", difference.value.n),
        "needed": words.needed(difference.seeds_needed),
    }


def verdict_on(lead: Lead, experiment: ExperimentResult) -> str:
    """How sure a lead is, as keys of the catalogue have it."""
    if lead.is_clear:
        return "small" if lead.difference.is_small else "clear"
    if lead.is_tested:
        return "unclear"
    if lead.best.n > 1 and lead.runner_up.n > 1:
        return "flat"
    return (
        "few" if any(value.n > 1 or value.diverged for value in experiment.values) else "untested"
    )


def _spread(experiment: ExperimentResult, words: Words) -> str:
    spread = findings.spread(experiment)
    if spread is None or spread.size == 0:
        return ""
    values = {
        "worst": words.phrase(spread.worst),
        "accuracy": words.score(spread.worst.validation.mean),
        "size": words.points(spread.size),
    }
    if not spread.noise > 0:
        return words.text("analysis.spread_without_noise", **values)
    ratio = spread.size / spread.noise
    values |= {
        "ratio": words.number(ratio, 1 if ratio < 10 else 0),
        "noise": words.points(spread.noise),
    }
    sentences = [words.text("analysis.spread", **values)]
    if spread.pairs > 1:
        pairs = {"clear": spread.clear_pairs, "pairs": spread.pairs}
        sentences.append(words.text("analysis.pairs", **pairs))
    return " ".join(sentences)


def _trend(experiment: ExperimentResult, words: Words) -> str:
    trend = trends.trend(experiment)
    if trend is None:
        return ""
    values: dict[str, Any] = {"rises": trend.rises, "steps": trend.steps}
    for name in ("first", "last", "peak"):
        value = getattr(trend, name)
        values |= {
            name: words.phrase(value),
            f"{name}_accuracy": words.score(value.validation.mean),
        }
    sentences = [words.text(f"analysis.trend_{trend.shape}", **values)]
    if not math.isnan(trend.slope.low):
        key = "slope_clear" if findings.is_clear(trend.p) else "slope_unclear"
        slope = {
            "slope": words.signed(trend.slope.size),
            "low": words.signed(trend.slope.low),
            "high": words.signed(trend.slope.high),
            "p": words.p(trend.p),
        }
        steps = {"clear": trend.clear_steps, "steps": trend.steps}
        sentences += [
            words.text("analysis.steps", **steps),
            words.text(f"analysis.{key}", **slope),
        ]
    return " ".join(sentences)


def _edges(experiment: ExperimentResult, words: Words) -> Iterator[str]:
    for edge in trends.edges(experiment):
        sentences = [
            words.text(
                f"analysis.edge_{edge.side}",
                setting=words.setting_name(edge.key),
                value=words.setting_phrase(edge.key, edge.best.varied[edge.key]),
                accuracy=words.score(edge.best.validation.mean),
            )
        ]
        if edge.to_try:
            sentences.append(words.text("analysis.to_try", values=to_paste(edge.key, edge.to_try)))
        yield " ".join(sentences)


def _published(order: PublishedOrder | None, experiment: ExperimentResult, words: Words) -> str:
    if order is None:
        return ""
    agrees = order.claimed is order.best
    differs_from_itself = order.claimed is not order.foremost
    key = {
        (True, False): "published_agrees",
        (True, True): "published_agrees_despite",
        (False, False): "published_differs",
        (False, True): "published_differs_itself",
    }[agrees, differs_from_itself]
    values = {
        "claimed": words.phrase(order.claimed),
        "accuracy": words.score(order.claimed.validation.published),
        "foremost": words.phrase(order.foremost),
        "foremost_accuracy": words.score(order.foremost.validation.published),
        "ours": words.score(order.claimed.validation.mean),
        "best": words.phrase(order.best),
        "behind": words.points(order.behind),
    }
    sentences = [words.text(f"analysis.{key}", **values)]
    is_tested = not math.isnan(order.p)
    if order.claimed not in experiment.contenders:
        sentences.append(words.text("analysis.behind_lost", **values))
    elif not agrees and is_tested:
        key = "behind_clear" if findings.is_clear(order.p) else "behind_unclear"
        sentences.append(words.text(f"analysis.{key}", **values, p=words.p(order.p)))
    elif not agrees:
        sentences.append(words.text("analysis.behind_untested", **values))
    if order.pairs:
        pairs = {"agreeing": order.agreeing, "pairs": order.pairs}
        sentences.append(words.text("analysis.published_pairs", **pairs))
    return " ".join(sentences)


def _diverged(experiment: ExperimentResult, words: Words) -> Iterator[str]:
    if experiment.lost:
        values = words.phrases(experiment.lost, words.phrase_alone)
        yield words.text("analysis.diverged_all", values=values)
    for value in experiment.ranked:
        if value.diverged:
            yield words.text(
                "analysis.diverged_some",
                value=words.phrase_alone(value),
                accuracy=words.score(value.validation.mean),
                diverged=value.diverged,
                seeds=value.n + value.diverged,
            )
