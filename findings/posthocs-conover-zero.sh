#!/bin/sh
# scikit-posthocs 0.17.1: posthoc_conover_friedman gives p = 0 for every pair where all blocks rank
# the treatments alike, by a division by zero; swap one pair in one block, and neighbours get 0.003.
#
# Seeds as blocks and values of a setting as treatments often rank alike when effects are clear. The
# statistic's denominator then is zero, numpy warns once, and the result is a matrix of zeros, also
# for the two best values that differ by nothing but their order in five seeds. An exact sign test
# of five seeds cannot go below 2 / 32 = 0.06. Nemenyi's test on the same ranks says 0.959: it
# spreads its one rank of difference over all six treatments.
#
# Output seen (scikit-posthocs 0.17.1), six treatments, five blocks, best against second:
#   Conover, all blocks alike     p = 0.0, warning: divide by zero encountered in divide
#   Conover, one pair swapped     p = 0.003158
#   Nemenyi, all blocks alike     p = 0.959
#
# What to do: compare the values themselves (Welch's test with Holm's correction), or pairs of ranks
# by an exact test.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    scikit-posthocs==0.17.1 statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys
import warnings

import numpy as np
import scikit_posthocs

alike = np.arange(6.0) + 0.01 * np.arange(5.0)[:, None]
swapped = alike.copy()
swapped[0, [0, 1]] = swapped[0, [1, 0]]

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    conover = scikit_posthocs.posthoc_conover_friedman(alike)
told = [str(warning.message) for warning in caught]
one_swapped = scikit_posthocs.posthoc_conover_friedman(swapped)
nemenyi = scikit_posthocs.posthoc_nemenyi_friedman(alike)
print(f"Conover, all blocks alike     p = {conover[0][1]}, {told}")
print(f"Conover, one pair swapped     p = {one_swapped[0][1]:.6f}")
print(f"Nemenyi, all blocks alike     p = {nemenyi[0][1]:.3f}")

different = ~np.eye(6, dtype=bool)
as_seen = (
    (conover.to_numpy()[different] == 0).all()
    and abs(one_swapped[0][1] - 0.003158) < 1e-6
    and abs(nemenyi[0][1] - 0.959) < 1e-3
)
sys.exit(None if as_seen else "scikit-posthocs behaves otherwise now")
PYTHON
