from study.commands import door, list_trials

door.enter(list_trials)
