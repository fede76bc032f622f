from study.commands import door, write_report

door.enter(write_report)
