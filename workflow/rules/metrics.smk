# results/runs/*/record.parquet -> results/metrics.parquet -> results/summary.parquet
# input:  the plan and every run's record
# output: all measures that the study asks for, and the statistics of each experiment's values


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
        config=json.dumps(CONFIG),
        choice=lambda wildcards, input: (
            ["--choice", str(CHOICE)] if input.choice else []
        ),
        code=code_of("write_plan.py"),
    shell:
        'python "$SCRIPTS"/write_plan.py --config {params.config:q} {params.choice:q}'
        " --output {output:q} 2> {log:q}"


rule collect_metrics:
    input:
        plan="results/plan.json",
        records=of_every_run("record.parquet"),
    output:
        "results/metrics.parquet",
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
        "results/summary.parquet",
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
