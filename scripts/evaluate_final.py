from study.commands import door, evaluate_final

door.enter(evaluate_final)
