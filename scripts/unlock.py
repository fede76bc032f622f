from study.commands import door, unlock

door.enter(unlock)
