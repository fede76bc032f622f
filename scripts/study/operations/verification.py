"""Whether results are whole, follow from each other, and come out the same when made again.

What is written nowhere else cannot be held against anything, and is not looked at: the commit that
metrics.parquet names, times in a journal, logs.
"""

import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from study.data import datasets
from study.data.base import CHECKSUMS
from study.final import evaluation
from study.operations import jobs, pruning
from study.results import comparisons, experiments, metrics, summary, verdicts
from study.runs import checkpoint, fingerprint, records
from study.runs.checkpoint import Checkpoint, Replicate, Target
from study.runs.completeness import described, finished_part, read_settings, replicates_of
from study.search import best_of_each
from study.spec import choice, claims
from study.spec.plan import Plan, Run
from study.spec.settings import complete, identity
from study.support import receipts
from study.support.errors import StudyError
from study.support.files import sha256

# The program `study`, as this process knows it, whatever lies in the current folder.
STUDY = [sys.executable, "-P", "-m", "study.commands.command_line"]

OK, WRONG, SKIPPED = "ok", "WRONG", "skipped"

AGAIN = "remove it and run the workflow again"

# As `study summarise` reads them.
SUMMARISED = ["run", "seed", "epoch", "status", *summary.MEASURES]

# Of the runs that are trained fastest, one of so many is trained again, for about so many seconds.
FASTEST, RETRAINING = 5, 60

# Processors sum in another order, which may change a probability by this.
ANOTHER_PROCESSOR = 1e-5

# Stands for the folder in which a command makes its outputs again.
HERE = "{folder}"

# What must come out the same: all measures before the time taken, which is the last.
EXACT = slice(-1)


@dataclass(frozen=True)
class Finding:
    """What a check found: `ok`, `WRONG` with the file and what to do, or `skipped` with the why."""

    verdict: str
    text: str


class WrongError(Exception):
    """Which file is wrong, how, and what to do."""


class UnableError(Exception):
    """Why a check has nothing to go by."""


class Verification:
    """The checks of the study `plan`, whose results lie in the folder `results`.

    `findings` gives what they find as they go: at least one finding for each. Checks write
    problems as text, one for each file; a check whose `needed` files are wrong is skipped.
    """

    def __init__(self, plan: Plan, results: Path):
        self.results = results
        self.dataset = datasets.describe(plan.dataset)
        self.learning = fingerprint.learning(
            self.dataset.digest, plan.validation, self.dataset.outputs
        )
        self.data = results / "data" / self.dataset.name
        self.runs = results / "runs"
        self.plan_file = results / "plan.json"
        self.metrics = results / "metrics.parquet"
        self.summary = results / "summary.parquet"
        self.comparisons = results / "comparisons.parquet"
        self.choice = results / choice.NAME
        self.claims = results / "claims.parquet"
        self.evaluation = results / "final.safetensors"
        self.receipts = results / receipts.RECEIPTS
        self.plan = self._reported(plan)
        self.wrong: set[Path] = set()

    def findings(self) -> Iterator[Finding]:
        """Check all files, and what can be made again within seconds."""
        yield from self._check(self.plan_file, "is what the config asks for", self._plan())
        yield from self._check(self.data, "all files are as described", self._data())
        wanted = {self.runs / run.run: run for run in self.plan.runs}
        others = [
            folder
            for folder in pruning.run_folders(self.runs)
            if folder not in wanted and (folder / "settings.json").is_file()
        ]
        for folder in [*wanted, *others]:
            agree = "outputs, saved state and journal are whole and agree"
            yield from self._check(folder, agree, self._run(folder, wanted.get(folder)))
        if self.receipts.is_dir():
            as_noted = "what the workflow made is as it was noted"
            yield from self._check(self.receipts, as_noted, self._noted())
        yield from self._check(
            self.metrics, "every row is in a run's record", self._metrics(), list(wanted)
        )
        yield from self._check(
            self.summary, "every row follows from the metrics", self._summary(), [self.metrics]
        )
        follows = "every row follows from the summary"
        yield from self._check(self.comparisons, follows, self._comparisons(), [self.summary])
        if self.plan.chooses_final and not self.plan.missing:
            yield from self._check(
                self.choice, "follows from the summary", self._choice(), [self.summary]
            )
        yield from self._check(
            self.claims,
            "every verdict follows from the summary and the metrics",
            self._claims(),
            [self.summary],
        )
        tables = [self.plan_file, self.data, self.metrics, self.summary, self.claims]
        if self.plan.final:
            run = self.runs / self.plan.final.run
            yield from self._check(
                self.evaluation,
                "follows from the final model's weights",
                self._evaluation(run),
                [self.plan_file, self.data, run],
            )
            tables.append(self.evaluation)
        comes_out = "comes out the same when made again"
        drawn = []
        for shown, words in self._programs():
            yield from self._check(shown, comes_out, self._made_again(shown, words), tables)
            drawn.append(shown)
        for code in self.plan.languages:
            shown, words, put_in = self._page(code)
            needed = [*tables, *drawn, *put_in]
            yield from self._check(shown, comes_out, self._made_again(shown, words), needed)

    def retrained(self, chooser: random.Random) -> Iterator[Finding]:
        """Train a replicate of a short run again, chosen by `chooser`; call it after `findings`."""
        intact = [run for run in self.plan.runs if self.runs / run.run not in self.wrong]
        if not intact:
            yield Finding(SKIPPED, "training again: no run is intact")
            return
        fastest = sorted(
            intact, key=lambda run: jobs.seconds(replace(run, seeds=run.seeds[:1]), jobs.ASSUMED)
        )
        run = chooser.choice(fastest[:FASTEST])
        seed = chooser.choice(run.seeds)
        folder = self.runs / run.run
        same = f"seed {seed} comes out the same, bit for bit, when trained again"
        yield from self._check(folder, same, self._training(run, seed), [self.data])

    def _check(
        self, subject: Path, good: str, problems: Iterator[str], needed: Sequence[Path] = ()
    ) -> Iterator[Finding]:
        if subject in self.wrong:
            return
        first_wrong = next((path for path in needed if path in self.wrong), None)
        if first_wrong:
            self.wrong.add(subject)
            yield Finding(SKIPPED, f"{subject}: {first_wrong} must be right first")
            return
        try:
            for problem in problems:
                self.wrong.add(subject)
                yield Finding(WRONG, problem)
        except (WrongError, StudyError) as error:
            self.wrong.add(subject)
            yield Finding(WRONG, str(error))
        except UnableError as error:
            yield Finding(SKIPPED, f"{subject}: {error}")
        else:
            if subject not in self.wrong:
                yield Finding(OK, f"{subject}: {good}")

    def _reported(self, plan: Plan) -> Plan:
        """The part of `plan` that is reported, where plan.json says that something is missing."""
        try:
            if json.loads(self.plan_file.read_bytes())["missing"]:
                return finished_part(plan, self.runs, self.learning)
        except (OSError, ValueError, LookupError, TypeError, StudyError):
            pass
        return plan

    def _plan(self) -> Iterator[str]:
        yield from _unlike(
            self.plan.to_json().encode(),
            self.plan_file,
            Path.read_bytes,
            "is not what the config asks for",
            "name the config that it was made with, or run the workflow again",
        )

    def _data(self) -> Iterator[str]:
        sums = self.dataset.sums(self.data)
        for name, sum_ in sums.items():
            path = self.data / name
            yield from _unlike(sum_, path, sha256, "is not the data set's, by its checksum")
        sums = {f"{sum_}  {name}" for name, sum_ in sums.items()}
        yield from _unlike(sums, self.data / CHECKSUMS, _lines, "has other sums than the data set")

    def _run(self, folder: Path, wanted: Run | None) -> Iterator[str]:
        settings, record = folder / "settings.json", folder / "record.parquet"
        anew = f"remove the folder {folder} and run the workflow again, which trains it anew"
        made = read_settings(folder)
        if made is None:
            yield f"{settings}: is missing or not what was written; {AGAIN}"
            return
        damaged = [
            problem
            for name, known in made["files"].items()
            for problem in _unlike(known, folder / name, described, "is not what was written")
        ]
        yield from damaged
        path = folder / "state.safetensors"
        with _reading(path, anew):
            saved = checkpoint.read(path)
        if not damaged:
            with _reading(record):
                made_by = records.read_metadata(record)
                same = _holds(pq.read_table(record), records.record(folder.name, saved))
            if not same:
                yield f"{record}: does not follow from the saved state beside it; {AGAIN}"
            with _reading(settings):
                consistent = _describes(made, saved, folder.name, made_by)
            if not consistent:
                yield f"{settings}: does not agree with the files that it describes; {AGAIN}"
        if wanted:
            with _reading(settings):
                # A setting that is newer than the file stands at its neutral default there.
                known = made["settings"].keys() <= wanted.settings.keys()
                same = known and identity(complete(made["settings"])) == wanted.settings
            if not same:
                yield f"{settings}: has other settings than the study; {AGAIN}"
            lacking = Target(wanted.seeds, wanted.epochs, wanted.kept_epochs).open_seeds(saved)
            if lacking:
                seeds = ", ".join(map(str, lacking))
                yield f"{folder}: lacks epochs of the seeds {seeds}; run the workflow again"
        journal = folder / "journal.jsonl"
        with _reading(journal, f"nothing that was learned depends on it; to be sure, {anew}"):
            told = _journalled(journal)
        if not told >= _trained(saved):
            yield (
                f"{journal}: does not tell of all epochs in the saved state; "
                f"nothing that was learned depends on it; to be sure, {anew}"
            )

    def _noted(self) -> Iterator[str]:
        for receipt in sorted(self.receipts.glob("*.json")):
            made = receipts.read(receipt)
            if made is None:
                yield f"{receipt}: cannot be read; {AGAIN}"
                continue
            for name, stamp in made.outputs.items():
                path = self.results / Path(name).relative_to("results")
                if path.is_file() and sha256(path) != stamp.sha256:
                    self.wrong.add(path)
                    yield f"{path}: is not what {receipt} notes, by its checksum; {AGAIN}"

    def _metrics(self) -> Iterator[str]:
        with _reading(self.metrics):
            records.read_metadata(self.metrics)
            rows = metrics.collect(self.plan.runs, self.runs)
            same = _holds(pq.read_table(self.metrics), rows)
        if not same:
            yield f"{self.metrics}: is not what the runs' records hold; {AGAIN}"

    def _summary(self) -> Iterator[str]:
        measures = pd.read_parquet(self.metrics, columns=SUMMARISED)
        expected = summary.summarise(self.plan, measures, self.dataset.name)
        with _reading(self.summary):
            records.read_metadata(self.summary)
            same = _holds(pq.read_table(self.summary), expected)
        if not same:
            yield f"{self.summary}: does not follow from {self.metrics}; {AGAIN}"

    def _experiments(self) -> list[experiments.Experiment]:
        measures = pd.read_parquet(self.metrics, columns=experiments.PAIRED)
        return experiments.experiments(self.plan, pd.read_parquet(self.summary), measures)

    def _comparisons(self) -> Iterator[str]:
        measured = self._experiments()
        expected = comparisons.compare(measured)
        with _reading(self.comparisons):
            records.read_metadata(self.comparisons)
            same = _holds(pq.read_table(self.comparisons), expected)
        if not same:
            yield f"{self.comparisons}: does not follow from {self.summary}; {AGAIN}"

    def _claims(self) -> Iterator[str]:
        measures = pd.read_parquet(self.metrics, columns=verdicts.COLUMNS)
        numbers = pd.read_parquet(self.summary)
        expected = verdicts.judge(claims.asked(self.plan), self.plan, numbers, measures)
        with _reading(self.claims):
            records.read_metadata(self.claims)
            same = _holds(pq.read_table(self.claims), expected)
        if not same:
            yield f"{self.claims}: does not follow from {self.summary}; {AGAIN}"

    def _choice(self) -> Iterator[str]:
        yield from _unlike(
            best_of_each.choose(self._experiments(), self.plan).to_json().encode(),
            self.choice,
            Path.read_bytes,
            f"does not follow from {self.summary}",
        )

    def _evaluation(self, run: Path) -> Iterator[str]:
        expected = evaluation.evaluate(self.plan, run, self.data)
        with _reading(self.evaluation):
            found = evaluation.read(self.evaluation, self.dataset.load(self.data))
            same = found.provenance == expected.provenance and np.allclose(
                found.probabilities, expected.probabilities, rtol=0, atol=ANOTHER_PROCESSOR
            )
        if not same:
            yield f"{self.evaluation}: does not follow from the weights in {run}; {AGAIN}"

    def _programs(self) -> Iterator[tuple[Path, list[str]]]:
        """What is made from the tables, and the words that make it in HERE, as in the rules."""
        figures = self.results / "figures"
        plan = ["--plan", str(self.plan_file)]
        tables = [*plan, "--metrics", str(self.metrics), "--summary", str(self.summary)]
        data = ["--data", str(self.data)]
        output = ["--output", f"{HERE}/figures"]
        runs = ["--runs", str(self.runs)]
        yield figures / "*", ["draw-experiment", *plan, *runs, *output]
        evaluated = []
        if self.plan.final:
            evaluated = ["--evaluation", str(self.evaluation)]
            yield figures / "final_*", ["draw-final", *plan, *runs, *evaluated, *data, *output]
            words = ["export-model", *tables, *runs, *evaluated, *data]
            yield self.results / "model", [*words, "--output", f"{HERE}/model"]
        yield figures / "mosaic.*", ["draw-mosaic", *plan, *data, *output]
        words = [*tables, *runs, *evaluated, *data, "--figures", f"{HERE}/figures"]
        words += ["--claims", str(self.claims)]
        yield self.results / "report.*.md", ["write-report", *words, "--output", HERE]

    def _page(self, code: str) -> tuple[Path, list[str], list[Path]]:
        """The page in a language, the words that make it in HERE, and what is put into it."""
        page, report = (self.results / f"report.{code}.{suffix}" for suffix in ("html", "md"))
        figures = self.results / "figures"
        words = ["--plan", str(self.plan_file), "--metrics", str(self.metrics)]
        words += ["--summary", str(self.summary), "--claims", str(self.claims)]
        words += ["--runs", str(self.runs), "--data", str(self.data), "--figures", str(figures)]
        if self.plan.final:
            words += ["--evaluation", str(self.evaluation)]
        words += ["--report", str(report), "--language", code, "--output", f"{HERE}/{page.name}"]
        return page, ["write-page", *words], [report, *figures.glob(f"*.{code}.svg")]

    def _made_again(self, shown: Path, words: Sequence[str]) -> Iterator[str]:
        with tempfile.TemporaryDirectory() as folder:
            command, *arguments = (word.replace(HERE, folder) for word in words)
            failure = _failure(command, arguments)
            if failure:
                yield f"{shown}: {failure}"
            for again in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
                path = self.results / again.relative_to(folder)
                if path not in self.wrong:
                    other = f"is not what study {command} makes of the same files"
                    yield from _unlike(again.read_bytes(), path, Path.read_bytes, other)

    def _training(self, run: Run, seed: int) -> Iterator[str]:
        folder = self.runs / run.run
        saved = checkpoint.read(folder / "state.safetensors")
        today = fingerprint.of_run(run.settings, self.learning)
        other = fingerprint.differing(saved.fingerprint, today)
        if other:
            raise UnableError(f"not trained again: it was made with other {' and '.join(other)}")
        before = saved.replicates[seed]
        if not before.device.startswith("cpu"):
            raise UnableError(
                f"not trained again: on {before.device} a stack of other seeds may differ in the "
                "last bit"
            )
        seconds = float(np.median(before.measures[:, -1]))
        epochs = max(1, min(before.epochs, int(RETRAINING / max(seconds, 1e-3))))
        with tempfile.TemporaryDirectory() as temporary:
            words = ["--settings", json.dumps(run.settings)]
            words += ["--seeds", str(seed), "--epochs", str(epochs), "--device", self.plan.device]
            words += ["--dataset", datasets.as_word(self.plan.dataset), "--data", str(self.data)]
            words += ["--validation", json.dumps(self.plan.validation)]
            again = Path(temporary) / run.run
            failure = _failure("train", [*words, "--output", str(again)], show=True)
            if failure:
                raise UnableError(f"not trained again: {failure}")
            after = checkpoint.read(again / "state.safetensors").replicates[seed]
        if after.device != before.device:
            raise UnableError(
                f"nothing to compare: it was trained on {before.device}, this is {after.device}"
            )
        if before.arithmetic not in ("", after.arithmetic):
            raise UnableError(
                f"nothing to compare: it was trained by other arithmetic ({before.arithmetic}, "
                f"here {after.arithmetic})"
            )
        epoch = _first_difference(before, after)
        if epoch:
            yield (
                f"{folder / 'record.parquet'}: seed {seed}, trained again, is another from epoch "
                f"{epoch} on; remove the folder {folder} and run the workflow again"
            )


@contextlib.contextmanager
def _reading(path: Path, remedy: str = AGAIN) -> Iterator[None]:
    """Tell of any failure as one of the file's: damage can make a library fail in any way."""
    try:
        yield
    except FileNotFoundError:
        raise WrongError(f"{path}: is missing; run the workflow again") from None
    except checkpoint.DamagedStateError as error:
        raise WrongError(f"{error}; {remedy}") from None
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise WrongError(f"{path}: cannot be read ({reason}); {remedy}") from None


def _unlike(
    expected: Any, path: Path, read: Callable[[Path], Any], problem: str, remedy: str = AGAIN
) -> Iterator[str]:
    """What is wrong with `path`, if `read` does not find there what is expected."""
    try:
        with _reading(path, remedy):
            same = read(path) == expected
    except WrongError as error:
        yield str(error)
    else:
        if not same:
            yield f"{path}: {problem}; {remedy}"


def _lines(path: Path) -> set[str]:
    return set(path.read_text(encoding="utf-8").removesuffix("\n").split("\n"))


def _failure(command: str, arguments: Sequence[str], show: bool = False) -> str:
    """Run one of the study's commands and say how it failed, if it did.

    With `show`, what it prints is this program's progress.
    """
    places = (str(fingerprint.LIBRARY.parent), os.environ.get("PYTHONPATH"))
    done = subprocess.run(
        [*STUDY, command, *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, places))},
        stdout=sys.stderr if show else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if not done.returncode:
        return ""
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return f"study {command} fails: {lines[-1]}"


def _holds(stored: pa.Table, table: pa.Table) -> bool:
    """Whether `stored` is what `table` is when stored, bit for bit, its columns' types included."""
    return _bits(stored).equals(_bits(_as_stored(table)))


def _as_stored(table: pa.Table) -> pa.Table:
    """`table` as it comes back from a Parquet file, which names the items of lists otherwise."""
    file = pa.BufferOutputStream()
    pq.write_table(table, file)
    return pq.read_table(file.getvalue())


def _bits(table: pa.Table) -> pa.Table:
    """`table` with its float64 as integers of the same bits, among which NaN equals itself."""
    columns = [
        column.combine_chunks().view(pa.int64()) if column.type == pa.float64() else column
        for column in table.columns
    ]
    return pa.table(columns, [f"{field.name}: {field.type}" for field in table.schema])


def _describes(made: dict, saved: Checkpoint, run: str, made_by: dict) -> bool:
    """Whether settings.json agrees with the saved state and with what its record says made it."""
    devices = sorted({replicate.device for replicate in saved.replicates.values()})
    request = Target(**made["request"])
    return (
        made["run"] == run
        and made["fingerprint"] == saved.fingerprint
        and made["devices"] == devices
        and made["replicates"] == replicates_of(saved)
        and all(made[key] == value for key, value in made_by.items())
        and len(set(request.seeds)) == len(request.seeds)
        and not request.open_seeds(saved)
    )


def _journalled(path: Path) -> set[tuple[int, int]]:
    """Every seed and epoch that the journal tells of."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {(seed, entry["epoch"]) for entry in map(json.loads, lines) for seed in entry["seeds"]}


def _trained(saved: Checkpoint) -> set[tuple[int, int]]:
    return {
        (seed, epoch)
        for seed, replicate in saved.replicates.items()
        for epoch in range(1, replicate.epochs + 1)
    }


def _first_difference(before: Replicate, after: Replicate) -> int | None:
    """The first epoch that came out otherwise, the weights counting for the last."""
    for index, (old, new) in enumerate(zip(before.measures, after.measures, strict=False)):
        if old[EXACT].tobytes() != new[EXACT].tobytes():
            return index + 1
    last = before.epochs
    if after.epochs == last and not before.diverged:
        pairs = [(before.tensors[name], after.tensors.get(name)) for name in before.tensors]
        if any(new is None or old.tobytes() != new.tobytes() for old, new in pairs):
            return last
    return None
