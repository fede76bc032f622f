#!/bin/sh
# Optuna 5.0.0: of choices that are equal in Python a trial records the first, whichever the
# objective was given: of 0 and False always 0, of 1 and True always 1.
#
# suggest_categorical takes None, bool, int, float and str. The choice that was drawn is noted by
# its place in the list, found by ==, and read back from there. With a list such as [0, False, 1,
# True] (a number of rounds, or a switch) the objective works with False, and trial.params,
# best_params and the storage say 0. A grid over it says that all four were tried, and has each of
# two twice. It holds in memory and in SQLite alike.
#
# Output seen (optuna 5.0.0):
#   worked with [1, True, False, 0], recorded [1, 1, 0, 0]
#
# What to do: offer text ("off", "1") and translate it in the objective.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    optuna==5.0.0
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
choices = [0, False, 1, True]
study = optuna.create_study(sampler=optuna.samplers.GridSampler({"rounds": choices}, seed=0))
worked_with = []


def objective(trial):
    worked_with.append(trial.suggest_categorical("rounds", choices))
    return 0.0


study.optimize(objective, n_trials=4)
recorded = [trial.params["rounds"] for trial in study.trials]
print(f"worked with {worked_with}, recorded {recorded}")

as_seen = sorted(map(repr, worked_with)) == sorted(map(repr, choices)) and sorted(
    map(repr, recorded)
) == ["0", "0", "1", "1"]
sys.exit(None if as_seen else "Optuna behaves otherwise now")
PYTHON
