#!/bin/sh
# statsmodels 0.15.0: with one NaN among the p-values, multipletests(method="fdr_bh") makes every
# corrected p-value NaN, and rejects hypotheses all the same.
#
# A p-value is NaN where a test could not be made: a constant sample, a single value. multipletests
# takes it without a warning. Its two answers then contradict each other: no corrected p-value is a
# number, and `reject` still names significant differences. Who reads `reject` alone sees nothing.
#
# Output seen (statsmodels 0.15.0, numpy 2.4.6):
#   p           [0.001, 0.01, nan, 0.02, 0.03]
#   fdr_bh      reject [True, True, False, True, True], corrected [nan, nan, nan, nan, nan]
#   without NaN reject [True, True, True, True], corrected [0.004, 0.02, 0.0267, 0.03]
#
# What to do: take NaN out before, and put it back afterwards.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys

import numpy as np
from statsmodels.stats.multitest import multipletests

p = np.array([0.001, 0.01, np.nan, 0.02, 0.03])
reject, corrected, *_ = multipletests(p, method="fdr_bh")
reject_without, corrected_without, *_ = multipletests(p[~np.isnan(p)], method="fdr_bh")
print(f"p           {p.tolist()}")
print(f"fdr_bh      reject {reject.tolist()}, corrected {corrected.tolist()}")
print(f"without NaN reject {reject_without.tolist()}, corrected {corrected_without.round(4).tolist()}")

as_seen = (
    reject.tolist() == [True, True, False, True, True]
    and np.isnan(corrected).all()
    and np.allclose(corrected_without, [0.004, 0.02, 0.08 / 3, 0.03])
)
sys.exit(None if as_seen else "statsmodels behaves otherwise now")
PYTHON
