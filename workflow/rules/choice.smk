# results/runs/*/record.parquet -> results/choice.json, where the config says `final: best`
# input:  the records of all experiments' runs, and what of the plan it is to choose by
# output: the settings of the final model, and why; the plan is complete with it


checkpoint choose_final:
    input:
        plan=plan_of("choice", "choose_final.py", plan=planned),
        records=lambda wildcards: [file_of(run) for run in EXPERIMENT_RUNS],
    output:
        "results/choice.json",
    log:
        "results/logs/choose_final.log",
    retries: 0
    localrule: True
    conda:
        "../envs/study.yaml"
    shell:
        'python "$SCRIPTS"/choose_final.py --plan {input.plan:q}'
        ' --runs "$RESULTS/runs"'
        ' --output {output:q} --receipt "$RESULTS/receipts/choice.json" 2> {log:q}'
