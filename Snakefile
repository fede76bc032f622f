# The study as a workflow. Paths are relative to the working directory; results/runs/<run>/ holds
# all that one training configuration leaves. DAG: data -> train (one job a run) -> metrics ->
# summary -> comparisons, claims, final model -> report -> pages, and from the records of its runs
# alone each experiment's figure -> pages. README.md has the words, docs/files.md the files.

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.0")

# Where this file lies; as a module (docs/howto.md), `workflow.basedir` is that of its host.
ROOT = Path(str(workflow.current_basedir))

if not (ROOT / "scripts").is_dir():
    raise WorkflowError(
        f"{ROOT}: the programs that the rules call are not fetched with them; "
        "clone the repository and name the Snakefile of the clone"
    )

# For these two alone: a host must not find our programs among its own modules.
sys.path[:0] = [str(ROOT / "workflow"), str(ROOT / "scripts")]

import inside_snakemake as inside
import study

del sys.path[:2]


include: "workflow/rules/storage.smk"
include: "workflow/rules/config.smk"
include: "workflow/rules/runs.smk"
include: "workflow/rules/trials.smk"
include: "workflow/rules/sharing.smk"
include: "workflow/rules/parts.smk"
include: "workflow/rules/before.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/search.smk"
include: "workflow/rules/choice.smk"
include: "workflow/rules/metrics.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/final.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"


# What has to be made anew though no input shows it.
try:
    OUTDATED = list(outdated_files()) if inside.is_main_process(workflow) else []
except (StudyError, OSError) as error:
    raise WorkflowError(str(error))


if not inside.module_name(workflow):

    report: "workflow/report/workflow.rst"


rule report:
    default_target: True
    input:
        REPORTS,
        PAGES,
        FIGURES_OF_EXPERIMENTS,
        FIGURES_OF_SEARCHES,
        if_chosen(FIGURES_OF_FINAL),
        "results/comparisons.parquet",
        TRIALS,
        if_chosen(MODEL),
        "results/plan.json",


rule model:
    input:
        if_chosen(MODEL),


rule figures:
    input:
        FIGURES_OF_EXPERIMENTS,
        FIGURES_OF_SEARCHES,
        if_chosen(FIGURES_OF_FINAL),


rule metrics:
    input:
        "results/metrics.parquet",
        "results/summary.parquet",
        "results/comparisons.parquet",
        TRIALS,


rule claims:
    input:
        "results/claims.parquet",


rule data:
    input:
        f"{DATA}/checksums.sha256",


rule plan:
    input:
        "results/plan.json",


# As a module these are its host's to call (docs/howto.md).
onsuccess:
    receipts.settle(RESULTS)
    # Another target, or --until, leaves them as they were, and perhaps outdated.
    asked_for = inside.outputs(workflow)
    for path in filter(os.path.exists, map(placed, [*REPORTS, *PAGES])):
        if in_graph(path) not in asked_for:
            continue
        print(f"report: {os.path.abspath(path)}", file=sys.stderr)


onerror:
    receipts.settle(RESULTS)
    print(
        "failed; make status tells what; what is finished can be read: make report-partial",
        file=sys.stderr,
    )
