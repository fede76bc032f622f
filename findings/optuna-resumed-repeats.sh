#!/bin/sh
# Optuna 5.0.0: a study that is resumed with the same seeded TPE sampler tries configurations again
# that it has tried, goes on elsewhere, or goes on exactly, by where it was stopped.
#
# The storage keeps trials, and nothing of the sampler. Made anew with its seed, TPESampler draws
# its numbers from the beginning. Stopped within its 10 startup trials it repeats the very points
# that it has (five of five in the example: nothing is learned from them). Stopped after them it
# leaves the path of the whole study. Only when it was stopped exactly at the end of the startup
# trials it is the same to the last bit, since then another of its generators begins; a test that
# happens to stop there proves what does not hold elsewhere.
#
# Output seen (optuna 5.0.0), 30 trials, SQLite, TPESampler(seed=1) in each process:
#   stopped after  5: same as whole for  5 trials, then 5 points tried twice
#   stopped after 10: same as whole for 30 trials, then 0 points tried twice
#   stopped after 15: same as whole for 15 trials, then 0 points tried twice
#
# What to do: derive the sampler's seed from the number of trials that are there, one for each.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    optuna==5.0.0
cd "$folder"
venv/bin/python - <<'PYTHON'
import itertools
import sys

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
numbers = itertools.count()


def points(*parts):
    """What a study tries that is resumed between `parts`, each so many trials long."""
    storage = f"sqlite:///study{next(numbers)}.db"
    for part in parts:
        study = optuna.create_study(
            storage=storage,
            study_name="resumed",
            load_if_exists=True,
            sampler=optuna.samplers.TPESampler(seed=1),
        )
        study.optimize(lambda trial: trial.suggest_float("x", -5, 5) ** 2, n_trials=part)
    return [trial.params["x"] for trial in study.trials]


whole = points(30)
found = []
for stopped in (5, 10, 15):
    tried = points(stopped, 30 - stopped)
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(whole, tried)))
    twice = len(tried) - len(set(tried))
    found.append((stopped, same, twice))
    print(f"stopped after {stopped:2}: same as whole for {same:2} trials, then {twice} points tried twice")

as_seen = found == [(5, 5, 5), (10, 30, 0), (15, 15, 0)]
sys.exit(None if as_seen else "Optuna behaves otherwise now")
PYTHON
