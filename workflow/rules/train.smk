# results/data/<dataset>/ -> results/runs/<run>/: one training job for each run, all seeds in it.
# input:  the data's checksums; touching the pixels retrains nothing
# output: record, weights and settings; the saved state and the journal lie beside them undeclared,
#         so that Snakemake never deletes what training can go on from


rule train:
    input:
        checksums=f"{DATA}/checksums.sha256",
    output:
        record="results/runs/{run}/record.parquet",
        weights="results/runs/{run}/weights.safetensors",
        settings="results/runs/{run}/settings.json",
    log:
        "results/runs/{run}/train.log",
    benchmark:
        "results/runs/{run}/benchmark.tsv"
    priority: priority_of
    group:
        group_of if GROUPS else None
    conda:
        "../envs/study.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: attempt
        * jobs.memory_mb(run_of(wildcards), PLAN.device),
        runtime=lambda wildcards, attempt: attempt * minutes_of(wildcards),
        gpu=0 if PLAN.device == "cpu" else 1,
        # Counts runs at a time, where a profile limits them.
        runs=1,
    params:
        settings=lambda wildcards: json.dumps(run_of(wildcards).settings),
        request=request_of,
        dataset=PLAN.dataset,
        validation=json.dumps(PLAN.validation),
        data=lambda wildcards, input: os.path.dirname(input.checksums),
        device=PLAN.device,
        learning=LEARNING,
        code=code_of("train.py"),
        folder="results/runs/{run}",
    shell:
        'python "$SCRIPTS"/train.py --settings {params.settings:q} {params.request}'
        " --dataset {params.dataset:q} --validation {params.validation:q} --data {params.data:q}"
        " --device {params.device:q} --output {params.folder:q} > {log:q} 2>&1"
