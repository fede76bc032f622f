"""Where the time of one call of the workflow went, from what its runs left.

The runs of the study folder must all have been trained by that call, from the beginning.
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from evaluation import shape
from output import write_json

# A job's time, and the workflow's around the jobs.
JOB_PARTS = ("training", "evaluation", "start-up", "writing")
AROUND = ("before the first job", "after the last job", "cores without a job")


@dataclass(frozen=True)
class Job:
    """One training job: when it began and ended (epoch time), and its seconds by JOB_PARTS."""

    run: str
    began: float
    ended: float
    parts: dict[str, float]

    @property
    def epochs(self) -> float:
        """Seconds of all epochs."""
        return self.parts["training"] + self.parts["evaluation"]


def read_job(folder: Path, shares: Mapping[str, float]) -> Job:
    """The job that left `folder`, a run's; `shares` is evaluation's part for each shape."""
    described = folder / "settings.json"
    settings = json.loads(described.read_text(encoding="utf-8"))["settings"]
    record = pq.read_table(folder / "record.parquet", columns=["seed", "epoch", "seconds"])
    journal = (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    header, row = (folder / "benchmark.tsv").read_text(encoding="utf-8").splitlines()[:2]
    benchmark = dict(zip(header.split("\t"), row.split("\t"), strict=True))

    first = json.loads(journal[0])
    seconds = {(line["seed"], line["epoch"]): line["seconds"] for line in record.to_pylist()}
    first_epoch = sum(seconds[seed, first["epoch"]] for seed in first["seeds"])
    # settings.json is the last that a job writes.
    ended = described.stat().st_mtime
    began = ended - float(benchmark["s"])
    return split_job(
        folder.name,
        began,
        first["time"] - first_epoch,
        ended,
        sum(seconds.values()),
        shares[shape(settings)],
    )


def split_job(
    run: str, began: float, first_epoch_began: float, ended: float, epochs: float, share: float
) -> Job:
    """A job from its moments, the seconds of its epochs, and evaluation's share of these."""
    startup = first_epoch_began - began
    return Job(
        run,
        began,
        ended,
        {
            "training": epochs * (1 - share),
            "evaluation": epochs * share,
            "start-up": startup,
            # Between the epochs and after the last.
            "writing": ended - began - startup - epochs,
        },
    )


def split(jobs: list[Job], began: float, ended: float, cores: int) -> dict[str, float]:
    """The seconds of a call from `began` to `ended` by part; they add up to its length.

    A job has one core, so that a second of it is one part in `cores` of the machine's.
    """
    first = min(job.began for job in jobs)
    last = max(job.ended for job in jobs)
    parts = {part: sum(job.parts[part] for job in jobs) / cores for part in JOB_PARTS}
    busy = sum(parts.values())
    return parts | dict(
        zip(AROUND, (first - began, ended - last, last - first - busy), strict=True)
    )


def read_jobs(study: Path, shares: Mapping[str, float]) -> list[Job]:
    return [read_job(folder, shares) for folder in sorted(study.glob("results/runs/*"))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("study", type=Path, help="the folder that results/ lies in")
    parser.add_argument("--shares", type=Path, required=True, help="made by evaluation.py")
    parser.add_argument("--began", type=float, required=True, help="the call, seconds since 1970")
    parser.add_argument("--ended", type=float, required=True)
    parser.add_argument("--cores", type=int, required=True)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the parts here as well")
    options = parser.parse_args()

    shares = json.loads(options.shares.read_text(encoding="utf-8"))
    jobs = read_jobs(options.study, shares)
    parts = split(jobs, options.began, options.ended, options.cores)
    for part, seconds in parts.items():
        print(f"{part:22}{seconds:9.2f} s")
    if options.json:
        write_json(options.json, {"parts": parts, "epochs": {job.run: job.epochs for job in jobs}})


if __name__ == "__main__":
    main()
