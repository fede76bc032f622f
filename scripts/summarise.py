from study.commands import door, summarise

door.enter(summarise)
