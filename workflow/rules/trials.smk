# What the rules ask of searches, and of experiments that add seeds: which steps and trials there
# are, and that these are trained. A trial of an experiment is a value with further seeds.

from study.spec.plan import Run, in_order
from study.spec.settings import identity


def step_before(wildcards):
    """The name of the step before, None of the first."""
    names = [step.name for step in STEPWISE[wildcards.search].steps]
    index = names.index(wildcards.step)
    return names[index - 1] if index else None


def file_before(wildcards):
    step = step_before(wildcards)
    return [f"results/search/{wildcards.search}/{step}.json"] if step else []


def trained_before(wildcards):
    step = step_before(wildcards)
    return trained(wildcards.search, step) if step else []


def listed_before(wildcards):
    """The records of an experiment's values, by which it goes in its first step."""
    if step_before(wildcards) or wildcards.search not in EXPERIMENTS:
        return []
    runs = dict.fromkeys(value.run for value in EXPERIMENTS[wildcards.search].values)
    return [file_of(RUNS[run]) for run in runs]


def mark(search, step, run):
    """The file that says that a run is trained as far as this step of a search asks for."""
    return f"results/search/{search}/{step}/{run}.trained"


def run_of_mark(path):
    """The run that a mark is of."""
    return os.path.basename(path).removesuffix(".trained")


def trained(search, step):
    """The marks of all trials that this step of a search asks for."""
    runs = (trial.run for trial in search_after(search, step).asked_by(step))
    return [mark(search, step, run) for run in dict.fromkeys(runs)]


def every_trial(plan):
    """The last marks of all trials of a plan; none in a partial report, which trains nothing."""
    if CONFIG["partial"]:
        return []
    last = {}
    for search in plan.stepwise:
        for step in (each.name for each in search.steps[: len(search.taken)]):
            for trial in search.asked_by(step):
                last[search.name, trial.run] = mark(search.name, step, trial.run)
    return list(last.values())


def only_trials(plan):
    """The names of runs that no experiment and no listed final model asks for."""
    trials = {trial.run for each in plan.searches for trial in each.trials}
    return trials - LISTED.keys()


def record_of_listed(wildcards):
    """The record of a trial's run that an experiment lists too."""
    return [file_of(RUNS[wildcards.run])] if wildcards.run in LISTED else []


# The runs of trials, by search and step.
ASKED = {}


def run_of_trial(search, step, run):
    """A trial's run as far as its step asks for, or an experiment: that is trained together."""
    # What a step asks of a run is always the same; of which runs, where it is taken anew, is not.
    if (search, step, run) not in ASKED:
        ASKED.update(
            ((search, step, each.run), each) for each in runs_asked_by(search, step)
        )
    return ASKED[search, step, run]


def runs_asked_by(search, step):
    """Those of all trials that a step asks for."""
    # Whoever asks for a trial has seen that the step is taken. Its checkpoint is not asked again:
    # Snakemake 9.27.1 may not know yet that it needs none where there are two chains of them.
    known = search_by(search, steps_in_files(search, step))
    # Values of an experiment may share a run, at several epochs: the most come last.
    trials = sorted(known.asked_by(step), key=lambda each: each.epochs)
    for trial in {each.run: each for each in trials}.values():
        listed = LISTED.get(trial.run)
        is_whole = search not in SEARCHES or trial.epochs == known.epochs
        kept = [trial.epochs] if PLAN.chooses_final and is_whole else []
        seeds = {*trial.seeds, *(listed.seeds if listed else ())}
        yield Run(
            trial.run,
            identity({**known.settings, **trial.settings}),
            max(trial.epochs, listed.epochs if listed else 0),
            [seed for seed in in_order(PLAN.seeds, PLAN.experiments) if seed in seeds],
            sorted({*kept, *(listed.kept_epochs if listed else ())}),
        )
