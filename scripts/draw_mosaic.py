from study.commands import door, draw_mosaic

door.enter(draw_mosaic)
