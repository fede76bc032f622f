#!/bin/sh
# Snakemake 9.27.1: while a job runs, changed parameters, code and inputs of the jobs that depend on
# it are not looked at; where they depend on it by ancient() alone, they are then not run either.
#
# When a job has to run, Snakemake takes it that everything below it will run for that reason, and
# does not ask for other reasons ("masked", dag.py, update_needrun). But an edge whose files are all
# ancient() does not carry the run on. The job below is left out, though its own parameters have
# changed, and the call ends well, with an output of the old parameters. Only the next call sees it.
# Its dry run agrees each time, so that neither tells.
#
# Output seen (snakemake 9.27.1), b depends on a by ancient(), and each writes its parameter:
#   a=1 b=1: a.txt 1, b.txt 1
#   a=1 b=2: a.txt 1, b.txt 2
#   a=2 b=3: a.txt 2, b.txt 2    <- 3 was asked for; Snakemake says "1 of 1 steps (100%) done"
#   again:   a.txt 2, b.txt 3
#
# What to do: pass a digest of what is ancient as a parameter, and run again until nothing is to do;
# or force such outputs.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    snakemake==9.27.1
cd "$folder"
cat > Snakefile <<'SNAKEFILE'
rule b:
    input: ancient("a.txt")
    output: "b.txt"
    params: value=config["second"]
    shell: "echo {params.value} > {output}"

rule a:
    output: "a.txt"
    params: value=config["first"]
    shell: "echo {params.value} > {output}"
SNAKEFILE

call() {
    venv/bin/snakemake --cores 1 --config first="$1" second="$2" -- b.txt > log 2>&1 || { cat log; exit 1; }
    printf 'a=%s b=%s: a.txt %s, b.txt %s\n' "$1" "$2" "$(cat a.txt)" "$(cat b.txt)"
}
{ call 1 1; call 1 2; call 2 3; call 2 3; } | tee seen
cat > expected <<'EXPECTED'
a=1 b=1: a.txt 1, b.txt 1
a=1 b=2: a.txt 1, b.txt 2
a=2 b=3: a.txt 2, b.txt 2
a=2 b=3: a.txt 2, b.txt 3
EXPECTED
cmp seen expected || { echo "Snakemake behaves otherwise now" >&2; exit 1; }
