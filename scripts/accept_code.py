from study.commands import accept_code, door

door.enter(accept_code)
