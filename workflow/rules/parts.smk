# What each part of the results is made from, as an input file of its rule.

import functools
import sys

import inside_snakemake as inside
from study.runs import fingerprint
from study.spec import shares
from study.support import receipts
from study.support.errors import StudyError


def code_of(program, *resources):
    """A digest of a program, the library behind it and the texts that it uses."""
    files = [path for pattern in resources for path in sorted(ROOT.glob(pattern))]
    return fingerprint.program(SCRIPTS / program, *files)


def plan_of(part, program, *resources, plan=chosen_plan, other=""):
    """An input function: the file with what a part of the results is made from.

    That is its share of the plan, the digest of its `program`, as code_of has it, and `other`. The file is
    a new one unless the part's receipt says that the part was made from it and is as it was made:
    so Snakemake sees by its own means what has to be made anew.
    """
    code = code_of(program, *resources) + other

    def file(wildcards):
        look_before()
        name = part.format_map(dict(wildcards.items()))
        content = shares.as_text(plan(), name, code, DATASET.description)
        # Placed, and never in storage.
        return local(plan_file(name, content))

    return file


@functools.cache
def plan_file(part, content):
    """The path of a file with this content; what was altered by hand is told."""
    try:
        file = str(receipts.plan_file(RESULTS, part, content, stored=bool(STORAGE)))
        made = receipts.read_receipt(receipts.of_part(RESULTS, part))
    except (StudyError, OSError) as error:
        inside.end(error)
    for path in made.altered() if made and made.plan != file and not STORAGE else ():
        print(f"{path}: altered since it was made; it is made anew", file=sys.stderr)
    return file
