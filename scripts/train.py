from study.commands import door, train

door.enter(train)
