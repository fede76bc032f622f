# results/search/<search>/<step>.json -> its trials' runs -> the next step
# input:  of a step the file of the step before, the trials that this asked for, trained, and what
#         the search is; which records it goes by follows from these. An experiment that adds seeds
#         goes the same way: its first step goes by its values' records, which later ones extend
# output: the trials that are drawn or go on; of each a mark that it is trained so far: the run
#         itself is the one that experiments share, and lies in results/runs/


wildcard_constraints:
    search="|".join(STEPWISE) or "-",
    step=r"[a-z]+-\d+",


# Of these, what alone has tables and figures of its own.
SEARCHED = "|".join(SEARCHES) or "-"


# Records of an experiment's values grow with what others ask for; what a step goes by stays in them.
checkpoint take_step:
    input:
        file_before,
        trained_before,
        ancient(listed_before),
        plan=plan_of(
            "step.{search}.{step}",
            "take_step.py",
            plan=planned,
            other=json.dumps(LEARNING, sort_keys=True),
        ),
    output:
        "results/search/{search}/{step}.json",
    log:
        "results/logs/take_step.{search}.{step}.log",
    retries: 0
    localrule: True
    conda:
        "../envs/study.yaml"
    shell:
        'python "$SCRIPTS"/take_step.py --plan {input.plan:q}'
        ' --results "$RESULTS" --output {output:q}'
        ' --receipt "$RESULTS/receipts/step.{wildcards.search}.{wildcards.step}.json" 2> {log:q}'


TRIALS = expand(
    "results/search/{search}/{file}.parquet",
    search=SEARCHES,
    file=["trials", "importance"],
)


rule list_trials:
    input:
        plan=plan_of("trials.{search}", "list_trials.py", plan=searched_plan),
        metrics="results/metrics.parquet",
    output:
        report(
            "results/search/{search}/trials.parquet",
            caption="../report/trials.rst",
            category="tables",
            labels={"table": "trials of {search}"},
        ),
        "results/search/{search}/importance.parquet",
    log:
        "results/logs/list_trials.{search}.log",
    wildcard_constraints:
        search=SEARCHED,
    retries: 0
    localrule: True
    conda:
        "../envs/study.yaml"
    params:
        output=lambda wildcards, output: output[0],
    shell:
        'python "$SCRIPTS"/list_trials.py --plan {input.plan:q} --metrics {input.metrics:q}'
        " --output {params.output:q}"
        ' --receipt "$RESULTS/receipts/trials.{wildcards.search}.json" 2> {log:q}'


FIGURES_OF_SEARCHES = expand(
    "results/figures/{search}.{language}.{format}",
    search=SEARCHES,
    language=PLAN.languages,
    format=["png", "svg"],
)


rule draw_search:
    input:
        plan=plan_of(
            "search.{search}",
            "draw_search.py",
            "resources/languages/*/*.yaml",
            plan=searched_plan,
        ),
        metrics="results/metrics.parquet",
        importance="results/search/{search}/importance.parquet",
    output:
        [
            report(
                f"results/figures/{{search}}.{language}.png",
                caption="../report/search.rst",
                category="searches",
                labels={"search": "{search}", "language": language},
            )
            for language in PLAN.languages
        ],
        [f"results/figures/{{search}}.{language}.svg" for language in PLAN.languages],
    log:
        "results/logs/draw_search.{search}.log",
    wildcard_constraints:
        search=SEARCHED,
    retries: 0
    localrule: True
    conda:
        "../envs/study.yaml"
    shell:
        'python "$SCRIPTS"/draw_search.py --plan {input.plan:q} --metrics {input.metrics:q}'
        ' --results "$RESULTS" --output "$RESULTS/figures"'
        ' --receipt "$RESULTS/receipts/search.{wildcards.search}.json" 2> {log:q}'


# What an experiment lists is trained for that first: Snakemake removes a job's old outputs, which
# the next step may just be reading.
use rule train as train_trial with:
    input:
        refuse_missing_gpu,
        ancient(record_of_listed),
        checksums=f"{DATA}/checksums.sha256",
        pixels=ancient(PIXELS),
    output:
        touch("results/search/{search}/{step}/{run}.trained"),
    log:
        "results/search/{search}/{step}/{run}.log",
