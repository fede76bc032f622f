# What the rules ask of searches: which steps and trials there are, and that these are trained.

from study.spec.plan import Run
from study.spec.settings import identity


def step_before(wildcards):
    """The name of the step before, None of the first."""
    names = [step.name for step in SEARCHES[wildcards.search].steps]
    index = names.index(wildcards.step)
    return names[index - 1] if index else None


def file_before(wildcards):
    step = step_before(wildcards)
    return [f"results/search/{wildcards.search}/{step}.json"] if step else []


def trained_before(wildcards):
    step = step_before(wildcards)
    return trained(wildcards.search, step) if step else []


def mark(search, step, run):
    """The file that says that a run is trained as far as this step of a search asks for."""
    return f"results/search/{search}/{step}/{run}.trained"


def trained(search, step):
    """The marks of all trials that this step of a search asks for."""
    return [
        mark(search, step, trial.run)
        for trial in search_after(search, step).asked_by(step)
    ]


def every_trial(plan):
    """The last marks of all trials of a plan; none in a partial report, which trains nothing."""
    if CONFIG["partial"]:
        return []
    last = {}
    for search in plan.searches:
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


def run_of_trial(search, step, run):
    """A trial's run as far as its step asks for, or an experiment: that is trained together."""
    # Whoever asks for the trial has seen that the step is taken. Its checkpoint is not asked again:
    # Snakemake 9.27.1 may not know yet that it needs none where there are two chains of them.
    known = search_by(search, steps_in_files(search, step))
    [trial] = [each for each in known.asked_by(step) if each.run == run]
    settings = identity({**known.settings, **trial.settings})
    is_whole = trial.epochs == known.epochs
    kept = [trial.epochs] if PLAN.chooses_final and is_whole else []
    listed = LISTED.get(run)
    seeds = {*trial.seeds, *(listed.seeds if listed else ())}
    return Run(
        run,
        settings,
        max(trial.epochs, listed.epochs if listed else 0),
        [seed for seed in PLAN.seeds if seed in seeds],
        sorted({*kept, *(listed.kept_epochs if listed else ())}),
    )
