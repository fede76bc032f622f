from study.commands import door, write_plan

door.enter(write_plan)
