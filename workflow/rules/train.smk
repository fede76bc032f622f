# results/data/<dataset>/ -> results/runs/<run>/: one training job for each run, all seeds in it.
# input:  the data's checksums; touching the pixels retrains nothing
# output: record, weights and settings; the saved state and the journal lie beside them undeclared,
#         so that Snakemake never deletes what training can go on from, and so does benchmark.tsv


rule train:
    input:
        refuse_missing_gpu,
        checksums=f"{DATA}/checksums.sha256",
        pixels=ancient(PIXELS),
    output:
        record="results/runs/{run}/record.parquet",
        weights="results/runs/{run}/weights.safetensors",
        settings="results/runs/{run}/settings.json",
    log:
        "results/runs/{run}/train.log",
    priority: priority_of
    group:
        group_of if IS_SHARING else None
    conda:
        "../envs/study.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: attempt
        * jobs.memory_mb(run_of(wildcards), sizes(), PLAN.device),
        runtime=lambda wildcards, attempt: attempt * minutes_of(wildcards),
        gpu=0 if PLAN.device == "cpu" else 1,
        # Counts runs at a time, where a profile limits them.
        runs=1,
    params:
        request=request_of,
        study=[
            *([] if PLAN.model.is_perceptron else ["--model", PLAN.model.word]),
            *(
                "--dataset",
                as_word(PLAN.dataset),
                "--validation",
                json.dumps(PLAN.validation),
            ),
            *("--data", str(DATA_FOLDER), "--device", PLAN.device),
        ],
        learning=LEARNING,
        code=code_of("train.py"),
    shell:
        'python "$SCRIPTS"/train.py {params.request:q} {params.study:q} > {log:q} 2>&1'


# Asked for in place of a run's files by file_of. It fails with its message, and the other runs go on:
# Snakemake ends with all jobs where it cannot remove the old outputs of one.
rule refuse_run:
    output:
        "results/runs/{run}.writable",
    log:
        "results/logs/refuse_run.{run}.log",
    retries: 0
    localrule: True
    conda:
        "../envs/study.yaml"
    shell:
        'echo "error: $RESULTS/runs/"{wildcards.run:q}": cannot be written;'
        ' allow it, and run again" > {log:q}; exit 1'
