# results/runs/<run>/ -> results/final.safetensors, results/model/
# input:  the weights of the final model's run; the test images
# output: the class probabilities of the test images, for each seed; the model to take away

EVALUATION = ["results/final.safetensors"] if HAS_FINAL else []

MODEL = expand(
    "results/model/{file}",
    file=["model.safetensors", "model.onnx", "README.md"] if HAS_FINAL else [],
)


rule evaluate_final:
    input:
        plan=plan_of("evaluation", "evaluate_final.py"),
        settings=of_final_run("settings.json"),
        weights=of_final_run("weights.safetensors"),
        further=further_of_final_run,
        checksums=f"{DATA}/checksums.sha256",
        pixels=ancient(PIXELS),
    output:
        "results/final.safetensors",
    log:
        "results/logs/evaluate_final.log",
    retries: 0
    localrule: True
    conda:
        "../envs/study.yaml"
    params:
        run=lambda wildcards, input: os.path.dirname(input.settings),
        data=lambda wildcards, input: os.path.dirname(input.checksums),
    shell:
        'python "$SCRIPTS"/evaluate_final.py --plan {input.plan:q} --run {params.run:q}'
        " --data {params.data:q} --output {output:q}"
        ' --receipt "$RESULTS/receipts/evaluation.json" 2> {log:q}'


rule export_model:
    input:
        plan=plan_of(
            "model",
            "export_model.py",
            "resources/languages/en/*.yaml",
            "resources/model_card.md.jinja",
        ),
        metrics="results/metrics.parquet",
        summary="results/summary.parquet",
        weights=of_final_run("weights.safetensors"),
        evaluation="results/final.safetensors",
        described=every_description,
        checksums=f"{DATA}/checksums.sha256",
        pixels=ancient(PIXELS),
    output:
        tensors="results/model/model.safetensors",
        graph="results/model/model.onnx",
        card=report(
            "results/model/README.md",
            caption="../report/model.rst",
            category="model to take away",
            labels={"file": "model card"},
        ),
    log:
        "results/logs/export_model.log",
    retries: 0
    localrule: True
    conda:
        "../envs/study.yaml"
    params:
        data=lambda wildcards, input: os.path.dirname(input.checksums),
        folder=lambda wildcards, output: os.path.dirname(output.card),
    shell:
        'python "$SCRIPTS"/export_model.py --plan {input.plan:q} --metrics {input.metrics:q}'
        ' --summary {input.summary:q} --runs "$RESULTS/runs" --evaluation {input.evaluation:q}'
        " --data {params.data:q} --output {params.folder:q}"
        ' --receipt "$RESULTS/receipts/model.json" 2> {log:q}'
