"""How training went, in sentences: accuracies on both sides, and the validation loss."""

import math

import pandas as pd

from study.report.words import Words
from study.results import findings
from study.results.experiments import ExperimentResult, ValueResult
from study.results.findings import Course
from study.statistics.estimates import Estimate


def running(experiment: ExperimentResult, metrics: pd.DataFrame, words: Words) -> str:
    """Whether accuracy as counted during training lies below that on the validation images."""
    gap = findings.running_gap(experiment)
    seen = findings.seen_score(gap.widest, metrics).mean
    return words.text(
        "analysis.running" if gap.below else "analysis.running_above",
        values=words.part("values", len(gap.below) or gap.count, gap.count),
        widest=words.phrase(gap.widest),
        train=words.score(gap.widest.train.mean),
        validation=words.score(gap.widest.validation.mean),
        seen=words.score(seen),
        hidden=words.signed(seen - gap.widest.train.mean),
    )


def gap_of(experiment: ExperimentResult, metrics: pd.DataFrame, words: Words) -> str:
    """The widest of an experiment's distances of images learnt from to validation images."""
    value, gap = findings.widest_gap(experiment, metrics)
    return gap_in_words("analysis", value, gap, metrics, words)


def gap_in_words(
    place: str, value: ValueResult, gap: Estimate, metrics: pd.DataFrame, words: Words
) -> str:
    """The distance of images learnt from to validation images, from the catalogue's `place`."""
    # A single seed, and several that agree, have no interval: the gap is told as it is.
    low, high = (gap.mean, gap.mean) if math.isnan(gap.low) else (gap.low, gap.high)
    verdict = "gap" if low > 0 else "no_gap" if high <= 0 else "gap_open"
    return words.text(
        f"{place}.{verdict}",
        widest=words.points(gap.high),
        value=words.phrase(value),
        gap=words.with_half(gap),
        seen=words.score(findings.seen_score(value, metrics).mean),
        validation=words.score(value.validation.mean),
    )


def course_of(best: ValueResult, metrics: pd.DataFrame, words: Words) -> str:
    """How the validation loss of the best value went; nothing of a single epoch."""
    if best.epochs == 1:
        return ""
    return course_in_words(findings.course(best, metrics), words.phrase(best), words)


def course_in_words(course: Course, name: str, words: Words) -> str:
    """How the validation loss of a value, called `name`, went over two epochs or more."""
    if course.is_falling:
        verdict = "falling"
    elif math.isnan(course.rise.low):
        verdict = "one_seed"
    else:
        verdict = "rising" if course.rise.low > 0 else "level"
    return words.text(
        f"analysis.course_{verdict}",
        value=name,
        epoch=words.number(course.lowest_epoch),
        epochs=words.number(course.value.epochs),
        lowest=words.nats(course.lowest),
        last=words.nats(course.last),
        gained=words.signed(course.gained),
    )
