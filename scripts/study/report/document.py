"""The report in Markdown, from resources/report.md.jinja and a language's catalogue."""

import re

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from study.report.appendix import Appendix
from study.report.claims import Claims
from study.report.conclusions import Conclusions
from study.report.data import ReportData
from study.report.early_stopping import EarlyStopping
from study.report.experiments import Experiments
from study.report.final_model import FinalModel
from study.report.hyperparameters import Definitions
from study.report.introduction import Introduction
from study.report.on_test_images import OnTestImages
from study.report.predicted import Predicted
from study.report.protocols import Protocols
from study.report.published_study import PublishedStudy
from study.report.searches import Searches
from study.report.words import Words
from study.results import published
from study.support import markdown
from study.support.language import Language
from study.support.resources import resource

TEMPLATE = resource("resources/report.md.jinja")

CONTENTS = "<!-- contents -->"


def render(study: ReportData, language: Language, figures: str) -> str:
    """The whole report in one language; `figures` is the relative path of the figures' folder."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE.parent),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    words = Words(language)
    arguments = (study, words, figures)
    conclusions = Conclusions(*arguments)
    text = environment.get_template(TEMPLATE.name).render(
        study=study,
        text=words.text,
        escaped=markdown.escaped,
        introduction=Introduction(*arguments),
        hyperparameters=Definitions(*arguments),
        experiments=Experiments(*arguments),
        searches=Searches(*arguments),
        conclusions=conclusions,
        final=FinalModel(*arguments),
        early=EarlyStopping(*arguments),
        tested=(OnTestImages if conclusions.is_of_classes else Predicted)(*arguments),
        protocols=Protocols(*arguments),
        published=PublishedStudy(*arguments),
        claims=Claims(*arguments),
        appendix=Appendix(*arguments),
        source=published.load(),
        contents=CONTENTS,
    )
    # Parts that are left out leave their blank lines behind.
    text = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
    _, after = text.split(CONTENTS)
    return text.replace(CONTENTS, markdown.contents(after))
