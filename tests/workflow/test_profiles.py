"""Profiles say where jobs go and change nothing else; those of SLURM are kept in step."""

import re

import pytest
from ruamel.yaml import YAML

from small_study import ROOT, STUDY, Study, called_by_make

PROFILES = ("local-gpu", "slurm", "slurm-cpu")


def entries(profile: str) -> dict:
    return YAML(typ="safe").load(ROOT / "profiles" / profile / "config.yaml")


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Study:
    study = Study(tmp_path_factory.mktemp("small"))
    study.configure()
    return study


@pytest.mark.parametrize("profile", PROFILES)
def test_under_a_profile_the_same_jobs_are_to_be_run(small, profile):
    usual = small.ok("--dry-run", "report")
    there = small.ok("--dry-run", "--profile", str(ROOT / "profiles" / profile), "--", "report")
    assert there.jobs == usual.jobs
    assert usual.jobs["train"] == 2
    # Where runs share jobs, both of these short ones are in one.
    shared = re.findall(r"^.*Group job (\w+)", there.output, re.M)
    assert shared == (["runs1"] if "job_minutes" in entries(profile).get("config", {}) else [])
    assert "Group job" not in usual.output


def test_trials_of_a_step_share_a_job_of_their_own(tmp_path):
    study = Study(tmp_path)
    space = {"learning_rate": {"low": 0.01, "high": 1.0, "log": True}}
    study.configure(
        data=STUDY["data"] | {"validation": {"from": "train", "size": 100}},
        experiments=None,
        search={"tuned": {"space": space, "trials": 4, "parallel": 4}},
    )
    study.ok("results/search/tuned/trials-0001.json")
    usual = study.ok("--dry-run", "metrics")
    there = study.ok("--dry-run", "--profile", str(ROOT / "profiles/slurm"), "--", "metrics")
    assert there.jobs == usual.jobs
    assert usual.jobs["train_trial"] == 4
    assert re.findall(r"^.*Group job (\S+)", there.output, re.M) == ["tuned-trials-0001-1"]


def test_minutes_for_jobs_change_nothing_on_one_machine(study):
    study.configure(job_minutes=30)
    study.ok("metrics")
    study.configure()
    before = study.trained()
    study.ok("metrics")
    assert study.newly_trained(before) == 0


def test_the_profiles_of_slurm_differ_in_what_a_site_fills_in():
    gpu, cpu = entries("slurm"), entries("slurm-cpu")
    assert gpu.keys() == cpu.keys()
    differing = {key for key in gpu if gpu[key] != cpu[key]}
    assert differing == {"default-resources", "config"}


@pytest.mark.parametrize("profile", PROFILES)
def test_no_profile_says_what_the_default_one_overrides(profile):
    assert not entries(profile).keys() & entries("default").keys()


def test_make_leaves_it_to_a_profile_how_much_runs_at_a_time():
    assert "--cores" in called_by_make()
    assert called_by_make("PROFILE=slurm") == [
        "snakemake",
        "--profile",
        "profiles/slurm",
        "--",
        "report",
    ]
