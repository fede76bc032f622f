from study.commands import door, prune

door.enter(prune)
