# config -> results/data/<dataset>/: the data set's files, decoded and verified.
# input:  data.dataset and data.sources of the config
# output: checksums.sha256, on which training depends; the data's files lie beside it undeclared,
#         so that Snakemake never deletes what is verified, unless they have to be brought into
#         storage


rule fetch_data:
    input:
        outdated,
    output:
        checksums=f"{DATA}/checksums.sha256",
        pixels=PIXELS,
    log:
        f"{DATA}/fetch.log",
    # Sources are tried again by the program; wrong content stays wrong.
    retries: 0
    localrule: True
    conda:
        "../envs/study.yaml"
    params:
        dataset=as_word(PLAN.dataset),
        digest=DATASET.digest,
        folder=lambda wildcards, output: os.path.dirname(output.checksums),
        configfile=str(CONFIG_FILE),
        sources=[
            word
            for source in CONFIG["data"]["sources"]
            for word in ("--source", source)
        ],
    shell:
        'python "$SCRIPTS"/fetch_data.py --dataset {params.dataset:q} {params.sources:q}'
        " --configfile {params.configfile:q} --output {params.folder:q} 2> {log:q}"
