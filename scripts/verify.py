from study.commands import door, verify

door.enter(verify)
