from study.commands import door, draw_search

door.enter(draw_search)
