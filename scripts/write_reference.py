from study.commands import door, write_reference

door.enter(write_reference)
