from study.commands import describe_data, door

door.enter(describe_data)
