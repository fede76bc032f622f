# everything -> results/report.<language>.md -> results/report.<language>.html
# input:  plan, metrics, summary, claims; for the page the figures; the final model's evaluation;
#         the runs' settings for what made them, undeclared where the folder is shared: the metrics
#         come with them
# output: the report in each language, and the page that stands alone in one file

from study.spec.beside import files_beside

REPORTS = expand("results/report.{language}.md", language=PLAN.languages)

PAGES = expand("results/report.{language}.html", language=PLAN.languages)


rule write_report:
    input:
        plan=plan_of(
            "report",
            "write_report.py",
            "resources/languages/*/*.yaml",
            "resources/published.yaml",
            "resources/report.md.jinja",
        ),
        metrics="results/metrics.parquet",
        summary="results/summary.parquet",
        claims="results/claims.parquet",
        trials=TRIALS,
        evaluation=if_chosen(EVALUATION),
        described=every_description,
        beside=[local(path) for path in files_beside(PLAN.beside)],
        checksums=f"{DATA}/checksums.sha256",
        pixels=ancient(PIXELS),
    output:
        [
            report(
                f"results/report.{language}.md",
                caption="../report/report.rst",
                category="report",
                labels={"report": "Markdown", "language": language},
            )
            for language in PLAN.languages
        ],
    log:
        "results/logs/write_report.log",
    retries: 0
    localrule: True
    conda:
        "../envs/study.yaml"
    params:
        evaluation=lambda wildcards, input: [
            word for path in input.evaluation for word in ("--evaluation", path)
        ],
        data=lambda wildcards, input: os.path.dirname(input.checksums),
    shell:
        'python "$SCRIPTS"/write_report.py --plan {input.plan:q} --metrics {input.metrics:q}'
        ' --summary {input.summary:q} --claims {input.claims:q} --runs "$RESULTS/runs"'
        ' --figures "$RESULTS/figures" {params.evaluation:q} --data {params.data:q}'
        ' --output "$RESULTS" --receipt "$RESULTS/receipts/report.json" 2> {log:q}'


# One job a language: they are made side by side.
rule write_page:
    input:
        plan=plan_of(
            "page.{language}",
            "write_page.py",
            "resources/languages/*/*.yaml",
            "resources/published.yaml",
            "resources/page/*.*",
            "resources/page/vendor/*.*",
        ),
        metrics="results/metrics.parquet",
        summary="results/summary.parquet",
        claims="results/claims.parquet",
        trials=TRIALS,
        evaluation=if_chosen(EVALUATION),
        beside=[local(path) for path in files_beside(PLAN.beside)],
        figures=lambda wildcards: [
            path
            for path in [
                *FIGURES_OF_EXPERIMENTS,
                *FIGURES_OF_SEARCHES,
                *if_chosen(FIGURES_OF_FINAL)(wildcards),
            ]
            if path.endswith(f".{wildcards.language}.svg")
        ],
        report="results/report.{language}.md",
        checksums=f"{DATA}/checksums.sha256",
    output:
        report(
            "results/report.{language}.html",
            caption="../report/page.rst",
            category="report",
            labels={"report": "page", "language": "{language}"},
        ),
    log:
        "results/logs/write_page.{language}.log",
    retries: 0
    localrule: True
    conda:
        "../envs/study.yaml"
    params:
        evaluation=lambda wildcards, input: [
            word for path in input.evaluation for word in ("--evaluation", path)
        ],
        data=lambda wildcards, input: os.path.dirname(input.checksums),
    shell:
        'python "$SCRIPTS"/write_page.py --plan {input.plan:q} --metrics {input.metrics:q}'
        ' --summary {input.summary:q} --claims {input.claims:q} --runs "$RESULTS/runs"'
        ' --figures "$RESULTS/figures" {params.evaluation:q} --data {params.data:q}'
        " --report {input.report:q} --language {wildcards.language:q} --output {output:q}"
        ' --receipt "$RESULTS/receipts/page.{wildcards.language}.json" 2> {log:q}'
