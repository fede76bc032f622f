from study.commands import door, draw_experiment

door.enter(draw_experiment)
