from study.commands import door, watch

door.enter(watch)
