# results/summary.parquet, results/metrics.parquet -> results/claims.parquet
# input:  what the plan has of experiments and of the config's own claims; the summary, and the
#         metrics for what it lacks
# output: what the numbers say of each claim, with the numbers


rule judge_claims:
    input:
        plan=plan_of(
            "claims",
            "judge_claims.py",
            "resources/claims.yaml",
            "resources/published.yaml",
        ),
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
    retries: 0
    localrule: True
    conda:
        "../envs/study.yaml"
    shell:
        'python "$SCRIPTS"/judge_claims.py --plan {input.plan:q} --metrics {input.metrics:q}'
        " --summary {input.summary:q} --output {output:q}"
        ' --receipt "$RESULTS/receipts/claims.json" 2> {log:q}'
