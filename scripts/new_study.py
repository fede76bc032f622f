from study.commands import door, new_study

door.enter(new_study)
