from study.commands import door, write_page

door.enter(write_page)
