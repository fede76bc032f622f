"""Choosing the final model by the experiments' results: the best value of each, taken together.

What is chosen depends on validation accuracies, and on nothing else.
"""

from collections.abc import Mapping, Sequence

from study import analysis
from study.analysis import Experiment
from study.choice import Choice, Reason
from study.errors import StudyError


def choose(experiments: Sequence[Experiment]) -> Choice:
    """Take from each experiment what its best value sets.

    Of experiments that vary the same setting, the one with the higher accuracy decides it. Raises
    StudyError where every replicate of every value diverged.
    """
    found = [experiment for experiment in experiments if experiment.best]
    if not found:
        raise StudyError("final: best: every replicate diverged, so that there is no best value")
    by_accuracy = sorted(found, key=lambda experiment: experiment.best.validation.mean)
    deciding = {key: experiment for experiment in by_accuracy for key in experiment.keys}
    settings = {key: each.best.varied[key] for key, each in deciding.items()}
    return Choice(
        settings={key: settings[key] for each in found for key in each.keys},
        reasons=[_reason(experiment, deciding) for experiment in found],
    )


def _reason(experiment: Experiment, deciding: Mapping[str, Experiment]) -> Reason:
    lead = analysis.lead(experiment)
    return Reason(
        experiment=experiment.name,
        value=experiment.best.text,
        accuracy=experiment.best.validation.mean,
        runner_up=lead.runner_up.text if lead else None,
        lead=lead.size if lead else None,
        p=lead.p if lead and lead.is_tested else None,
        taken=[key for key in experiment.keys if deciding[key] is experiment],
    )
