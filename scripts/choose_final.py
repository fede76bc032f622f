from study.commands import choose_final, door

door.enter(choose_final)
