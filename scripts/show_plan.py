from study.commands import door, show_plan

door.enter(show_plan)
