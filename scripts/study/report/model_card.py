"""The model's card, README.md beside it, from resources/model_card.md.jinja.

With the front matter of Hugging Face's model cards (https://huggingface.co/docs/hub/model-cards).
"""

import math
import re
from dataclasses import replace
from itertools import pairwise

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from study.data.base import Dataset
from study.data.pictures import COLOURS
from study.final.evaluation import Evaluation
from study.final.export import Description
from study.report.appendix import Appendix
from study.report.data import ReportData
from study.report.final_model import FinalModel
from study.report.on_test_images import OnTestImages
from study.report.predicted import Predicted
from study.report.words import Words
from study.spec.texts import language_of
from study.support import markdown
from study.support.resources import resource

TEMPLATE = resource("resources/model_card.md.jinja")


def render(study: ReportData, description: Description) -> str:
    """The card in English; every number and what is said of it comes from the study."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE.parent),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    dataset = study.data.dataset
    words = Words(language_of(study.plan, "en"))
    if description.classes:
        # Names for every language: the data set may have none in English.
        targets = replace(study.data.targets, names=description.classes)
        study = replace(study, data=replace(study.data, targets=targets))
    arguments = (study, words, "")
    evaluation, several = study.evaluation, len(description.seeds) > 1
    score, averages = math.nan, None
    if evaluation:
        score = evaluation.ensemble_score[0] if several else evaluation.score.mean
    if isinstance(evaluation, Evaluation):
        averages = evaluation.ensemble_averages if several else evaluation.averages
    inputs = math.prod(description.inputs)
    text = environment.get_template(TEMPLATE.name).render(
        study=study,
        model=description,
        task=_task(dataset),
        plural=dataset.plural,
        taken=_taken(description, dataset),
        given="images" if description.is_images else "inputs",
        files=_files(description),
        name=f"{description.model['name'] if description.model else 'Perceptron'} for "
        f"{description.dataset}",
        kind="mlp" if description.model is None else "pytorch",
        used_as=f"Ensemble of {len(description.seeds)} networks" if several else "One network",
        score=score,
        averages=averages,
        inputs=inputs,
        parameters=_parameters(description),
        escaped=markdown.escaped,
        words=words,
        final=FinalModel(*arguments),
        tested=(OnTestImages if description.classes else Predicted)(*arguments),
        appendix=Appendix(*arguments),
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _parameters(description: Description) -> int:
    """Those of one network."""
    if description.model:
        return int(description.model["parameters"])
    hidden = description.settings["hidden"]
    sizes = [math.prod(description.inputs), *hidden, description.outputs]
    return sum((before + 1) * after for before, after in pairwise(sizes))


def _task(dataset: Dataset) -> str:
    """As Hugging Face's list of tasks has it, which knows none of quantities of images."""
    if dataset.task == "classification":
        return f"{'image' if dataset.is_images else 'tabular'}-classification"
    return "other" if dataset.is_images else "tabular-regression"


def _taken(description: Description, dataset: Dataset) -> str:
    """What the model takes, such as `grey images of 28 × 28 pixels`."""
    if not dataset.is_images:
        return f"examples of {math.prod(description.inputs):,} numbers"
    *channels, height, width = description.inputs
    kinds = {(): "grey ", (1,): "grey ", (COLOURS,): "colour "}
    return f"{kinds.get(tuple(channels), '')}images of {height} × {width} pixels"


def _files(description: Description) -> str:
    """Files that predict.py reads."""
    if not description.is_images:
        return "table.csv" if "columns" in description.fitted else "array.npy"
    return "image.png" + (" images-idx3-ubyte.gz" if description.channels is None else "")
