"""What the documentation says can be done can be done: commands, configs, links, the example."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML
from torchvision.datasets.mnist import read_sn3_pascalvincent_tensor

import madeup
from small_study import ROOT
from study.data import idx_import
from study.results import comparisons, experiments
from study.spec import config
from study.support import markdown

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINKING = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
EXAMPLE = DOCS / "examples" / "read_results.py"


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def commands(program: str) -> list[str]:
    lines = [
        line.removeprefix("$ ").partition("  #")[0].strip()
        for page in PAGES
        for block in blocks(page, "console")
        for line in block.replace("\\\n", " ").splitlines()
        if line.startswith("$ ")
    ]
    return list(dict.fromkeys(line for line in lines if shlex.split(line)[0] == program))


def test_nothing_is_left_to_be_filled_in():
    for page in PAGES:
        assert "@@" not in page.read_text(encoding="utf-8"), page


def test_the_tutorial_and_the_how_tos_have_commands():
    assert len(commands("make")) >= 10
    assert commands("python") != []


@pytest.fixture(scope="module")
def listed() -> str:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("line", commands("make"))
def test_a_make_command_is_a_target_that_help_lists(line, listed):
    # A folder of one's own has a config, which `make new-study` made.
    words = shlex.split(line.replace("FOLDER=", "CONFIG=config.yaml FOLDER="))[1:]
    target = next(word for word in words if "=" not in word)
    assert f"make {target} " in listed
    subprocess.run(["make", "-n", *words], cwd=ROOT, capture_output=True, check=True)


@pytest.mark.parametrize("line", commands("python"))
def test_a_program_is_there(line):
    assert (ROOT / shlex.split(line)[1]).is_file()


def links(page: Path) -> list[tuple[Path, str]]:
    """The files and anchors that a page links to in this repository."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.S)
    found = []
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        found.append(((page.parent / path).resolve() if path else page, anchor))
    return found


@pytest.mark.parametrize("page", LINKING, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    for path, anchor in links(page):
        assert path.exists(), path
        if anchor:
            text = path.read_text(encoding="utf-8")
            assert anchor in {known for *_, known in markdown.headings(text)}, (path, anchor)


@pytest.mark.parametrize("name", ["tutorial.md", "howto.md"])
def test_its_configs_are_right_each_added_to_what_went_before(name):
    merged = {}
    pieces = [YAML(typ="safe").load(block) for block in blocks(DOCS / name, "yaml")]
    assert pieces != []
    for piece in pieces:
        merged |= piece
        config.validated(merged, name)


def test_the_how_tos_data_are_described_and_read_by_others(tmp_path, monkeypatch):
    """By torchvision's reader, which knows nothing of ours."""
    monkeypatch.chdir(tmp_path)
    [program] = [each for each in blocks(DOCS / "howto.md", "python") if "np.save" in each]
    random = np.random.default_rng(0)
    made = {
        "x_train": random.integers(0, 256, (6, 5, 7)),
        "y_train": np.arange(6) % 2,
        "x_test": random.integers(0, 256, (4, 5, 7)),
        "y_test": np.arange(4) % 2,
    }
    exec(program, {"np": np, **made})
    [line] = [line for line in commands("python") if "describe_data" in line]
    words = [str(ROOT / word) if word.endswith(".py") else word for word in shlex.split(line)]
    subprocess.run([sys.executable, *words[1:]], check=True)
    for name, (_, file) in idx_import.FILES.items():
        read = read_sn3_pascalvincent_tensor(str(tmp_path / "my-data" / file))
        assert (read.numpy() == made[name]).all()


# The example


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    vary = {"dropout": [0.1, 0.2, 0.3]}, {"batch_size": [32, 64]}
    settings = {
        "seeds": 3,
        "baseline": {"epochs": 3},
        "experiments": {next(iter(each)): {"vary": each} for each in vary},
    }
    study = madeup.make(settings, lambda chosen, epoch: 0.8 - chosen["dropout"] / 10, {"0.3": 1})
    study.metrics.to_parquet(folder / "metrics.parquet")
    found = comparisons.compare(experiments.experiments(study.plan, study.summary))
    pq.write_table(found, folder / "comparisons.parquet")
    return folder


def test_pandas_and_duckdb_give_the_example_the_same_answers(results, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLE.parent)
    import read_results

    ends = read_results.ends_in_pandas(results), read_results.ends_in_duckdb(results)
    assert len(ends[0]) == 5
    assert ends[0].seeds.min() == 2
    # Equal means may come in any order.
    pd.testing.assert_frame_equal(*(each.sort_index() for each in ends), check_dtype=False)
    leads = read_results.leads_in_pandas(results), read_results.leads_in_duckdb(results)
    assert set(leads[0].experiment) == {"dropout", "batch_size"}
    pd.testing.assert_frame_equal(
        *(each.reset_index(drop=True) for each in leads), check_dtype=False
    )


def test_the_example_prints_both_tables(results):
    done = subprocess.run([sys.executable, EXAMPLE, results], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "dropout0.1" in done.stdout
    assert "experiment value over" in " ".join(done.stdout.split())
