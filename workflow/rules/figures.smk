# results/runs/*/record.parquet -> results/figures/<name>.<language>.{png,svg}
# input:  the records of an experiment's runs; the summary; the final model's evaluation; images
#         and labels
# output: a figure for each experiment, all of them at a glance, those of the final model, and a
#         mosaic of images
#         An experiment is drawn as soon as its own runs are there, and again only when they or
#         what the plan has of it change: the plan's other parts are no reason.

FINAL_FIGURES = [
    "final_curves",
    *(
        ["final_confusion", "final_classes", "final_calibration"]
        if DATASET.task == "classification"
        else ["final_predictions", "final_residuals"]
    ),
    *(["final_confused", "final_mistakes"] if DATASET.shows_classes else []),
]

FIGURES_OF_DATA = ["mosaic"] if DATASET.shows_classes else []

GLANCE = ["glance", "glance_cost"] if EXPERIMENTS else []

FIGURES_OF_FINAL, FIGURES_OF_EXPERIMENTS = (
    expand(
        "results/figures/{name}.{language}.{format}",
        name=names,
        language=PLAN.languages,
        format=["png", "svg"],
    )
    for names in (
        FINAL_FIGURES if HAS_FINAL else [],
        [*EXPERIMENTS, *GLANCE, *FIGURES_OF_DATA],
    )
)

FIGURES = [*FIGURES_OF_EXPERIMENTS, *FIGURES_OF_SEARCHES, *FIGURES_OF_FINAL]

FIGURE_TEXTS = ["resources/languages/*/*.yaml"]


rule draw_experiment:
    input:
        plan=plan_of(
            "experiment.{experiment}",
            "draw_experiment.py",
            *FIGURE_TEXTS,
            "resources/published.yaml",
            plan=searched_plan if PLAN.stepwise else planned,
        ),
        records=records_of_experiment,
        checksums=f"{DATA}/checksums.sha256",
        pixels=ancient(PIXELS),
    output:
        [
            report(
                f"results/figures/{{experiment}}.{language}.png",
                caption="../report/experiment.rst",
                category="experiments",
                labels={"experiment": "{experiment}", "language": language},
            )
            for language in PLAN.languages
        ],
        [
            f"results/figures/{{experiment}}.{language}.svg"
            for language in PLAN.languages
        ],
    log:
        "results/logs/draw_experiment.{experiment}.log",
    wildcard_constraints:
        experiment="|".join(EXPERIMENTS) or "-",
    retries: 0
    localrule: True
    conda:
        "../envs/study.yaml"
    params:
        data=lambda wildcards, input: os.path.dirname(input.checksums),
    shell:
        'python "$SCRIPTS"/draw_experiment.py --plan {input.plan:q}'
        ' --runs "$RESULTS/runs" --data {params.data:q}'
        ' --output "$RESULTS/figures"'
        ' --receipt "$RESULTS/receipts/experiment.{wildcards.experiment}.json" 2> {log:q}'


rule draw_final:
    input:
        plan=plan_of(
            "final", "draw_final.py", *FIGURE_TEXTS, "resources/published.yaml"
        ),
        record=of_final_run("record.parquet"),
        evaluation="results/final.safetensors",
        checksums=f"{DATA}/checksums.sha256",
        pixels=ancient(PIXELS),
    output:
        [
            report(
                f"results/figures/{name}.{language}.png",
                caption="../report/final.rst",
                category="final model",
                labels={"figure": name.removeprefix("final_"), "language": language},
            )
            for name in FINAL_FIGURES
            for language in PLAN.languages
        ],
        expand(
            "results/figures/{name}.{language}.svg",
            name=FINAL_FIGURES,
            language=PLAN.languages,
        ),
    log:
        "results/logs/draw_final.log",
    retries: 0
    localrule: True
    conda:
        "../envs/study.yaml"
    params:
        data=lambda wildcards, input: os.path.dirname(input.checksums),
    shell:
        'python "$SCRIPTS"/draw_final.py --plan {input.plan:q}'
        ' --runs "$RESULTS/runs"'
        " --evaluation {input.evaluation:q} --data {params.data:q}"
        ' --output "$RESULTS/figures" --receipt "$RESULTS/receipts/final.json" 2> {log:q}'


rule draw_glance:
    input:
        plan=plan_of("glance", "draw_glance.py", *FIGURE_TEXTS),
        metrics="results/metrics.parquet",
        summary="results/summary.parquet",
        checksums=f"{DATA}/checksums.sha256",
        pixels=ancient(PIXELS),
    output:
        [
            report(
                f"results/figures/{name}.{language}.png",
                caption="../report/glance.rst",
                category="experiments",
                labels={"experiment": told, "language": language},
            )
            for name, told in [("glance", "all"), ("glance_cost", "all, costs")]
            for language in PLAN.languages
        ],
        expand(
            "results/figures/{name}.{language}.svg",
            name=["glance", "glance_cost"],
            language=PLAN.languages,
        ),
    log:
        "results/logs/draw_glance.log",
    retries: 0
    localrule: True
    conda:
        "../envs/study.yaml"
    params:
        data=lambda wildcards, input: os.path.dirname(input.checksums),
    shell:
        'python "$SCRIPTS"/draw_glance.py --plan {input.plan:q} --metrics {input.metrics:q}'
        " --summary {input.summary:q} --data {params.data:q}"
        ' --output "$RESULTS/figures" --receipt "$RESULTS/receipts/glance.json" 2> {log:q}'


if DATASET.shows_classes:

    rule draw_mosaic:
        input:
            plan=plan_of("mosaic", "draw_mosaic.py", *FIGURE_TEXTS, plan=planned),
            checksums=f"{DATA}/checksums.sha256",
            pixels=ancient(PIXELS),
        output:
            [
                report(
                    f"results/figures/mosaic.{language}.png",
                    caption="../report/mosaic.rst",
                    category="data",
                    labels={"figure": "mosaic", "language": language},
                )
                for language in PLAN.languages
            ],
            expand("results/figures/mosaic.{language}.svg", language=PLAN.languages),
        log:
            "results/logs/draw_mosaic.log",
        retries: 0
        localrule: True
        conda:
            "../envs/study.yaml"
        params:
            data=lambda wildcards, input: os.path.dirname(input.checksums),
        shell:
            'python "$SCRIPTS"/draw_mosaic.py --plan {input.plan:q} --data {params.data:q}'
            ' --output "$RESULTS/figures" --receipt "$RESULTS/receipts/mosaic.json" 2> {log:q}'
