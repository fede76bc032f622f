# results/runs/*/record.parquet -> results/choice.json, where the config says `final: best`
# input:  the records of all experiments' runs
# output: the settings of the final model, and why; the plan is complete with it


checkpoint choose_final:
    input:
        records=lambda wildcards: [
            f"results/runs/{run.run}/record.parquet" for run in EXPERIMENT_RUNS
        ],
    output:
        "results/choice.json",
    log:
        "results/logs/choose_final.log",
    localrule: True
    conda:
        "../envs/study.yaml"
    params:
        configfile=str(CONFIG_FILE),
        config=CONFIG_DIGEST,
        code=code_of("choose_final.py"),
    shell:
        'python "$SCRIPTS"/choose_final.py --configfile {params.configfile:q} --runs results/runs'
        " --output {output:q} 2> {log:q}"
