# What Snakemake cannot see by itself, and must do all the same: outputs that were altered after
# they were made, and everything that its own notes in .snakemake/ would tell once these are gone.
# It is asked for as by --forcerun, in the main process and where the target has to do with it.

MANIFEST = Path("results/manifest.json")
MADE = ["results/metrics.parquet", "results/summary.parquet", *FIGURES, *REPORTS]

if workflow.is_main_process and workflow.dag_settings is not None:
    outdated = []
    if data_is_damaged():
        outdated.append(f"{DATA}/checksums.sha256")
    if plan_differs("results/plan.json"):
        outdated.append("results/plan.json")
    if not workflow.dag_settings.targets <= {"data", "plan"}:
        for path in manifest.altered(MANIFEST, MADE):
            print(
                f"{path}: altered since it was made; it is made anew", file=sys.stderr
            )
            outdated.append(path)
        if not CONFIG["partial"]:
            outdated += [
                f"results/runs/{name}/record.parquet"
                for name, found in STANDINGS.items()
                if found.reasons
            ]
    workflow.dag_settings.forcerun = {*workflow.dag_settings.forcerun, *outdated}
