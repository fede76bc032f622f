"""The studies that docs/search.md and configs/search.yaml show are studies."""

import re

from ruamel.yaml import YAML

from small_study import ROOT
from study.spec import config
from study.spec.resolution import resolve

PAGE = (ROOT / "docs" / "search.md").read_text(encoding="utf-8")


def searched(found):
    [search] = resolve(found).searches
    return search


def kept(search):
    return [step.kept for step in search.steps if not step.drawn]


def test_the_page_s_study_takes_the_steps_that_the_page_tells():
    [text] = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
    search = searched(config.validated(YAML(typ="safe").load(text), "docs/search.md"))
    rungs = list(dict.fromkeys(step.epochs for step in search.steps))
    assert rungs == [
        int(number) for number in re.search(r"\((\d+), (\d+) and (\d+) above", PAGE).groups()
    ]
    assert sum(step.drawn for step in search.steps) == 40
    assert kept(search) == [13, 4, 3, 3, 3, 3]


def test_the_example_s_search_spends_an_eighth_of_its_trials_trained_whole():
    search = searched(config.load([ROOT / "configs" / "search.yaml"]))
    assert [step.epochs for step in search.steps][-6:] == [9, 27, 27, 27, 27, 27]
    assert kept(search) == [9, 3, 2, 2, 2, 2]
    spent = 27 * 3 + 9 * 6 + 3 * 18 + (2 + 2 + 2 + 2) * 27
    assert spent / (27 * 27 * 5) < 0.12
