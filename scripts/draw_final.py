from study.commands import door, draw_final

door.enter(draw_final)
