from study.commands import door, draw_glance

door.enter(draw_glance)
