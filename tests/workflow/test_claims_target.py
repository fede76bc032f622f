"""A study's own claims: they are judged, told, and train nothing."""

import re

import pyarrow.parquet as pq

from small_study import ROOT

CLAIM = {
    "id": "dropout-costs",
    "statement": "Dropout costs accuracy.",
    "predicate": {
        "greater": {
            "left": {"experiment": "dropout", "value": 0.0},
            "right": {"experiment": "dropout", "value": 0.2},
        }
    },
}


def test_a_claim_that_is_added_is_judged_and_told_and_trains_nothing(finished):
    study = finished
    before = study.trained()
    claims = study.results / "claims.parquet"
    assert pq.read_table(claims).num_rows == 0
    assert "Claims put to the test" not in (study.results / "report.en.md").read_text("utf-8")

    study.configure(claims=[CLAIM])
    jobs = study.ok().jobs
    assert "train" not in jobs
    assert jobs["judge_claims"] == jobs["write_report"] == 1
    assert study.trained() == before
    [row] = pq.read_table(claims).to_pylist()
    assert (row["id"], row["source"], row["published_verdict"]) == ("dropout-costs", "own", None)
    [evidence] = row["evidence"]
    assert (evidence["left"]["value"], evidence["left"]["n"]) == ("0.0", 2)
    report = (study.results / "report.en.md").read_text("utf-8")
    assert re.search(r"^\| Dropout costs accuracy\. +\| ", report, re.M)
    assert "Nothing to be done" in study.ok("claims").output

    shown = study.call(ROOT / "scripts" / "show_claims.py")
    assert re.search(rf"^dropout-costs +{row['verdict']} +- +Dropout costs", shown.stdout, re.M)


def test_a_claim_about_what_the_study_does_not_have_is_told_with_its_key(study):
    wrong = {"greater": {"left": {"experiment": "dropuot", "value": 0.0}, "right": 0.5}}
    study.configure(claims=[CLAIM | {"predicate": wrong}])
    result = study.run("-n", "report")
    assert result.returncode != 0
    assert re.search(
        r"study\.yaml: claims\[0\]\.predicate\.greater\.left\.experiment: "
        r"unknown experiment 'dropuot'; did you mean 'dropout'\?",
        result.output,
    )
    assert "Traceback" not in result.output
