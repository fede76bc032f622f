# results/metrics.parquet, results/summary.parquet -> results/figures/<name>.<language>.{png,svg}
# input:  metrics and summary; the final model's evaluation; the images
# output: a figure for each experiment, those of the final model, and a mosaic of the data

FINAL_FIGURES = [
    "final_curves",
    "final_confusion",
    "final_classes",
    "final_calibration",
    "final_confused",
    "final_mistakes",
]

FIGURES = expand(
    "results/figures/{name}.{language}.{format}",
    name=[*EXPERIMENTS, *(FINAL_FIGURES if HAS_FINAL else []), "mosaic"],
    language=PLAN.languages,
    format=["png", "svg"],
)

FIGURE_TEXTS = ["resources/languages/*/*.yaml"]


# One job a language, not one a figure: starting takes as long as drawing one.
rule draw_experiments:
    input:
        plan="results/plan.json",
        metrics="results/metrics.parquet",
        summary="results/summary.parquet",
    output:
        [
            report(
                f"results/figures/{experiment}.{{language}}.png",
                caption="../report/experiment.rst",
                category="experiments",
                labels={"experiment": experiment, "language": "{language}"},
            )
            for experiment in EXPERIMENTS
        ],
        expand("results/figures/{experiment}.{{language}}.svg", experiment=EXPERIMENTS),
    log:
        "results/logs/draw_experiments.{language}.log",
    localrule: True
    conda:
        "../envs/study.yaml"
    params:
        code=code_of("draw_experiments.py", *FIGURE_TEXTS),
    shell:
        'python "$SCRIPTS"/draw_experiments.py --plan {input.plan:q} --metrics {input.metrics:q}'
        " --summary {input.summary:q} --language {wildcards.language:q}"
        " --output results/figures 2> {log:q}"


rule draw_final:
    input:
        plan="results/plan.json",
        metrics="results/metrics.parquet",
        summary="results/summary.parquet",
        evaluation="results/final.safetensors",
        checksums=f"{DATA}/checksums.sha256",
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
    localrule: True
    conda:
        "../envs/study.yaml"
    params:
        data=lambda wildcards, input: os.path.dirname(input.checksums),
        code=code_of("draw_final.py", *FIGURE_TEXTS),
    shell:
        'python "$SCRIPTS"/draw_final.py --plan {input.plan:q} --metrics {input.metrics:q}'
        " --summary {input.summary:q} --evaluation {input.evaluation:q} --data {params.data:q}"
        " --output results/figures 2> {log:q}"


rule draw_mosaic:
    input:
        checksums=f"{DATA}/checksums.sha256",
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
    localrule: True
    conda:
        "../envs/study.yaml"
    params:
        dataset=PLAN.dataset,
        data=lambda wildcards, input: os.path.dirname(input.checksums),
        languages=list(PLAN.languages),
        code=code_of("draw_mosaic.py", *FIGURE_TEXTS),
    shell:
        'python "$SCRIPTS"/draw_mosaic.py --dataset {params.dataset:q} --data {params.data:q}'
        " --languages {params.languages:q} --output results/figures 2> {log:q}"
