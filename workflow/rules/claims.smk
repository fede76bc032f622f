# results/summary.parquet, results/metrics.parquet -> results/claims.parquet
# input:  the plan with the config's own claims; the summary, and the metrics for what it lacks
# output: what the numbers say of each claim, with the numbers


rule judge_claims:
    input:
        plan="results/plan.json",
        metrics="results/metrics.parquet",
        summary="results/summary.parquet",
    output:
        report(
            "results/claims.parquet",
            caption="../report/claims.rst",
            category="tables",
            labels={"table": "claims"},
        ),
    log:
        "results/logs/judge_claims.log",
    localrule: True
    conda:
        "../envs/study.yaml"
    params:
        code=code_of(
            "judge_claims.py", "resources/claims.yaml", "resources/published.yaml"
        ),
    shell:
        'python "$SCRIPTS"/judge_claims.py --plan {input.plan:q} --metrics {input.metrics:q}'
        " --summary {input.summary:q} --output {output:q} 2> {log:q}"
