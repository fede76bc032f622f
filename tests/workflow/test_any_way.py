"""Results equal those of a fresh study, whatever way led there: edits, calls, kills and damage."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

import forkserver
from any_way import DROPOUTS, HELD_OUT, RATES, assert_as_fresh, note_final, report
from small_study import STUDY, Study

FULL = os.environ.get("HYPOTHESIS_PROFILE") == "full"

BASE = {"experiments": {"dropout": {"vary": {"dropout": [0.0, 0.2]}}}}
WITH_FINAL = BASE | {"final": {"dropout": 0.0}}


TUNED = {
    "space": {"dropout": DROPOUTS, "learning_rate": RATES},
    "trials": 4,
    "parallel": 2,
    "halving": {"min_epochs": 1, "reduction_factor": 2},
    "confirm": 1,
}
SEARCHED = BASE | {"final": "best", "search": {"tuned": TUNED}}


def epochs(count: int) -> dict:
    return STUDY["baseline"] | {"epochs": count}


@pytest.fixture(scope="session")
def with_final(tmp_path_factory) -> Study:
    study = Study(tmp_path_factory.mktemp("with_final"))
    study.configure(**WITH_FINAL)
    study.ok()
    return study


@pytest.fixture
def begun(with_final, tmp_path) -> Study:
    """A finished small study with a final model: a copy, for a test to change."""
    return with_final.copy(tmp_path / "begun")


MORE_VALUES = {"dropout": {"vary": {"dropout": [0.0, 0.2, 0.5]}}}
OTHER_VALUE = {"dropout": {"vary": {"dropout": [0.0, 0.5]}}}


def by_need(most: int) -> dict:
    return {"start": 2, "most": most}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([{"seeds": 3, "experiments": MORE_VALUES}, {}], id="more and taken back"),
        *(
            [
                pytest.param([{"baseline": epochs(3)}, {}], id="longer and shorter again"),
                pytest.param([{"experiments": OTHER_VALUE}, {}], id="a value replaced, put back"),
            ]
            if FULL
            else [
                pytest.param(
                    [{"baseline": epochs(3)}, {"experiments": OTHER_VALUE}, {}],
                    id="longer and shorter again with another value, put back",
                )
            ]
        ),
        pytest.param([{"seeds": 1}, {}, {"seeds": 1}][: 3 if FULL else 2], id="two in turn"),
        pytest.param(
            [
                {"experiments": MORE_VALUES},
                {"final": {"dropout": 0.5}},
                {"final": {"dropout": 0.2}},
            ],
            id="another final model among trained ones",
        ),
    ],
)
def test_a_config_edited_to_and_fro_tells_its_own_numbers(begun, with_final, changes):
    for change in changes:
        begun.configure(**WITH_FINAL | change)
        report(begun)
    assert "Nothing to be done" in begun.ok().output
    assert_as_fresh(begun, begun_as=None if changes[-1] else with_final)


def test_a_search_changed_and_put_back_tells_its_own_numbers(tmp_path):
    """It shares runs with an experiment. In its middle, what is trained so far can be reported."""
    study = Study(tmp_path / "study")
    study.configure(**SEARCHED)
    report(study)
    assert "Nothing to be done" in study.ok().output
    made = study.copy(tmp_path / "made")

    study.configure(**SEARCHED | {"seeds": 3})
    before = study.trained()
    study.ok("--config", "partial=true", "--", "report")
    assert study.trained() == before
    assert "**This search is not finished:**" in (study.results / "report.en.md").read_text()

    other = {"sampler": "random", "seed": 1, "trials": 6, "halving": {"min_epochs": 2}}
    for change in ({"search": {"tuned": TUNED | other}} | {"baseline": epochs(3)}, {}):
        study.configure(**SEARCHED | change)
        report(study)
    assert "Nothing to be done" in study.ok().output
    assert_as_fresh(study, begun_as=made)


def test_an_experiment_by_need_made_plain_and_put_back_tells_its_own_numbers(begun):
    """Its values may be chosen as the final model, in a folder of its own or not."""
    adding = {"dropout": BASE["experiments"]["dropout"] | {"seeds": by_need(3)}}
    begun.configure(experiments=adding, final="best")
    before = begun.trained()
    begun.ok("--config", "partial=true", "--", "report")
    assert begun.trained() == before
    plan = json.loads((begun.results / "plan.json").read_text(encoding="utf-8"))
    assert plan["missing"] == ["dropout", "final"]
    assert "- dropout: further seeds" in (begun.results / "report.en.md").read_text()
    report(begun)
    made = begun.copy(begun.folder.with_name("made"))

    begun.configure(experiments=MORE_VALUES, final="best")
    report(begun)
    begun.configure(experiments=adding, final="best")
    report(begun)
    assert "Nothing to be done" in begun.ok().output
    assert_as_fresh(begun, begun_as=made)


def test_a_partial_report_of_a_study_that_chooses_its_final_model(begun):
    """One run is not there: no training, no final model, and what is there is told."""
    begun.configure(**BASE | {"final": "best"})
    report(begun)
    begun.configure(experiments=MORE_VALUES, final="best")
    before = begun.trained()
    begun.ok("--config", "partial=true", "--", "report")
    assert begun.trained() == before
    plan = json.loads((begun.results / "plan.json").read_text(encoding="utf-8"))
    assert plan["missing"] == ["dropout: 0.5", "final"]
    report(begun)
    assert_as_fresh(begun)


def test_touch_makes_no_result_right(begun, with_final):
    """Neither a file altered by hand nor one of another config passes for made, once touched."""
    summary = begun.results / "summary.parquet"
    summary.write_bytes(summary.read_bytes() + b" ")
    begun.ok("--touch", "--", "report")
    report(begun)
    assert_as_fresh(begun, begun_as=with_final)

    begun.configure(**WITH_FINAL | {"experiments": OTHER_VALUE, "seeds": 1})
    begun.ok("--until", "train", "--", "report")
    begun.ok("--touch", "--", "report")
    report(begun)
    assert_as_fresh(begun)


def test_a_dry_run_of_another_config_changes_no_result(begun, with_final):
    """While nothing else runs, what it prints is all it does."""
    begun.configure(**WITH_FINAL | {"seeds": 3})
    jobs = begun.ok("-n", "--", "report").jobs
    assert jobs["train"] == 2
    assert jobs["draw_experiment"] == jobs["collect_metrics"] == jobs["write_report"] == 1
    begun.configure(**WITH_FINAL)
    assert "Nothing to be done" in begun.ok().output
    assert_as_fresh(begun, begun_as=with_final)


class AnyWay(RuleBasedStateMachine):
    """A finished study that is edited, run and damaged in any order, and at last run to its end."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.study = AnyWay.made.copy(Path(self.folder.name) / "study")
        self.configs = [dict(WITH_FINAL), dict(WITH_FINAL)]
        self.kills = self.moves = 0
        note_final(self.study)

    def edit(self, **changes: object) -> None:
        self.configs[0] = {**self.configs[0], **changes}
        self.configs[0] = {
            key: value for key, value in self.configs[0].items() if value is not None
        }
        self.study.configure(**self.configs[0])

    @rule(count=st.sampled_from([1, 2, 3, [1], [2, 0]]))
    def seeds(self, count) -> None:
        self.edit(seeds=count)

    @rule(count=st.sampled_from([1, 2, 3]))
    def epochs(self, count) -> None:
        # One epoch leaves nothing to halve.
        self.edit(baseline=epochs(count), **({"search": None} if count == 1 else {}))

    @property
    def epochs_wanted(self) -> int:
        return self.configs[0].get("baseline", STUDY["baseline"])["epochs"]

    @rule(
        name=st.sampled_from(["dropout", "other"]),
        values=st.lists(st.sampled_from(DROPOUTS), min_size=1, unique=True),
        more=st.sampled_from(
            [
                {},
                {"length": {"vary": {"epochs": [1, 2]}}},
                {"rate": {"vary": {"learning_rate": RATES}, "with": {"dropout": 0.0}}},
                {"rate": {"vary": {"learning_rate": RATES}, "seeds": by_need(4)}},
            ]
        ),
        seeds=st.sampled_from([None, by_need(3), by_need(4)]),
    )
    def experiments(self, name, values, more, seeds) -> None:
        adding = {"seeds": seeds} if seeds and len(values) > 1 else {}
        experiment = {"vary": {"dropout": values}, **adding}
        self.edit(experiments={name: experiment} | more, claims=None)

    @rule(model=st.sampled_from([None, "best", {"dropout": 0.0}, {"dropout": 0.5, "epochs": 1}]))
    def final(self, model) -> None:
        self.edit(final=model)

    @rule(
        changes=st.sampled_from(
            [
                None,
                {},
                {"trials": 6},
                {"trials": 2},
                {"space": TUNED["space"] | {"dropout": DROPOUTS[:2]}},
                {"sampler": "random"},
                {"seed": 1},
                {"parallel": 4},
                {"confirm": 2},
                {"with": {"dropout": 0.5}, "space": {"learning_rate": RATES}},
            ]
        ),
        is_halved=st.booleans(),
    )
    def search(self, changes, is_halved) -> None:
        if changes is None or (is_halved and self.epochs_wanted == 1):
            self.edit(search=None)
            return
        tuned = {key: value for key, value in TUNED.items() if is_halved or key != "halving"}
        self.edit(search={"tuned": tuned | changes})

    @rule(codes=st.sampled_from([["en"], ["es"], ["es", "en"]]))
    def languages(self, codes) -> None:
        self.edit(report=self.configs[0].get("report", {}) | {"languages": codes})

    @rule()
    def beside(self) -> None:
        known = self.configs[0].get("report", {"languages": ["en"]})
        path = str(AnyWay.other.results)
        toggled = {key: value for key, value in known.items() if key != "beside"}
        self.edit(report=toggled if "beside" in known else known | {"beside": path})

    @rule(held_out=st.booleans())
    def validation(self, held_out) -> None:
        self.edit(data=STUDY["data"] | ({"validation": HELD_OUT} if held_out else {}))

    @rule(by=st.sampled_from([0.0, 0.1]))
    def claims(self, by) -> None:
        name = next(iter(self.configs[0]["experiments"]))
        values = self.configs[0]["experiments"][name]["vary"]["dropout"]
        if len(values) > 1:
            left, right = ({"experiment": name, "value": value} for value in values[:2])
            greater = {"left": left, "right": right, "by": by}
            claim = {"id": "first", "statement": "The first.", "predicate": {"greater": greater}}
            self.edit(claims=[claim])

    @rule()
    def another_config(self) -> None:
        self.configs.reverse()
        self.study.configure(**self.configs[0])

    @rule()
    def make_report(self) -> None:
        report(self.study)

    @rule(words=st.sampled_from([["metrics"], ["-n"], ["--until", "train"], ["model"]]))
    def make_a_part(self, words) -> None:
        if words == ["model"] and not self.configs[0].get("final"):
            return
        report(self.study, *words)

    @rule()
    def make_partial(self) -> None:
        # There may be nothing yet of what the config asks for, which is an error and no report.
        result = self.study.run("--config", "partial=true", "--", "report")
        assert result.returncode == 0 or "no run of this study is finished yet" in result.output

    @rule()
    def touch(self) -> None:
        # Touching what is not there is an error of Snakemake's.
        self.study.run("--touch", "--", "report")

    @rule(after=st.floats(0.3, 5))
    def kill(self, after) -> None:
        process = subprocess.Popen(
            self.study.command("report"),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=forkserver.environment(),
        )
        time.sleep(after)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.kills += 1
        note_final(self.study)
        shutil.rmtree(self.study.folder / ".snakemake" / "locks", ignore_errors=True)

    @rule()
    def forget_notes(self) -> None:
        shutil.rmtree(self.study.folder / ".snakemake", ignore_errors=True)

    @rule()
    def move(self) -> None:
        self.moves += 1
        folder = self.study.folder.with_name(f"moved-{self.moves}")
        finals = self.study.finals
        self.study = self.study.copy(folder)
        self.study.finals = finals

    @precondition(lambda self: hasattr(self, "study"))
    @rule(place=st.integers(0), how=st.sampled_from(["altered", "removed", "emptied"]))
    def damage(self, place, how) -> None:
        """Of all results but the journals, which tell, and saved states, which train."""
        files = [
            path
            for path in sorted(self.study.results.rglob("*"))
            if path.is_file()
            and not path.name.startswith((".", "journal", "state"))
            and path.relative_to(self.study.results).parts[0] not in ("data", "logs")
        ]
        path = files[place % len(files)]
        if how == "removed":
            path.unlink()
        elif how == "emptied":
            path.write_bytes(b"")
        else:
            content = bytearray(path.read_bytes()) or bytearray(b" ")
            content[len(content) // 2] ^= 1
            path.write_bytes(content)

    def teardown(self) -> None:
        if not hasattr(self, "study"):
            return
        report(self.study)
        assert_as_fresh(self.study, self.kills)
        assert "Nothing to be done" in self.study.ok().output
        self.folder.cleanup()


def test_any_way_leads_to_the_results_of_a_fresh_study(with_final, tmp_path):
    AnyWay.made = with_final
    AnyWay.other = Study(tmp_path / "other")
    AnyWay.other.configure(**WITH_FINAL | {"data": STUDY["data"] | {"validation": HELD_OUT}})
    AnyWay.other.ok()
    machine = AnyWay.TestCase()
    # A sequence takes half a minute: what fails is told as it was found, and not made shorter.
    machine.settings = settings(
        max_examples=200 if FULL else 1,
        stateful_step_count=8,
        phases=[Phase.explicit, Phase.generate],
    )
    machine.runTest()
