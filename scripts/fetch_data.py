from study.commands import door, fetch_data

door.enter(fetch_data)
