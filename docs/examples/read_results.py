"""A study's results in pandas and in DuckDB: the same questions asked of both."""

import argparse
from pathlib import Path

import duckdb
import pandas as pd

ENDS = """
    SELECT
        run,
        count(*) AS seeds,
        avg(validation_accuracy) AS mean,
        stddev(validation_accuracy) AS sd
    FROM (SELECT *, max(epoch) OVER (PARTITION BY run) AS last FROM '{metrics}')
    WHERE epoch = last AND status = 'ok'
    GROUP BY run
    ORDER BY mean DESC
"""

LEADS = """
    SELECT experiment, value, other AS over, difference, p_corrected AS p
    FROM '{comparisons}'
    WHERE is_best
    QUALIFY row_number() OVER (PARTITION BY experiment ORDER BY difference) = 1
    ORDER BY experiment
"""


def ends_in_pandas(results: Path) -> pd.DataFrame:
    """Each run's validation accuracy after its last epoch: mean and deviation over its seeds."""
    metrics = pd.read_parquet(results / "metrics.parquet")
    is_last = metrics.epoch == metrics.groupby("run").epoch.transform("max")
    last = metrics[is_last & (metrics.status == "ok")]
    found = last.groupby("run").validation_accuracy.agg(seeds="count", mean="mean", sd="std")
    return found.sort_values("mean", ascending=False)


def ends_in_duckdb(results: Path) -> pd.DataFrame:
    """The same, straight from the file: DuckDB reads only the columns that it needs."""
    query = ENDS.format(metrics=results / "metrics.parquet")
    return duckdb.sql(query).df().set_index("run")


def leads_in_pandas(results: Path) -> pd.DataFrame:
    """Of each experiment: the best value, the one it leads by least, and Holm's p."""
    comparisons = pd.read_parquet(results / "comparisons.parquet")
    best = comparisons[comparisons.is_best].sort_values("difference")
    found = best.groupby("experiment", as_index=False).first().sort_values("experiment")
    found = found[["experiment", "value", "other", "difference", "p_corrected"]]
    return found.rename(columns={"other": "over", "p_corrected": "p"})


def leads_in_duckdb(results: Path) -> pd.DataFrame:
    """The same, in SQL."""
    return duckdb.sql(LEADS.format(comparisons=results / "comparisons.parquet")).df()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, nargs="?", default="results")
    results = parser.parse_args().results
    print(ends_in_duckdb(results).head(10).round(4).to_string(), end="\n\n")
    print(leads_in_duckdb(results).round(4).to_string(index=False))


if __name__ == "__main__":
    main()
