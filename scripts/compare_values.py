from study.commands import compare_values, door

door.enter(compare_values)
