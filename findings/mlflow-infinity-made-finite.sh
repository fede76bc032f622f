#!/bin/sh
# MLflow 3.17.2: an infinite metric comes back from an SQLite store as the largest finite double.
#
# A loss that overflows is logged as infinity, and read back as 1.7976931348623157e+308, which is
# finite: isfinite() is true, a mean over runs is a number of that size or overflows again, and a
# chart has a point. NaN comes back as NaN. Both signs do so, and nothing is said.
#
# Output seen (mlflow-skinny 3.17.2, sqlalchemy 2.0.45), logged -> read back:
#   1.0 -> 1.0
#   nan -> nan
#   inf -> 1.7976931348623157e+308, finite
#   -inf -> -1.7976931348623157e+308, finite
#
# What to do: ask for isfinite() before logging, or take a run's status rather than its last loss for
# a sign that it diverged.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    mlflow-skinny==3.17.2 sqlalchemy==2.0.45 alembic==1.17.2
cd "$folder"
cat > log.py <<'PROGRAM'
import math

from mlflow.tracking import MlflowClient

client = MlflowClient(tracking_uri="sqlite:///store.db")
run = client.create_run(client.create_experiment("losses")).info.run_id
logged = [1.0, math.nan, math.inf, -math.inf]
for step, loss in enumerate(logged):
    client.log_metric(run, "loss", loss, step=step)
for metric in sorted(client.get_metric_history(run, "loss"), key=lambda metric: metric.step):
    was_finite, is_finite = math.isfinite(logged[metric.step]), math.isfinite(metric.value)
    print(f"{logged[metric.step]} -> {metric.value}" + ", finite" * (is_finite and not was_finite))
PROGRAM
venv/bin/python log.py 2> log | tee seen
cat > expected <<'EXPECTED'
1.0 -> 1.0
nan -> nan
inf -> 1.7976931348623157e+308, finite
-inf -> -1.7976931348623157e+308, finite
EXPECTED
cmp seen expected || { cat log >&2; echo "MLflow behaves otherwise now" >&2; exit 1; }
