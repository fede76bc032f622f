from study.commands import door, fidelity

door.enter(fidelity)
