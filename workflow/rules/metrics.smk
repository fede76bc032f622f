# results/runs/*/record.parquet -> results/metrics.parquet -> results/summary.parquet
#     -> results/comparisons.parquet
# input:  the plan and every run's record
# output: all measures that the study asks for, the statistics of each experiment's values, and the
#     differences between these


rule write_plan:
    input:
        outdated,
        choice=lambda wildcards: str(CHOICE) if chosen_plan().chooses_final else [],
    output:
        "results/plan.json",
    log:
        "results/logs/write_plan.log",
    localrule: True
    conda:
        "../envs/study.yaml"
    params:
        configfile=str(CONFIG_FILE),
        config=CONFIG_DIGEST,
        choice=lambda wildcards, input: (
            ["--choice", str(CHOICE)] if input.choice else []
        ),
        code=code_of("write_plan.py"),
    shell:
        'python "$SCRIPTS"/write_plan.py --configfile {params.configfile:q} {params.choice:q}'
        " --output {output:q} 2> {log:q}"


rule collect_metrics:
    input:
        plan="results/plan.json",
        records=every_record,
    output:
        report(
            "results/metrics.parquet",
            caption="../report/metrics.rst",
            category="tables",
            labels={"table": "metrics"},
        ),
    log:
        "results/logs/collect_metrics.log",
    localrule: True
    conda:
        "../envs/study.yaml"
    params:
        code=code_of("collect_metrics.py"),
    shell:
        'python "$SCRIPTS"/collect_metrics.py --plan {input.plan:q} --runs results/runs'
        " --output {output:q} 2> {log:q}"


rule summarise:
    input:
        plan="results/plan.json",
        metrics="results/metrics.parquet",
    output:
        report(
            "results/summary.parquet",
            caption="../report/summary.rst",
            category="tables",
            labels={"table": "summary"},
        ),
    log:
        "results/logs/summarise.log",
    localrule: True
    conda:
        "../envs/study.yaml"
    params:
        code=code_of("summarise.py", "resources/published.yaml"),
    shell:
        'python "$SCRIPTS"/summarise.py --plan {input.plan:q} --metrics {input.metrics:q}'
        " --output {output:q} 2> {log:q}"


rule compare_values:
    input:
        plan="results/plan.json",
        summary="results/summary.parquet",
    output:
        report(
            "results/comparisons.parquet",
            caption="../report/comparisons.rst",
            category="tables",
            labels={"table": "comparisons"},
        ),
    log:
        "results/logs/compare_values.log",
    localrule: True
    conda:
        "../envs/study.yaml"
    params:
        code=code_of("compare_values.py"),
    shell:
        'python "$SCRIPTS"/compare_values.py --plan {input.plan:q} --summary {input.summary:q}'
        " --output {output:q} 2> {log:q}"
