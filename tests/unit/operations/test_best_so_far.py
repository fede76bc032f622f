"""Of a search, the best so far is the one that its table of trials has first."""

import json
from dataclasses import replace

import pytest

from finished import planned
from study.operations import journals
from study.operations.best_so_far import BestSoFar
from study.operations.progress import RunProgress, Situation, Snapshot
from study.spec.plan import Run
from study.spec.searches import Taken, Trial

CONFIG = {
    "seeds": 2,
    "baseline": {"epochs": 4, "hidden": [4]},
    "search": {"tuned": {"space": {"dropout": [0.1, 0.2, 0.3]}, "trials": 3, "sampler": "random"}},
}
SCORE = "validation_accuracy"


@pytest.fixture
def best(tmp_path):
    """What is best of trials, given by their epochs, seeds, and scores by epoch."""

    def best(*told):
        [search] = (plan := planned(**CONFIG)).searches
        trials, runs = [], []
        for number, (epochs, seeds, scores) in enumerate(told):
            name, settings = f"run-{number}", search.settings | {"dropout": number / 10}
            trials.append(Trial(number, search.steps[0].name, settings, name, epochs, seeds))
            runs.append(Run(name, settings, epochs, seeds))
            (tmp_path / name).mkdir()
            with (tmp_path / name / journals.NAME).open("w", encoding="utf-8") as file:
                for epoch, score in enumerate(scores, 1):
                    entry = {"epoch": epoch, "seeds": seeds, "time": 1.0, "pid": 1}
                    file.write(json.dumps(entry | {SCORE: score, "validation_loss": 1.0}) + "\n")

        drawn = replace(search, taken=[Taken("", trials, [])])
        plan = replace(plan, experiments=[], searches=[drawn], runs=runs)
        found = BestSoFar(plan, tmp_path, SCORE)
        finished = [RunProgress(run, Situation.FINISHED, run.epochs, run.epochs) for run in runs]
        found.look(Snapshot(finished))
        [experiment] = found.experiments()
        assert (experiment.trials, experiment.most_trials, experiment.finished) == (
            len(told),
            3,
            len(told),
        )
        return experiment.best

    return best


def test_the_higher_score_is_better(best):
    found = best((2, [0], [0.5, 0.6]), (2, [0], [0.9, 0.7]))
    assert (found.run, found.value, found.score) == ("run-1", "dropout=0.1", 0.7)


def test_who_went_further_is_before_who_did_not(best):
    """Successive halving has dropped the others, whatever they had."""
    assert best((2, [0], [0.9, 0.9]), (4, [0], [0.1, 0.2, 0.3, 0.4])).run == "run-1"


def test_who_has_more_seeds_is_before_who_has_one(best):
    assert best((1, [0], [0.9]), (1, [0, 1], [0.5])).run == "run-1"


def test_who_diverged_is_no_best(best):
    assert best((1, [0, 1], [None]), (1, [0], [0.5])).run == "run-1"


def test_of_trials_that_all_diverged_there_is_none(best):
    assert best((1, [0], [None])) is None
