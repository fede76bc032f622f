from study.commands import door, show_status

door.enter(show_status)
