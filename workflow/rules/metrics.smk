# results/runs/*/record.parquet -> results/metrics.parquet -> results/summary.parquet
#     -> results/comparisons.parquet
# input:  what of the plan each is made from, and every run's record
# output: all measures that the study asks for, the statistics of each experiment's values, and the
#     differences between these


rule write_plan:
    input:
        plan=plan_of("plan", "write_plan.py"),
    output:
        "results/plan.json",
    log:
        "results/logs/write_plan.log",
    retries: 0
    localrule: True
    conda:
        "../envs/study.yaml"
    shell:
        'python "$SCRIPTS"/write_plan.py --plan {input.plan:q} --output {output:q}'
        ' --receipt "$RESULTS/receipts/plan.json" 2> {log:q}'


rule collect_metrics:
    input:
        plan=plan_of("metrics", "collect_metrics.py"),
        records=every_record,
        listed=listed_records,
    output:
        report(
            "results/metrics.parquet",
            caption="../report/metrics.rst",
            category="tables",
            labels={"table": "metrics"},
        ),
    log:
        "results/logs/collect_metrics.log",
    retries: 0
    localrule: True
    conda:
        "../envs/study.yaml"
    shell:
        'python "$SCRIPTS"/collect_metrics.py --plan {input.plan:q}'
        ' --runs "$RESULTS/runs"'
        ' --output {output:q} --receipt "$RESULTS/receipts/metrics.json" 2> {log:q}'


rule summarise:
    input:
        plan=plan_of("summary", "summarise.py", "resources/published.yaml"),
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
    retries: 0
    localrule: True
    conda:
        "../envs/study.yaml"
    shell:
        'python "$SCRIPTS"/summarise.py --plan {input.plan:q} --metrics {input.metrics:q}'
        ' --output {output:q} --receipt "$RESULTS/receipts/summary.json" 2> {log:q}'


rule compare_values:
    input:
        plan=plan_of("comparisons", "compare_values.py"),
        metrics="results/metrics.parquet",
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
    retries: 0
    localrule: True
    conda:
        "../envs/study.yaml"
    shell:
        'python "$SCRIPTS"/compare_values.py --plan {input.plan:q} --metrics {input.metrics:q}'
        " --summary {input.summary:q} --output {output:q}"
        ' --receipt "$RESULTS/receipts/comparisons.json" 2> {log:q}'
