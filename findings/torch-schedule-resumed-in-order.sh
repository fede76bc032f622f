#!/bin/sh
# torch 2.13.0 (and 2.14.1): a schedule that is resumed in the order "optimizer, its saved state,
# scheduler, its saved state" has learning rates ten times too small for good, without a word.
#
# LinearLR computes each rate from the one before. Its constructor multiplies the optimizer's
# current rate by start_factor; loading the scheduler's state afterwards brings back its counters
# and not the rate. Where the optimizer's state was loaded before, the saved rate is therefore
# scaled once more, and every later step carries the factor on. ConstantLR does the same, and
# SequentialLR around either until the warm-up ends. The training goes on, only more slowly.
#
# Output seen (torch 2.13.0), LinearLR from 0.1 times to 1 times 0.1 in 10 steps, saved after 5:
#   whole                         0.064 0.073 0.082 0.091 0.1 0.1
#   both made, then both loaded   0.064 0.073 0.082 0.091 0.1 0.1
#   one after the other           0.0064 0.0073 0.0082 0.0091 0.01 0.01
#
# What to do: make optimizer and scheduler, then load both.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import copy
import sys

import torch
from torch.optim.lr_scheduler import LinearLR


def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)


def scheduler(of):
    return LinearLR(of, start_factor=0.1, total_iters=10)


def rates(sgd, schedule, steps):
    found = []
    for _ in range(steps):
        sgd.step()
        schedule.step()
        found.append(round(sgd.param_groups[0]["lr"], 6))
    return found


sgd = optimizer()
schedule = scheduler(sgd)
rates(sgd, schedule, 5)
saved = copy.deepcopy((sgd.state_dict(), schedule.state_dict()))
whole = rates(sgd, schedule, 6)

sgd = optimizer()
schedule = scheduler(sgd)
sgd.load_state_dict(copy.deepcopy(saved[0]))
schedule.load_state_dict(copy.deepcopy(saved[1]))
both_made_first = rates(sgd, schedule, 6)

sgd = optimizer()
sgd.load_state_dict(copy.deepcopy(saved[0]))
schedule = scheduler(sgd)
schedule.load_state_dict(copy.deepcopy(saved[1]))
one_after_the_other = rates(sgd, schedule, 6)

print("whole                        ", *whole)
print("both made, then both loaded  ", *both_made_first)
print("one after the other          ", *one_after_the_other)

as_seen = both_made_first == whole and one_after_the_other == [round(rate / 10, 6) for rate in whole]
sys.exit(None if as_seen else "torch behaves otherwise now")
PYTHON
