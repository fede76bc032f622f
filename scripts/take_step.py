from study.commands import door, take_step

door.enter(take_step)
