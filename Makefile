# `make report` and `make test` need Python 3.11 or newer and nothing else.

PYTHON ?= python3
# A profile says itself how much runs at a time.
CORES ?= $(if $(PROFILE),,all)
FOLDER ?=
# A folder's own config, as `make new-study` makes it.
CONFIG ?= $(if $(FOLDER),$(shell test -f "$(FOLDER)/config.yaml" && echo "$(FOLDER)/config.yaml"))
PROFILE ?=
ARGS ?=
NAME ?=
MODEL ?=
DATA ?=
TARGET ?=
TASK ?=
YES ?=
# Packages have to have the checksums in requirements.lock; LOCKED=no for those of another index.
LOCKED ?= yes
A ?= results
B ?= recommended/results

export PATH := $(CURDIR)/.venv/bin:$(PATH)
# What a shell may have set for other programs' sake (scripts/study/support/environment.py).
unexport NPY_DISABLE_CPU_FEATURES NPY_ENABLE_CPU_FEATURES OPENBLAS_CORETYPE
unexport PYTHONOPTIMIZE PYTHONSAFEPATH PYTHONWARNINGS

INSTALLED := .venv/.installed
BENCH_INSTALLED := bench/.venv/.installed
MLFLOW_INSTALLED := .venv/mlflow/.installed
WANDB_INSTALLED := .venv/wandb/.installed
# Where the study is. A folder's name may be misspelt, and would be a new one.
PLACE = $(if $(CONFIG),$(FOLDER),$(error FOLDER=$(FOLDER): no config.yaml is in it; \
	name one by CONFIG=…, or begin a study by: make new-study NAME=$(FOLDER)))
SNAKEMAKE = snakemake $(if $(CORES),--cores $(CORES)) \
	$(if $(CONFIG),--configfile "$(CONFIG)") \
	$(if $(FOLDER),--directory "$(PLACE)") \
	$(if $(PROFILE),--profile "profiles/$(PROFILE)")

# The other programs, where the study is.
PROGRAM = $(if $(FOLDER),mkdir -p "$(PLACE)" && cd "$(PLACE)" &&) python "$(CURDIR)/scripts"
CONFIGFILE := $(if $(CONFIG),--configfile "$(if $(FOLDER),$(if $(filter /%,$(CONFIG)),,$(CURDIR)/))$(CONFIG)")

# The words of the command that runs this study, for a program that tells what to do next.
AGAIN := make report $(if $(filter-out $(FOLDER)/config.yaml,$(CONFIG)),"CONFIG=$(CONFIG)") $(if \
	$(FOLDER),"FOLDER=$(FOLDER)")

# At a terminal, a panel in place of Snakemake's lines (workflow/logger).
PANEL := $$([ -t 2 ] && [ "$$TERM" != dumb ] && echo --logger panel)

# Files side by side, in the order of tests/conftest.py; a file's tests share what they made.
PYTEST := pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup report quick recommended new-study status watch report-partial snakemake-report data plan compare tensorboard optuna mlflow wandb csv reference claims verify accept-code prune fidelity bench check test test-full test-cluster slurm

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "make %-16s %s\n", $$1, $$2}'
	@echo
	@echo "make report CONFIG=my.yaml FOLDER=my-study: another study, in a folder of its own"
	@echo "make report CORES=4: fewer cores; make report PROFILE=slurm: jobs go where profiles/slurm says"

setup: $(INSTALLED) ## Make the virtual environment .venv with pinned packages

PACKAGES = $(if $(filter no,$(LOCKED)),-r requirements.txt -c constraints.txt,--require-hashes -r requirements.lock)

$(INSTALLED): requirements.txt constraints.txt requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --disable-pip-version-check $(PACKAGES)
	@touch $@

report: export PYTHONPATH := $(CURDIR)/workflow/logger$(addprefix :,$(PYTHONPATH))
report: setup ## Run the whole study and write its reports
	@$(if $(CONFIG),$(PROGRAM)/write_plan.py $(CONFIGFILE),true)
	@$(PROGRAM)/unlock.py
	@$(SNAKEMAKE) $(PANEL) -- report
	@$(PROGRAM)/show_status.py $(CONFIGFILE) --since $(shell date +%s) --again $(AGAIN)

quick: ## A whole report in under a minute, in the folder quick/
	@$(MAKE) --no-print-directory report CONFIG=configs/quick.yaml FOLDER=$(or $(FOLDER),quick)

new-study: setup ## Begin a study of your own: make new-study NAME=my-study [MODEL=my_model.py] [DATA=my.csv TARGET=column]
	@python scripts/new_study.py "$(NAME)" --model "$(MODEL)" --data "$(DATA)" --target "$(TARGET)" --task "$(TASK)"

status: setup ## Tell how far the study is: finished, training, failed, the time left
	@$(PROGRAM)/show_status.py $(CONFIGFILE) --again $(AGAIN)

watch: setup ## Open the page of the study, which renews itself while it runs; Ctrl-C ends it
	@$(PROGRAM)/watch.py $(ARGS)

recommended: ## Run configs/recommended.yaml in the folder recommended/ (an hour on two cores)
	@$(MAKE) report CONFIG=configs/recommended.yaml FOLDER=recommended

report-partial: setup ## Write the report over what is finished, without training
	@$(PROGRAM)/unlock.py
	@$(SNAKEMAKE) --config partial=true -- report

snakemake-report: setup ## Write Snakemake's own report of a finished study: results/workflow-report.zip
	@$(SNAKEMAKE) --report results/workflow-report.zip -- report

data: setup ## Fetch and verify the data set alone
	@$(SNAKEMAKE) -- data

plan: setup ## Show what will train, why, and what it will cost; train nothing
	@$(PROGRAM)/show_plan.py $(CONFIGFILE) $(if $(filter-out all,$(CORES)),--cores $(CORES))

compare: setup ## Tell how two studies differ: make compare A=results B=other/results
	@python scripts/compare_studies.py "$(A)" "$(B)"

tensorboard: setup ## Export the records to TensorBoard's event files
	@$(PROGRAM)/export_tensorboard.py

optuna: setup ## Export the searches to an Optuna storage
	@$(PROGRAM)/export_results.py --to optuna

mlflow: export PATH := $(CURDIR)/.venv/mlflow/bin:$(PATH)
mlflow: $(MLFLOW_INSTALLED) ## Export the records to an MLflow store; installs MLflow apart
	@$(PROGRAM)/export_results.py --to mlflow

wandb: export PATH := $(CURDIR)/.venv/wandb/bin:$(PATH)
wandb: $(WANDB_INSTALLED) ## Export the records to offline runs of Weights & Biases; installs its client apart
	@$(PROGRAM)/export_results.py --to wandb

csv: setup ## Export the records to a CSV file
	@$(PROGRAM)/export_results.py --to csv

claims: setup ## Put the published study's claims, and your own, to the test
	@$(PROGRAM)/unlock.py
	@$(SNAKEMAKE) -- claims
	@$(PROGRAM)/show_claims.py

verify: setup ## Check results from checksums to report, and train a short run again
	@$(PROGRAM)/verify.py $(CONFIGFILE)

accept-code: setup ## Keep finished runs after an edit of the training code's comments or layout
	@python scripts/accept_code.py

prune: setup ## List runs that no experiment asks for, then remove them if you agree (or YES=1)
	@$(PROGRAM)/prune.py $(CONFIGFILE) $(if $(YES),--yes)

fidelity: setup ## Hold the finished default study against the published numbers
	@python scripts/fidelity.py --summary results/summary.parquet

bench: $(BENCH_INSTALLED) ## Time the study against other tools on the same work: make bench ARGS="--repeat 3"
	@python bench/compare.py $(ARGS)

# An environment apart in the folder $(1), which sees the packages of .venv; these stay as they are.
define apart
.venv/bin/python -m venv --without-pip --clear $(1)
.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
	> "$$($(1)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/study.pth"
endef

$(BENCH_INSTALLED): $(INSTALLED) bench/requirements.txt
	$(call apart,bench/.venv)
	bench/.venv/bin/python -m pip install --disable-pip-version-check -r bench/requirements.txt -c constraints.txt
	@touch $@

$(MLFLOW_INSTALLED): $(INSTALLED) requirements-mlflow.txt
	$(call apart,.venv/mlflow)
	.venv/mlflow/bin/python -m pip install --disable-pip-version-check -r requirements-mlflow.txt
	@touch $@

$(WANDB_INSTALLED): $(INSTALLED) requirements-wandb.txt
	$(call apart,.venv/wandb)
	.venv/wandb/bin/python -m pip install --disable-pip-version-check -r requirements-wandb.txt
	@touch $@

reference: setup ## Write docs/reference/config.md, every key of config.yaml, from the schemas
	@python scripts/write_reference.py

check: setup ## Lint, format and type checks
	ruff check .
	ruff format --check .
	mypy
	snakefmt --check Snakefile workflow
	snakemake --lint

test: setup check ## Run the tests, each proof shortened (minutes)
	$(PYTEST)

test-full: setup check ## Run the tests, each proof in full length, and measure their coverage
	HYPOTHESIS_PROFILE=full $(PYTEST) --cov --cov-fail-under=90

test-cluster: setup slurm ## Install SLURM, and run the tests that start one of their own, in full length
	HYPOTHESIS_PROFILE=full pytest tests/cluster

# Debian's packages, as root; make test does without.
slurm:
	@which slurmctld slurmd munged > /dev/null || { apt-get update && \
		DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends slurm-wlm munge; }
