# results/runs/*/record.parquet -> results/choice.json, where the config says `final: best`
# input:  the records of all experiments' runs, the trials of all searches, and what of the plan it is to choose by
# output: the settings of the final model, and why; the plan is complete with it


checkpoint choose_final:
    input:
        plan=plan_of("choice", "choose_final.py", plan=searched_plan),
        records=lambda wildcards: [
            *(file_of(run) for run in EXPERIMENT_RUNS),
            *every_trial(searched_plan()),
        ],
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
